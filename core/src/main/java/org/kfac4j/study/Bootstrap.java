package org.kfac4j.study;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * Percentile bootstrap over seeds (Efron 1979). Each of {@link #RESAMPLES} resamples draws as many
 * seeds as there are, with replacement and the same ones for all batch sizes (a seed has the same
 * initial weights and order of examples in each), takes the median steps over them at each winning
 * point, and computes the figure from these. The interval is between the 2.5 % and 97.5 % points.
 * Winners stay those of the tuning seed, so that the interval does not show how uncertain tuning
 * is; and with few seeds, it is too narrow rather than too wide.
 *
 * <p>Only seeds that ran in every cell that has a winner take part; with fewer than two of them
 * there is no interval. Draws are seeded: the same runs give the same interval.
 */
final class Bootstrap {
  static final int RESAMPLES = 2000;

  private static final long SEED = 0x6b666163L;
  private static final double TAIL = 0.025;

  private Bootstrap() {}

  /**
   * One figure of a resample, between two bounds where it is not known, and whether it has no upper
   * one.
   */
  private record Draw(double low, double high, boolean open) {}

  /**
   * Of the interpolated critical batch size. A censored median takes part as in {@link
   * CriticalBatch}; if a seed is censored with the smallest batch, there is no interval, for some
   * resamples would have nothing to divide by.
   */
  static Optional<Interval> critical(StudyCurve curve) {
    List<StudyCell> cells = curve.cells();
    double[] over = cells.stream().mapToDouble(Bootstrap::over).toArray();
    return interval(
        cells,
        steps -> {
          List<CriticalBatch.Point> points = new ArrayList<>();
          for (int i = 0; i < steps.length; i++) {
            points.add(new CriticalBatch.Point(cells.get(i).batch(), steps[i], over[i]));
          }
          CriticalBatch critical = CriticalBatch.of(points, curve.threshold()).orElseThrow();
          return new Draw(critical.interpolated(), critical.upper(), critical.isLowerBound());
        });
  }

  /** Of the speedup; none if a seed is censored in either cell. */
  static Optional<Interval> speedup(StudyCurve curve, StudyCell cell) {
    return cell.steps().isEmpty() || cell.censoredSeeds() > 0
        ? Optional.empty()
        : interval(
            List.of(curve.base(), cell),
            steps -> new Draw(steps[0] / steps[1], steps[0] / steps[1], false));
  }

  /** Seeds that ran at the winning point of every cell that has one. */
  static Set<Long> commonSeeds(List<StudyCell> cells) {
    Set<Long> common = new TreeSet<>();
    boolean first = true;
    for (StudyCell cell : cells) {
      if (cell.winner().isPresent()) {
        Set<Long> seeds = cell.seeds().keySet();
        if (first) {
          common.addAll(seeds);
        }
        common.retainAll(seeds);
        first = false;
      }
    }
    return common;
  }

  /**
   * @param figure of the median steps of each cell, +∞ where they are censored
   */
  private static Optional<Interval> interval(
      List<StudyCell> cells, Function<double[], Draw> figure) {
    List<Long> seeds = List.copyOf(commonSeeds(cells));
    StudyCell base = cells.get(0);
    if (seeds.size() < 2 || base.steps().isEmpty() || base.censoredSeeds() > 0) {
      return Optional.empty();
    }
    List<double[]> measured = cells.stream().map(cell -> steps(cell, seeds)).toList();
    SplittableRandom random = new SplittableRandom(SEED);
    double[] lows = new double[RESAMPLES];
    double[] highs = new double[RESAMPLES];
    boolean open = false;
    for (int i = 0; i < RESAMPLES; i++) {
      int[] drawn =
          IntStream.range(0, seeds.size()).map(j -> random.nextInt(seeds.size())).toArray();
      Draw draw =
          figure.apply(
              measured.stream()
                  .mapToDouble(
                      steps ->
                          Order.median(IntStream.of(drawn).mapToDouble(j -> steps[j]).toArray()))
                  .toArray());
      lows[i] = draw.low();
      highs[i] = draw.high();
      open |= draw.open();
    }
    Arrays.sort(lows);
    Arrays.sort(highs);
    int low = (int) Math.floor(TAIL * RESAMPLES);
    return Optional.of(new Interval(lows[low], highs[RESAMPLES - 1 - low], open));
  }

  /** Of each seed at the winning point; +∞ if it is censored, or the whole cell is. */
  private static double[] steps(StudyCell cell, List<Long> seeds) {
    SortedMap<Long, StudyRun> runs = cell.seeds();
    return seeds.stream()
        .mapToDouble(
            seed -> {
              StudyRun run = runs.get(seed);
              return run == null
                  ? Double.POSITIVE_INFINITY
                  : run.reached(cell.target())
                      .map(there -> (double) there.steps())
                      .orElse(Double.POSITIVE_INFINITY);
            })
        .toArray();
  }

  private static double over(StudyCell cell) {
    return cell.isComplete()
        ? cell.runs().stream().mapToLong(StudyRun::stepBudget).min().orElse(0)
        : 0;
  }
}
