package org.kfac4j;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.kfac4j.data.Hashing;

/**
 * Matrices as arrays of rows and vectors as arrays, with nothing but loops: what tests compare
 * with.
 */
public final class Dense {
  private Dense() {}

  /** Standard normal numbers, a function of {@code key}. */
  public static double[] normal(long key, int length) {
    double[] values = new double[length];
    Arrays.setAll(values, i -> Hashing.normal(key, i));
    return values;
  }

  public static double[][] normal(long key, int rows, int columns) {
    double[] values = normal(key, rows * columns);
    return matrix(values, 0, rows, columns);
  }

  /** The matrix [rows, columns] that is stored row by row from {@code offset} on. */
  public static double[][] matrix(double[] values, int offset, int rows, int columns) {
    double[][] result = new double[rows][];
    Arrays.setAll(
        result,
        row -> Arrays.copyOfRange(values, offset + row * columns, offset + (row + 1) * columns));
    return result;
  }

  /** Rows one after the other. */
  public static double[] flat(double[][] a) {
    return Arrays.stream(a).flatMapToDouble(Arrays::stream).toArray();
  }

  public static double[][] zeros(int rows, int columns) {
    return new double[rows][columns];
  }

  public static double[][] identity(int n) {
    double[][] result = new double[n][n];
    for (int i = 0; i < n; i++) {
      result[i][i] = 1;
    }
    return result;
  }

  public static double[][] diagonal(double... values) {
    double[][] result = new double[values.length][values.length];
    for (int i = 0; i < values.length; i++) {
      result[i][i] = values[i];
    }
    return result;
  }

  /** A random positive definite matrix with condition number of the order of {@code n}. */
  public static double[][] positiveDefinite(long key, int n) {
    double[][] x = normal(key, n, 2 * n);
    return plus(scaled(1.0 / n, times(x, transposed(x))), scaled(0.1, identity(n)));
  }

  public static double[][] transposed(double[][] a) {
    double[][] result = new double[a[0].length][a.length];
    for (int i = 0; i < a.length; i++) {
      for (int j = 0; j < a[0].length; j++) {
        result[j][i] = a[i][j];
      }
    }
    return result;
  }

  public static double[][] times(double[][] a, double[][] b) {
    double[][] result = new double[a.length][b[0].length];
    for (int i = 0; i < a.length; i++) {
      for (int j = 0; j < b[0].length; j++) {
        for (int k = 0; k < b.length; k++) {
          result[i][j] += a[i][k] * b[k][j];
        }
      }
    }
    return result;
  }

  public static double[] times(double[][] a, double[] x) {
    double[] result = new double[a.length];
    Arrays.setAll(result, i -> dot(a[i], x));
    return result;
  }

  public static double dot(double[] u, double[] v) {
    double sum = 0;
    for (int i = 0; i < u.length; i++) {
      sum += u[i] * v[i];
    }
    return sum;
  }

  public static double norm(double[] v) {
    return Math.sqrt(dot(v, v));
  }

  /** Σ of all entries, 1ᵀ A 1. */
  public static double sum(double[][] a) {
    return Arrays.stream(flat(a)).sum();
  }

  /** Σ of squares of all entries. */
  public static double squares(double[][] a) {
    double[] all = flat(a);
    return dot(all, all);
  }

