package org.kfac4j.jobs;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.kfac4j.InvalidInputException;
import org.kfac4j.data.Batch;
import org.kfac4j.network.Network;
import org.kfac4j.optimizer.Objective;
import org.kfac4j.optimizer.Optimizer;

/**
 * What an iteration costs with several optimizers: they take turns, one iteration each, so that all
 * of them see the same machine. Medians, apart for iterations that refresh inverses.
 */
final class CostRatios {
  /** Iterations at the start that compilers and caches warm up in and that refresh always. */
  private static final int WARM_UP = 4;

  /**
   * @param plain seconds of an iteration without a refresh
   * @param refresh seconds of an iteration with one
   */
  private record Cost(Samples plain, Samples refresh) {}

  private final Map<String, Cost> costs = new LinkedHashMap<>();
  private final int period;

  /**
   * @param period iterations between refreshes
   */
  CostRatios(int period) {
    this.period = period;
  }

  /** Times {@code iterations} of each. */
  void measure(
      Map<String, Optimizer> optimizers,
      Network network,
      double[] theta,
      Objective objective,
      int batchSize,
      int iterations) {
    List<Optimizer.Run> runs = new ArrayList<>();
    int needed = Math.max(period, WARM_UP + 1) + 1;
    InvalidInputException.require(
        period >= 2 && iterations >= needed,
        "--iterations must be at least %d to time a refresh every %d iterations (curvature.inverse-period, at least 2), got %d",
        needed,
        period,
        iterations);
    try {
      optimizers.values().forEach(optimizer -> runs.add(optimizer.start(network, theta, null)));
      List<String> names = List.copyOf(optimizers.keySet());
      Batch batch = new Batch(objective.size(), 1, 0, batchSize);
      for (int k = 1; k <= iterations; k++) {
        for (int i = 0; i < runs.size(); i++) {
          objective.phases().drain();
          long begin = System.nanoTime();
          runs.get(i).step(objective, batch, k);
          add(names.get(i), k, (System.nanoTime() - begin) * 1e-9);
        }
        batch = batch.next(batchSize);
      }
    } finally {
      runs.forEach(Optimizer.Run::close);
    }
  }

  /** Notes what iteration {@code k} took. */
  void add(String optimizer, int k, double seconds) {
    Cost cost = costs.computeIfAbsent(optimizer, name -> new Cost(new Samples(), new Samples()));
    if (k > WARM_UP) {
      (k % period == 0 ? cost.refresh : cost.plain).add(seconds);
    }
  }

  /** A table, the first optimizer's cost being one. */
  List<String> table() {
    List<List<String>> rows = new ArrayList<>();
    rows.add(
        List.of("optimizer", "iteration (s)", "with refresh (s)", "mean of a period (s)", "ratio"));
    double unit = Double.NaN;
    for (Map.Entry<String, Cost> entry : costs.entrySet()) {
      double plain = entry.getValue().plain.median();
      double refresh =
          entry.getValue().refresh.isEmpty() ? plain : entry.getValue().refresh.median();
      double mean = (plain * (period - 1) + refresh) / period;
      unit = Double.isNaN(unit) ? mean : unit;
      rows.add(
          List.of(
              entry.getKey(),
              String.format(Locale.ROOT, "%.4f", plain),
              String.format(Locale.ROOT, "%.4f", refresh),
              String.format(Locale.ROOT, "%.4f", mean),
              String.format(Locale.ROOT, "%.2f", mean / unit)));
    }
    return TextTable.lines(rows);
  }
}
