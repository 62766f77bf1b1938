package org.kfac4j.linalg;

import java.util.Arrays;
import org.apache.commons.math3.exception.MaxCountExceededException;
import org.apache.commons.math3.linear.Array2DRowRealMatrix;
import org.apache.commons.math3.linear.EigenDecomposition;

/**
 * Factorisations in float64 without LAPACK: the DTRMM and DTRSM kernels of OpenBLAS 0.3.19 for
 * AVX-512 are wrong, and with them every float64 factorisation of LAPACK beyond a few dozen rows.
 * Its float32 kernels and DGEMM are right. To be dropped with a newer OpenBLAS.
 */
final class DoubleFactorizations {
  private DoubleFactorizations() {}

  /** S⁻¹ = L⁻ᵀ L⁻¹ with S = L Lᵀ; lower triangle. */
  static Matrix inverse(double[] packed, int n) {
    double[][] factor = cholesky(packed, n);
    invert(factor);
    Matrix inverse = Matrix.zeros(Precision.DOUBLE, n, n);
    try (Matrix rows = Matrix.zeros(Precision.DOUBLE, n, n)) {
      for (int row = 0; row < n; row++) {
        rows.put((long) row * n, factor[row], 0, row + 1);
      }
      Blas.gram(rows, 1, 0, inverse);
    }
    return inverse;
  }

  /** L, zero above the diagonal. */
  static Matrix triangle(double[] packed, int n) {
    double[][] factor = cholesky(packed, n);
    Matrix triangle = Matrix.zeros(Precision.DOUBLE, n, n);
    for (int row = 0; row < n; row++) {
      triangle.put((long) row * n, factor[row], 0, row + 1);
    }
    return triangle;
  }

  /** L, row i with i + 1 numbers. */
  private static double[][] cholesky(double[] packed, int n) {
    double[][] factor = new double[n][];
    for (int row = 0; row < n; row++) {
      double[] l = Arrays.copyOfRange(packed, Packed.length(row), Packed.length(row + 1));
      for (int column = 0; column < row; column++) {
        l[column] = (l[column] - dot(l, factor[column], column)) / factor[column][column];
      }
      double pivot = l[row] - dot(l, l, row);
      if (!(pivot > 0)) {
        throw new FactorizationException(
            "a matrix [" + n + ", " + n + "] is not positive definite, pivot " + (row + 1));
      }
      l[row] = Math.sqrt(pivot);
      factor[row] = l;
    }
    return factor;
  }

  /** L ← L⁻¹: row i of the inverse is (e_i − Σ_k L_ik row k) / L_ii. */
  private static void invert(double[][] factor) {
    for (int row = 0; row < factor.length; row++) {
      double[] l = factor[row];
      double[] inverse = new double[row + 1];
      inverse[row] = 1 / l[row];
      for (int k = 0; k < row; k++) {
        double scale = -l[k] / l[row];
        double[] above = factor[k];
        for (int j = 0; j <= k; j++) {
          inverse[j] += scale * above[j];
        }
      }
      factor[row] = inverse;
    }
  }

  private static double dot(double[] u, double[] v, int length) {
    double sum = 0;
    for (int i = 0; i < length; i++) {
      sum += u[i] * v[i];
    }
    return sum;
  }

  /**
   * Of a matrix of low rank, the iteration may not end, or end in NaN: it looks for entries that
   * vanish beside diagonal ones, which are themselves rounding errors. Those of S + tr S · I are
   * not; its eigenvalues are as much larger, and as exact relative to the largest one.
   */
  static Eigen eigen(double[] packed, int n) {
    try {
      Eigen found = eigen(packed, n, 0);
      if (isFinite(found)) {
        return found;
      }
      found.close();
    } catch (FactorizationException again) {
      // With a shift.
    }
    return eigen(packed, n, Packed.trace(packed, n));
  }

  private static boolean isFinite(Eigen eigen) {
    double sum = 0;
    for (double value : eigen.values()) {
      sum += value;
    }
    for (double entry : eigen.transposed().toArray()) {
      sum += entry;
    }
    return Double.isFinite(sum);
  }

  private static Eigen eigen(double[] packed, int n, double shift) {
    double[][] full = new double[n][n];
    for (int row = 0, at = 0; row < n; row++) {
      for (int column = 0; column <= row; column++, at++) {
        full[row][column] = packed[at];
        full[column][row] = packed[at];
      }
      full[row][row] += shift;
    }
    EigenDecomposition decomposition;
    try {
      decomposition = new EigenDecomposition(new Array2DRowRealMatrix(full, false));
    } catch (MaxCountExceededException e) {
      throw new FactorizationException(
          "the eigenvalues of a matrix [" + n + ", " + n + "] were not found: " + e.getMessage());
    }
    double[] values = new double[n];
    Matrix transposed = Matrix.zeros(Precision.DOUBLE, n, n);
    for (int i = 0; i < n; i++) {
      int descending = n - 1 - i;
      values[i] = decomposition.getRealEigenvalue(descending) - shift;
      transposed.put((long) i * n, decomposition.getEigenvector(descending).toArray(), 0, n);
    }
    return new Eigen(values, transposed);
  }
}
