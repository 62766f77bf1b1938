package org.kfac4j.jobs;

import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.kfac4j.cost.CostRates;
import org.kfac4j.cost.IterationWork;
import org.kfac4j.cost.PassKind;
import org.kfac4j.cost.PassRate;
import org.kfac4j.linalg.Blas;
import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Precision;
import org.kfac4j.network.Network;
import org.kfac4j.optimizer.Footprint;

/**
 * What iterations cost where no run was made yet, from counted operations and this machine's rate
 * of matrix products: right within a factor of two or so.
 */
final class CostEstimate {
  private static final int N = 1024;
  private static final int TIMES = 5;

  /** Of the rate of matrix products, what whole passes and the driver's few products reach. */
  private static final double REACHED = 0.5;

  /** Of a job with a local master beside its tasks, and per number the driver passes over once. */
  private static final double LOCAL_JOB = 0.02;

  private static final double PER_NUMBER = 1e-9;

  private CostEstimate() {}

  static CostRates of(
      Network network, IterationWork work, Footprint curvature, RefreshRate refresh) {
    double product = secondsPerOperation();
    double operation = product / REACHED;
    Map<String, Double> gradient = WorkCount.of(network, 1, 0, 0, 0).byPhase();
    double forward = get(gradient, "forward");
    Map<PassKind, Double> operations = new EnumMap<>(PassKind.class);
    operations.put(PassKind.GRADIENT, forward + get(gradient, "backward"));
    double statistics = get(WorkCount.of(network, 0, 1, 0, 0).byPhase(), "statistics");
    operations.put(PassKind.STATISTICS, statistics);
    Map<String, Double> products = WorkCount.of(network, 0, 0, 1, work.directions()).byPhase();
    operations.put(PassKind.PRODUCTS, get(products, "forward") + get(products, "products"));
    operations.put(PassKind.LOSS, forward);
    operations.put(PassKind.CURVATURE, forward + statistics);
    Map<PassKind, PassRate> rates = new EnumMap<>(PassKind.class);
    operations.forEach((kind, each) -> rates.put(kind, new PassRate(0, each * operation, 0, 1)));
    double pass = PER_NUMBER * work.parameters();
    return new CostRates(
        rates,
        LOCAL_JOB,
        PER_NUMBER / work.numberBytes(),
        pass,
        pass + PER_NUMBER * work.sums(),
        refresh.seconds(curvature),
        refresh.threads(),
        get(gradient, "precondition") * operation / refresh.threads(),
        8 * pass,
        List.of(
            String.format(
                Locale.ROOT,
                "no run was measured: products of matrices on this machine (%.0f GFLOP/s a thread), of which %.0f %% are counted on",
                1e-9 / product,
                100 * REACHED)));
  }

  private static double get(Map<String, Double> work, String name) {
    return work.getOrDefault(name, 0.0);
  }

  /** Of one thread, float32. */
  private static double secondsPerOperation() {
    Blas.useThreads(1);
    Samples seconds = new Samples();
    try (Matrix a = Matrix.zeros(Precision.FLOAT, N, N);
        Matrix b = Matrix.zeros(Precision.FLOAT, N, N);
        Matrix c = Matrix.zeros(Precision.FLOAT, N, N)) {
      a.flat().assign(0.5);
      b.flat().assign(0.25);
      for (int i = 0; i < TIMES; i++) {
        long begin = System.nanoTime();
        Blas.multiply(a, false, b, false, 0, c);
        seconds.add((System.nanoTime() - begin) * 1e-9);
      }
    }
    return seconds.median() / (2.0 * N * N * N);
  }
}
