package org.kfac4j.study;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * All runs of one optimizer with one batch size under one budget, seen for one target.
 *
 * @param batch B
 * @param examples |D|
 * @param grid setting → its values
 * @param runs of all seeds
 */
public record StudyCell(
    Target target,
    int batch,
    long examples,
    SortedMap<String, List<String>> grid,
    long tuningSeed,
    List<StudyRun> runs) {
  public StudyCell {
    runs = List.copyOf(runs);
  }

  /** Runs of the tuning seed, in the grid's order whatever the order in which they ended. */
  public List<StudyRun> tuned() {
    return runs.stream()
        .filter(run -> run.seed() == tuningSeed)
        .sorted((a, b) -> Arrays.compare(place(a), place(b)))
        .toList();
  }

  private int[] place(StudyRun run) {
    return grid.entrySet().stream()
        .mapToInt(axis -> axis.getValue().indexOf(run.point().get(axis.getKey())))
        .toArray();
  }

  /** Points of the grid: the product of the numbers of values. */
  public int gridSize() {
    return grid.values().stream().mapToInt(List::size).reduce(1, Math::multiplyExact);
  }

  /** Whether every point of the grid was run with the tuning seed. */
  public boolean isComplete() {
    return tuned().size() == gridSize();
  }

  /**
   * The run of the tuning seed with the fewest steps to the target; of equals, the one with the
   * best value of the target's metric, then the first of the grid. (Seconds, which differ from one
   * execution to the next, do not choose.) Empty if none of them reached it, whatever other seeds
   * did.
   */
  public Optional<StudyRun> winner() {
    return tuned().stream()
        .filter(run -> run.reached(target).isPresent())
        .min(Comparator.comparingLong(this::stepsOf).thenComparingDouble(this::bestScore));
  }

  private long stepsOf(StudyRun run) {
    return run.reached(target).orElseThrow().steps();
  }

  private double bestScore(StudyRun run) {
    Double best = run.best().get(target.metric());
    return best == null || best.isNaN() ? Double.POSITIVE_INFINITY : target.metric().score(best);
  }

  /** k*(B) = min over the grid of k(B, h) with the tuning seed; empty if the cell is censored. */
  public OptionalLong steps() {
    return winner().map(run -> OptionalLong.of(stepsOf(run))).orElse(OptionalLong.empty());
  }

  /**
   * What k* is known to exceed in a censored cell: the smallest step budget of its runs, for a run
   * that was stopped as hopeless would not have reached the target within it. Empty if k* is known
   * or the grid is not complete.
   */
  public OptionalLong censoredAt() {
    return winner().isPresent() || !isComplete()
        ? OptionalLong.empty()
        : tuned().stream().mapToLong(StudyRun::stepBudget).min();
  }

  /** B · k*: examples that the winner saw until the target. */
  public OptionalLong examplesSeen() {
    OptionalLong steps = steps();
    return steps.isPresent()
        ? OptionalLong.of(Math.multiplyExact(steps.getAsLong(), (long) batch))
        : OptionalLong.empty();
  }

  /** Aggregate cost B · k* / |D|, in epochs. */
  public OptionalDouble epochs() {
    OptionalLong seen = examplesSeen();
    return seen.isPresent()
        ? OptionalDouble.of((double) seen.getAsLong() / examples)
        : OptionalDouble.empty();
  }

  /** Seconds that the winner, the run with the fewest steps, needs to the target. */
  public OptionalDouble seconds() {
    return winner().flatMap(run -> run.reached(target)).stream()
        .mapToDouble(Reached::seconds)
        .findFirst();
  }

  /** The fewest seconds to the target of the grid with the tuning seed, be it not the winner's. */
  public OptionalDouble fewestSeconds() {
    return tuned().stream()
        .flatMap(run -> run.reached(target).stream())
        .mapToDouble(Reached::seconds)
        .min();
  }

  /** Runs at the winning point by seed; empty if there is no winner. */
  public SortedMap<Long, StudyRun> seeds() {
    SortedMap<Long, StudyRun> seeds = new TreeMap<>();
    winner()
        .ifPresent(
            winner ->
                runs.stream()
                    .filter(run -> run.point().equals(winner.point()))
                    .forEach(run -> seeds.put(run.seed(), run)));
    return seeds;
  }

  /** Seeds at the winning point that do not reach the target. */
  public int censoredSeeds() {
    return (int) seeds().values().stream().filter(run -> run.reached(target).isEmpty()).count();
  }

  /**
   * Median steps over the seeds at the winning point. A censored seed takes part as more than any
   * number; if it decides the median, there is none.
   */
  public OptionalDouble medianSteps() {
    double[] steps = stepsOverSeeds();
    return steps.length == 0 ? OptionalDouble.empty() : finite(Order.median(steps));
  }

  /** Fewest steps over the seeds at the winning point. */
  public OptionalDouble fewestSteps() {
    double[] steps = stepsOverSeeds();
    return Arrays.stream(steps).min();
  }

  /** Most steps over the seeds at the winning point; empty also if one of them is censored. */
  public OptionalDouble mostSteps() {
    double[] steps = stepsOverSeeds();
    return steps.length == 0
        ? OptionalDouble.empty()
        : finite(Arrays.stream(steps).max().orElseThrow());
  }

  private double[] stepsOverSeeds() {
    return seeds().values().stream()
        .mapToDouble(
            run -> run.reached(target).isPresent() ? stepsOf(run) : Double.POSITIVE_INFINITY)
        .toArray();
  }

  private static OptionalDouble finite(double value) {
    return Double.isFinite(value) ? OptionalDouble.of(value) : OptionalDouble.empty();
  }

  /**
   * Settings whose winning value is the least or the greatest of at least two numbers: the best
   * value may lie outside of the grid, so widen it before you quote a speedup. Names have no ends,
   * and no setting's range goes on below a winning 0 (no momentum, no damping).
   */
  public List<String> edges() {
    return winner().stream()
        .flatMap(winner -> winner.point().entrySet().stream())
        .filter(value -> isEnd(value.getValue(), grid.getOrDefault(value.getKey(), List.of())))
        .map(Map.Entry::getKey)
        .toList();
  }

  private static boolean isEnd(String value, List<String> axis) {
    if (axis.size() < 2 || !axis.stream().allMatch(each -> parsed(each).isPresent())) {
      return false;
    }
    double[] sorted =
        axis.stream().mapToDouble(each -> parsed(each).orElseThrow()).sorted().toArray();
    double at = parsed(value).orElseThrow();
    return at != 0 && (at == sorted[0] || at == sorted[sorted.length - 1]);
  }

  private static OptionalDouble parsed(String value) {
    try {
      return OptionalDouble.of(Double.parseDouble(value));
    } catch (NumberFormatException e) {
      return OptionalDouble.empty();
    }
  }

  /** How much depends on the choice in the grid. */
  public Robustness robustness() {
    return Robustness.of(this);
  }
}
