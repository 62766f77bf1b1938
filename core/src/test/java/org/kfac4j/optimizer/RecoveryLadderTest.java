package org.kfac4j.optimizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.kfac4j.Dense.assertClose;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.kfac4j.Dense;
import org.kfac4j.Tolerance;
import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Precision;

/** Each rung by a matrix that was made for it. */
class RecoveryLadderTest {
  /** What came of climbing, [n, n], finite; checks the rung. */
  private static double[][] climb(double[][] s, double shift, Precision precision, int rung) {
    RecoveryLadder ladder =
        RecoveryLadder.climb(Dense.packed(s), s.length, shift, Machines.of(precision));
    try (Matrix inverse = ladder.inverse()) {
      assertThat(ladder.rung()).isEqualTo(rung);
      assertThat(inverse.precision()).isEqualTo(precision);
      double[] values = inverse.toArray();
      for (double value : values) {
        assertThat(value).isFinite();
      }
      return Dense.matrix(values, 0, s.length, s.length);
    }
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void aPositiveDefiniteMatrixNeedsNoHelp(Precision precision) {
    double[][] s = Dense.positiveDefinite(1, 6);
    assertClose(
        climb(s, 0.3, precision, 0),
        Dense.inverse(Dense.shifted(s, 0.3)),
        precision == Precision.DOUBLE ? Tolerance.F64 : 10 * Tolerance.F32);
  }

  @Test
  void aMatrixThatIsSingularInSinglePrecisionIsInvertedInDouble() {
    double[][] s = {{1, 1 - 1e-9}, {1 - 1e-9, 1}};
    assertClose(climb(s, 0, Precision.FLOAT, 1), Dense.inverse(s), Tolerance.F32);
    assertClose(climb(s, 0, Precision.DOUBLE, 0), Dense.inverse(s), 1e-6);
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void aSingularMatrixIsDampedMore(Precision precision) {
    double[][] s = {{1, 1, 0}, {1, 1, 0}, {0, 0, 2}};
    double[][] inverse = climb(s, 0, precision, 2);
    assertThat(inverse[2][2]).isCloseTo(0.5, within(1e-6));
    assertThat(inverse[0][0]).isGreaterThan(1e6);
    climb(Dense.zeros(3, 3), 0, Precision.DOUBLE, 2);
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void aSlightlyIndefiniteMatrixIsDampedMore(Precision precision) {
    double[][] s = Dense.diagonal(1, 2, -5e-3);
    double[][] inverse = climb(s, 1e-3, precision, 2);
    // Ten times the damping is the first that is enough.
    assertClose(
        inverse,
        Dense.diagonal(1 / 1.01, 1 / 2.01, 1 / 5e-3),
        precision == Precision.DOUBLE ? Tolerance.F64 : Tolerance.F32);
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void aMatrixBeyondDampingIsInvertedByItsDiagonal(Precision precision) {
    double[][] s = {{1, 8}, {8, 3}};
    assertClose(climb(s, 1e-9, precision, 3), Dense.diagonal(1, 1.0 / 3), Tolerance.F32);
    double[][] holey = {{1, Double.NaN}, {Double.NaN, 4}};
    assertClose(climb(holey, 1, precision, 3), Dense.diagonal(0.5, 0.2), Tolerance.F32);
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void aMatrixWithoutAPositiveDiagonalIsLeftOut(Precision precision) {
    double[][] identity = Dense.identity(2);
    assertThat(climb(new double[][] {{1, 8}, {8, -3}}, 1e-9, precision, 4)).isDeepEqualTo(identity);
    for (double bad : new double[] {Double.NaN, Double.POSITIVE_INFINITY}) {
      double[][] s = {{bad, 0}, {0, 1}};
      assertThat(climb(s, 1, precision, 4)).isDeepEqualTo(identity);
    }
  }
}
