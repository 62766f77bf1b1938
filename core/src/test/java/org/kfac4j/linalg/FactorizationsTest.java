package org.kfac4j.linalg;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.kfac4j.Dense.assertClose;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.kfac4j.Dense;
import org.kfac4j.Tolerance;

/** Factorisations and products by their definitions. */
class FactorizationsTest {
  private final Factorizations lapack = new LapackFactorizations();

  /** Float32 times a condition number of about a hundred. */
  private static double tolerance(Precision precision) {
    return precision == Precision.DOUBLE ? Tolerance.F64 : 10 * Tolerance.F32;
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void anInverseTimesTheShiftedMatrixIsTheIdentity(Precision precision) {
    for (int n : new int[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 33, 70}) {
      double[][] s = Dense.positiveDefinite(n, n);
      double[] packed = Dense.packed(s);
      for (double shift : new double[] {0, 0.7}) {
        try (Matrix inverse = lapack.inverse(packed, n, shift, precision)) {
          double[][] full = Dense.matrix(inverse.toArray(), 0, n, n);
          assertClose(
              Dense.times(full, Dense.shifted(s, shift)), Dense.identity(n), tolerance(precision));
        }
      }
      assertThat(packed).isEqualTo(Dense.packed(s));
    }
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void eigenvectorsAreOrthonormalAndMakeUpTheMatrix(Precision precision) {
    for (int n : new int[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 33}) {
      assertEigen(Dense.positiveDefinite(100 + n, n), precision);
      assertEigen(Dense.shifted(Dense.positiveDefinite(200 + n, n), -1.2), precision);
      assertEigen(Dense.identity(n), precision);
      double[] u = Dense.normal(n, n);
      assertEigen(Dense.outer(u, u), precision);
    }
  }

  private void assertEigen(double[][] s, Precision precision) {
    int n = s.length;
    try (Eigen eigen = lapack.eigen(Dense.packed(s), n, precision)) {
      double[][] ut = Dense.matrix(eigen.transposed().toArray(), 0, n, n);
      assertThat(eigen.values()).isSorted();
      assertClose(Dense.times(ut, Dense.transposed(ut)), Dense.identity(n), tolerance(precision));
      assertClose(
          Dense.times(Dense.transposed(ut), Dense.times(Dense.diagonal(eigen.values()), ut)),
          s,
          tolerance(precision));
    }
  }

  /** Second moments of fewer examples than inputs, most of which are zero. */
  @ParameterizedTest
  @EnumSource(Precision.class)
  void aMatrixOfLowRankHasItsEigenvalues(Precision precision) {
    int n = 300;
    double[][] rows = Dense.normal(4, 3, n);
    double[][] moments = Dense.zeros(n, n);
    for (double[] row : rows) {
      for (int i = 0; i < n; i++) {
        row[i] = i % 7 == 0 ? 1e-3 * row[i] : 0;
      }
      moments = Dense.plus(moments, Dense.outer(row, row));
    }
    try (Eigen eigen = lapack.eigen(Dense.packed(moments), n, precision)) {
      double trace = java.util.Arrays.stream(eigen.values()).sum();
      assertClose(trace, Dense.trace(moments), tolerance(precision));
      double[] largest = new double[n];
      eigen.transposed().get((long) (n - 1) * n, largest, 0, n);
      assertClose(
          Dense.times(moments, largest),
          Dense.flat(Dense.scaled(eigen.values()[n - 1], new double[][] {largest})),
          tolerance(precision));
    }
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void whatHasNoInverseIsRefused(Precision precision) {
    double[] indefinite = Dense.packed(Dense.diagonal(1, -1e-3, 1));
    assertThatThrownBy(() -> lapack.inverse(indefinite, 3, 0, precision))
        .isInstanceOf(FactorizationException.class)
        .hasMessageContaining("not positive definite");
    assertThatThrownBy(() -> lapack.inverse(new double[6], 3, 0, precision))
        .isInstanceOf(FactorizationException.class);
    for (double bad : new double[] {Double.NaN, Double.POSITIVE_INFINITY}) {
      double[] packed = Dense.packed(Dense.identity(3));
      packed[1] = bad;
      assertThatThrownBy(() -> lapack.inverse(packed, 3, 1, precision))
          .isInstanceOf(FactorizationException.class)
          .hasMessageContaining("not finite");
      assertThatThrownBy(() -> lapack.eigen(packed, 3, precision))
          .isInstanceOf(FactorizationException.class);
    }
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void productsAndGramMatricesAreThoseOfLoops(Precision precision) {
    double[][] a = Dense.normal(1, 5, 4);
    double[][] b = Dense.normal(2, 4, 3);
    double[][] start = Dense.normal(3, 5, 3);
    double[][] expected = Dense.plus(Dense.times(a, b), Dense.scaled(2, start));
    for (int form = 0; form < 4; form++) {
      boolean ta = (form & 1) != 0;
      boolean tb = (form & 2) != 0;
      try (Matrix x = matrix(ta ? Dense.transposed(a) : a, precision);
          Matrix y = matrix(tb ? Dense.transposed(b) : b, precision);
          Matrix c = matrix(start, precision)) {
        Blas.multiply(x, ta, y, tb, 2, c);
        assertClose(c.toArray(), Dense.flat(expected), tolerance(precision));
        assertThatThrownBy(() -> Blas.multiply(x, !ta, y, tb, 0, c))
            .hasMessageContaining("shapes do not fit");
      }
    }
    try (Matrix x = matrix(a, precision);
        Matrix c = matrix(Dense.identity(4), precision)) {
      Blas.gram(x, 1, 1, c);
      double[][] gram = Dense.shifted(Dense.times(Dense.transposed(a), a), 1);
      assertClose(Packed.doubles(c), Dense.packed(gram), tolerance(precision));
    }
  }

  private static Matrix matrix(double[][] values, Precision precision) {
    Matrix matrix = Matrix.zeros(precision, values.length, values[0].length);
    matrix.put(0, Dense.flat(values), 0, values.length * values[0].length);
    return matrix;
  }
}
