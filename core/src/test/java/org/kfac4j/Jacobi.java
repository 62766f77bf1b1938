package org.kfac4j;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * S = Uᵀ diag(values) U of a symmetric matrix, by Jacobi's rotations.
 *
 * @param values ascending
 * @param vectors U: row i is the eigenvector of values[i]
 */
public record Jacobi(double[] values, double[][] vectors) {
  /** Far more than quadratic convergence needs. */
  private static final int SWEEPS = 30;

  public static Jacobi of(double[][] symmetric) {
    int n = symmetric.length;
    double[][] s = Arrays.stream(symmetric).map(double[]::clone).toArray(double[][]::new);
    double[][] u = Dense.identity(n);
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
      for (int p = 0; p < n; p++) {
        for (int q = p + 1; q < n; q++) {
          rotate(s, u, p, q);
        }
      }
    }
    int[] ascending =
        IntStream.range(0, n)
            .boxed()
            .sorted(Comparator.comparingDouble(i -> s[i][i]))
            .mapToInt(i -> i)
            .toArray();
    return new Jacobi(
        Arrays.stream(ascending).mapToDouble(i -> s[i][i]).toArray(),
        Arrays.stream(ascending).mapToObj(i -> u[i]).toArray(double[][]::new));
  }

  /** Makes s[p][q] zero: S ← R S Rᵀ, U ← R U. */
  private static void rotate(double[][] s, double[][] u, int p, int q) {
    if (s[p][q] == 0) {
      return;
    }
    double cotangent = (s[q][q] - s[p][p]) / (2 * s[p][q]);
    double t = Math.copySign(1 / (Math.abs(cotangent) + Math.hypot(cotangent, 1)), cotangent);
    double cosine = 1 / Math.hypot(t, 1);
    double sine = t * cosine;
    for (double[] row : s) {
      double before = row[p];
      row[p] = cosine * before - sine * row[q];
      row[q] = sine * before + cosine * row[q];
    }
    for (double[][] each : new double[][][] {s, u}) {
      double[] before = each[p];
      each[p] = Dense.minus(Dense.scaled(cosine, before), Dense.scaled(sine, each[q]));
      each[q] = Dense.plus(Dense.scaled(sine, before), Dense.scaled(cosine, each[q]));
    }
  }
}
