package org.kfac4j.linalg;

import java.util.List;
import org.kfac4j.Check;

/**
 * Symmetric matrices as packed lower triangles, row by row: entry (r, c), c ≤ r, at r(r + 1)/2 + c.
 * n(n + 1)/2 numbers.
 */
public final class Packed {
  private Packed() {}

  /** Length of the packed triangle of an n × n matrix. */
  public static int length(int n) {
    return Math.toIntExact((long) n * (n + 1) / 2);
  }

  /** The lower triangles of matrices, one after the other. */
  public static float[] floats(List<Matrix> matrices) {
    float[] packed = new float[length(matrices)];
    int at = 0;
    for (Matrix matrix : matrices) {
      for (int row = 0; row < matrix.rows(); at += ++row) {
        matrix.get((long) row * matrix.stride(), packed, at, row + 1);
      }
    }
    return packed;
  }

  /** The lower triangles of matrices, one after the other. */
  public static double[] doubles(List<Matrix> matrices) {
    double[] packed = new double[length(matrices)];
    int at = 0;
    for (Matrix matrix : matrices) {
      for (int row = 0; row < matrix.rows(); at += ++row) {
        matrix.get((long) row * matrix.stride(), packed, at, row + 1);
      }
    }
    return packed;
  }

  /** The lower triangle of {@code matrix}. */
  public static double[] doubles(Matrix matrix) {
    return doubles(List.of(matrix));
  }

  private static int length(List<Matrix> matrices) {
    return matrices.stream().mapToInt(each -> length(each.rows())).reduce(0, Math::addExact);
  }

  /**
   * Writes a packed triangle to the lower triangle of {@code matrix}; what is above the diagonal is
   * left alone.
   */
  public static void unpack(double[] packed, Matrix matrix) {
    int n = matrix.rows();
    Check.that(
        matrix.columns() == n && packed.length == length(n),
        "a packed triangle of %d numbers does not fill a matrix [%d, %d]",
        packed.length,
        n,
        matrix.columns());
    for (int row = 0, at = 0; row < n; at += ++row) {
      matrix.put((long) row * matrix.stride(), packed, at, row + 1);
    }
  }

  /** Σ of the diagonal of a packed n × n matrix. */
  public static double trace(double[] packed, int n) {
    double trace = 0;
    for (int row = 0; row < n; row++) {
      trace += packed[length(row + 1) - 1];
    }
    return trace;
  }

  /** packed ← packed + {@code shift} I. */
  public static void addToDiagonal(double[] packed, int n, double shift) {
    for (int row = 0; row < n; row++) {
      packed[length(row + 1) - 1] += shift;
    }
  }
}
