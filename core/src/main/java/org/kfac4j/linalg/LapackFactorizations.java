package org.kfac4j.linalg;

import static org.bytedeco.openblas.global.openblas.LAPACKE_spotrf;
import static org.bytedeco.openblas.global.openblas.LAPACKE_spotri;
import static org.bytedeco.openblas.global.openblas.LAPACKE_ssyevd;
import static org.bytedeco.openblas.global.openblas.LAPACK_COL_MAJOR;

import org.kfac4j.Check;

/**
 * LAPACK on this machine's processor, in float32; in float64 {@link DoubleFactorizations}. A
 * row-major lower triangle is LAPACK's column-major upper one, so nothing is transposed on the way.
 */
public final class LapackFactorizations implements Factorizations {
  private static final long serialVersionUID = 1L;

  private static final byte UPPER = 'U';
  private static final byte VECTORS = 'V';

  @Override
  public Matrix inverse(double[] packed, int n, double shift, Precision precision) {
    double[] shifted = checked(packed, n).clone();
    Packed.addToDiagonal(shifted, n, shift);
    Matrix matrix =
        precision == Precision.FLOAT
            ? inverse(shifted, n)
            : DoubleFactorizations.inverse(shifted, n);
    mirror(matrix);
    return matrix;
  }

  private static Matrix inverse(double[] packed, int n) {
    Matrix matrix = filled(packed, n);
    int info = LAPACKE_spotrf(LAPACK_COL_MAJOR, UPPER, n, matrix.floats(0), n);
    if (info == 0) {
      info = LAPACKE_spotri(LAPACK_COL_MAJOR, UPPER, n, matrix.floats(0), n);
    }
    if (info != 0) {
      matrix.close();
      throw new FactorizationException(
          "a matrix [" + n + ", " + n + "] is not positive definite, pivot " + info);
    }
    return matrix;
  }

  @Override
  public Matrix cholesky(double[] packed, int n, Precision precision) {
    checked(packed, n);
    if (precision == Precision.DOUBLE) {
      return DoubleFactorizations.triangle(packed, n);
    }
    Matrix matrix = filled(packed, n);
    int info = LAPACKE_spotrf(LAPACK_COL_MAJOR, UPPER, n, matrix.floats(0), n);
    if (info != 0) {
      matrix.close();
      throw new FactorizationException(
          "a matrix [" + n + ", " + n + "] is not positive definite, pivot " + info);
    }
    return matrix;
  }

  @Override
  public Eigen eigen(double[] packed, int n, Precision precision) {
    checked(packed, n);
    if (precision == Precision.DOUBLE) {
      return DoubleFactorizations.eigen(packed, n);
    }
    Matrix matrix = filled(packed, n);
    double[] values = new double[n];
    int info;
    try (Matrix w = Matrix.zeros(precision, 1, n)) {
      info = LAPACKE_ssyevd(LAPACK_COL_MAJOR, VECTORS, UPPER, n, matrix.floats(0), n, w.floats(0));
      w.get(0, values, 0, n);
    }
    if (info != 0) {
      matrix.close();
      throw new FactorizationException(
          "the eigenvalues of a matrix [" + n + ", " + n + "] were not found, ssyevd says " + info);
    }
    return new Eigen(values, matrix);
  }

  private static double[] checked(double[] packed, int n) {
    Check.that(
        packed.length == Packed.length(n),
        "%d numbers are no triangle of [%d, %d]",
        packed.length,
        n,
        n);
    for (double value : packed) {
      // LAPACK may loop or crash on such a matrix.
      if (!Double.isFinite(value)) {
        throw new FactorizationException(
            "a matrix [" + n + ", " + n + "] holds a value that is not finite");
      }
    }
    return packed;
  }

  private static Matrix filled(double[] packed, int n) {
    Matrix matrix = Matrix.zeros(Precision.FLOAT, n, n);
    Packed.unpack(packed, matrix);
    return matrix;
  }

  /** Copies the lower triangle to the upper one, in tiles that fit a cache. */
  private static void mirror(Matrix matrix) {
    int n = matrix.rows();
    double[] full = matrix.toArray();
    int tile = 32;
    for (int top = 0; top < n; top += tile) {
      for (int left = 0; left <= top; left += tile) {
        for (int row = top; row < Math.min(top + tile, n); row++) {
          for (int column = left; column < Math.min(left + tile, row); column++) {
            full[column * n + row] = full[row * n + column];
          }
        }
      }
    }
    matrix.put(0, full, 0, full.length);
  }
}