  public static double trace(double[][] a) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i][i];
    }
    return sum;
  }

  public static double[][] plus(double[][] a, double[][] b) {
    double[][] result = new double[a.length][];
    Arrays.setAll(result, i -> plus(a[i], b[i]));
    return result;
  }

  public static double[] plus(double[] u, double[] v) {
    double[] result = new double[u.length];
    Arrays.setAll(result, i -> u[i] + v[i]);
    return result;
  }

  public static double[][] scaled(double factor, double[][] a) {
    double[][] result = new double[a.length][];
    Arrays.setAll(result, i -> scaled(factor, a[i]));
    return result;
  }

  public static double[] scaled(double factor, double[] v) {
    double[] result = new double[v.length];
    Arrays.setAll(result, i -> factor * v[i]);
    return result;
  }

  public static double[][] minus(double[][] a, double[][] b) {
    return plus(a, scaled(-1, b));
  }

  public static double[] minus(double[] u, double[] v) {
    return plus(u, scaled(-1, v));
  }

  public static double[] diagonalOf(double[][] a) {
    double[] result = new double[a.length];
    Arrays.setAll(result, i -> a[i][i]);
    return result;
  }

  /** S + shift I. */
  public static double[][] shifted(double[][] s, double shift) {
    return plus(s, scaled(shift, identity(s.length)));
  }

  public static double[][] outer(double[] u, double[] v) {
    double[][] result = new double[u.length][];
    Arrays.setAll(result, i -> scaled(u[i], v));
    return result;
  }

  /** A ⊗ B. */
  public static double[][] kronecker(double[][] a, double[][] b) {
    double[][] result = new double[a.length * b.length][a[0].length * b[0].length];
    for (int i = 0; i < result.length; i++) {
      for (int j = 0; j < result[0].length; j++) {
        result[i][j] = a[i / b.length][j / b[0].length] * b[i % b.length][j % b[0].length];
      }
    }
    return result;
  }

  /** The solution of A x = b by Gaussian elimination with partial pivoting. */
  public static double[] solve(double[][] a, double[] b) {
    int n = b.length;
    double[][] m = new double[n][];
    Arrays.setAll(m, i -> a[i].clone());
    double[] x = b.clone();
    for (int column = 0; column < n; column++) {
      int pivot = column;
      for (int row = column + 1; row < n; row++) {
        pivot = Math.abs(m[row][column]) > Math.abs(m[pivot][column]) ? row : pivot;
      }
      double[] swapped = m[pivot];
      m[pivot] = m[column];
      m[column] = swapped;
      double value = x[pivot];
      x[pivot] = x[column];
      x[column] = value;
      for (int row = column + 1; row < n; row++) {
        double factor = m[row][column] / m[column][column];
        for (int k = column; k < n; k++) {
          m[row][k] -= factor * m[column][k];
        }
        x[row] -= factor * x[column];
      }
    }
    for (int row = n - 1; row >= 0; row--) {
      for (int k = row + 1; k < n; k++) {
        x[row] -= m[row][k] * x[k];
      }
      x[row] /= m[row][row];
    }
    return x;
  }

  /** A⁻¹. */
  public static double[][] inverse(double[][] a) {
    double[][] columns = new double[a.length][];
    double[][] identity = identity(a.length);
    Arrays.setAll(columns, i -> solve(a, identity[i]));
    return transposed(columns);
  }

  /**
   * Pivots of an elimination without exchanges: a symmetric matrix is positive definite if and only
   * if all are positive.
   */
  public static double[] pivots(double[][] a) {
    double[][] m = new double[a.length][];
    Arrays.setAll(m, i -> a[i].clone());
    double[] pivots = new double[a.length];
    for (int k = 0; k < a.length; k++) {
      pivots[k] = m[k][k];
      for (int row = k + 1; row < a.length; row++) {
        m[row] = minus(m[row], scaled(m[row][k] / pivots[k], m[k]));
      }
    }
    return pivots;
  }

  /** The lower triangle of a symmetric matrix, row by row. */
  public static double[] packed(double[][] symmetric) {
    int n = symmetric.length;
    double[] result = new double[n * (n + 1) / 2];
    for (int row = 0, at = 0; row < n; row++) {
      for (int column = 0; column <= row; column++) {
        result[at++] = symmetric[row][column];
      }
    }
    return result;
  }

  /** The symmetric matrix of a lower triangle. */
  public static double[][] unpacked(double[] packed, int n) {
    double[][] result = new double[n][n];
    for (int row = 0, at = 0; row < n; row++) {
      for (int column = 0; column <= row; column++) {
        result[row][column] = packed[at];
        result[column][row] = packed[at++];
      }
    }
    return result;
  }

  /** Largest difference, relative to the largest number in {@code expected}. */
  public static double distance(double[] actual, double[] expected) {
    assertThat(actual).hasSameSizeAs(expected);
    double difference = 0;
    double scale = 0;
    for (int i = 0; i < actual.length; i++) {
      if (!Double.isFinite(actual[i]) || !Double.isFinite(expected[i])) {
        return Double.POSITIVE_INFINITY;
      }
      difference = Math.max(difference, Math.abs(actual[i] - expected[i]));
      scale = Math.max(scale, Math.abs(expected[i]));
    }
    return difference == 0 ? 0 : difference / scale;
  }

  public static void assertClose(double[] actual, double[] expected, double tolerance) {
    assertClose("", actual, expected, tolerance);
  }

  public static void assertClose(
      String what, double[] actual, double[] expected, double tolerance) {
    assertThat(distance(actual, expected))
        .as(() -> what + " " + Arrays.toString(actual) + " against " + Arrays.toString(expected))
        .isLessThanOrEqualTo(tolerance);
  }

  public static void assertClose(double[][] actual, double[][] expected, double tolerance) {
    assertClose("", flat(actual), flat(expected), tolerance);
  }

  public static void assertClose(double actual, double expected, double tolerance) {
    assertClose("", new double[] {actual}, new double[] {expected}, tolerance);
  }
}
