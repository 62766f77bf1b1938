package org.kfac4j.jobs;

import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.kfac4j.linalg.Blas;
import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Packed;
import org.kfac4j.linalg.Precision;
import org.kfac4j.optimizer.DenseMachine;
import org.kfac4j.optimizer.Footprint;

/**
 * How fast this machine inverts and decomposes matrices, measured on small ones.
 *
 * @param inversion seconds per n³
 * @param decomposition seconds per n³
 */
record RefreshRate(double inversion, double decomposition, int threads) {
  private static final int N = 400;
  private static final int TIMES = 5;

  static RefreshRate measure(DenseMachine machine) {
    Blas.useThreads(1);
    int n = machine.precision() == Precision.FLOAT ? N : N / 4;
    double[] packed = new double[Packed.length(n)];
    for (int i = 0; i < packed.length; i++) {
      packed[i] = Math.cos(i) / n;
    }
    Packed.addToDiagonal(packed, n, 1);
    double cube = (double) n * n * n;
    return new RefreshRate(
        median(() -> machine.factorizations().inverse(packed, n, 1, machine.precision())) / cube,
        median(() -> machine.factorizations().eigen(packed, n, machine.precision()).transposed())
            / cube,
        machine.threads());
  }

  private interface Work {
    Matrix make();
  }

  private static double median(Work work) {
    Samples seconds = new Samples();
    for (int i = 0; i < TIMES; i++) {
      long begin = System.nanoTime();
      work.make().close();
      seconds.add((System.nanoTime() - begin) * 1e-9);
    }
    return seconds.median();
  }

  /** The same rates with other cores than the driver's. */
  RefreshRate on(int cores) {
    return new RefreshRate(inversion, decomposition, cores);
  }

  /** Seconds of a refresh: layers side by side, the largest matrix at least. */
  double seconds(Footprint work) {
    List<Double> each =
        Stream.concat(
                work.inverted().stream().map(n -> inversion * n * n * (double) n),
                work.decomposed().stream().map(n -> decomposition * n * n * (double) n))
            .toList();
    double all = each.stream().mapToDouble(seconds -> seconds).sum();
    double longest = each.stream().mapToDouble(seconds -> seconds).max().orElse(0);
    return Math.max(all / threads, longest);
  }

  String describe() {
    return String.format(
        Locale.ROOT,
        "%.2f s per inverse and %.2f s per eigendecomposition of 1000 × 1000 on one of %d threads",
        inversion * 1e9,
        decomposition * 1e9,
        threads);
  }
}
