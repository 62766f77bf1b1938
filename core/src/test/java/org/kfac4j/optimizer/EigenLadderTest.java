package org.kfac4j.optimizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.kfac4j.Dense;
import org.kfac4j.linalg.Eigen;
import org.kfac4j.linalg.FactorizationException;
import org.kfac4j.linalg.Factorizations;
import org.kfac4j.linalg.LapackFactorizations;
import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Packed;
import org.kfac4j.linalg.Precision;

/** An eigendecomposition that fails in float32 is tried in float64, and then given up by name. */
class EigenLadderTest {
  /** Finds eigenvectors in float64 at best. */
  private record Failing(boolean always) implements Factorizations {
    private static final long serialVersionUID = 1L;
    private static final Factorizations LAPACK = new LapackFactorizations();

    @Override
    public Matrix inverse(double[] packed, int n, double shift, Precision precision) {
      return LAPACK.inverse(packed, n, shift, precision);
    }

    @Override
    public Eigen eigen(double[] packed, int n, Precision precision) {
      if (always || precision == Precision.FLOAT) {
        throw new FactorizationException("no convergence");
      }
      return LAPACK.eigen(packed, n, precision);
    }

    @Override
    public Matrix cholesky(double[] packed, int n, Precision precision) {
      return LAPACK.cholesky(packed, n, precision);
    }
  }

  private static DenseMachine machine(boolean always) {
    return new DenseMachine(new Failing(always), Precision.FLOAT, 1);
  }

  private static Matrix matrix(double[][] values) {
    return Matrix.of(Precision.FLOAT, values.length, values.length, Dense.flat(values));
  }

  private static TwoTermSolver solver(DenseMachine machine) {
    double[][] a = Dense.shifted(Dense.positiveDefinite(1, 4), 3);
    double[][] b = Dense.shifted(Dense.positiveDefinite(2, 3), 3);
    try (Matrix inverseA = matrix(Dense.inverse(a));
        Matrix inverseB = matrix(Dense.inverse(b));
        Matrix c = matrix(Dense.scaled(0.5, a));
        Matrix d = matrix(Dense.scaled(0.5, b))) {
      return TwoTermSolver.of(inverseA, inverseB, c, d, -1, "hidden", machine);
    }
  }

  @Test
  void floatIsFollowedByDouble() {
    double[][] symmetric = Dense.positiveDefinite(3, 5);
    double[] packed = new double[Packed.length(5)];
    for (int row = 0, at = 0; row < 5; row++) {
      for (int column = 0; column <= row; column++) {
        packed[at++] = symmetric[row][column];
      }
    }
    EigenLadder plain = EigenLadder.climb(packed, 5, "A", Machines.of(Precision.FLOAT));
    EigenLadder retried = EigenLadder.climb(packed, 5, "A", machine(false));
    try (Eigen one = plain.eigen();
        Eigen two = retried.eigen()) {
      assertThat(plain.rung()).isZero();
      assertThat(retried.rung()).isEqualTo(1);
      assertThat(two.transposed().precision()).isEqualTo(Precision.FLOAT);
      assertThat(two.values()).hasSameSizeAs(one.values());
      for (int i = 0; i < 5; i++) {
        assertThat(two.values()[i])
            .isCloseTo(one.values()[i], org.assertj.core.api.Assertions.within(1e-4));
      }
    }
  }

  @Test
  void theTwoTermSolverClimbsItToo() {
    try (TwoTermSolver plain = solver(Machines.of(Precision.FLOAT));
        TwoTermSolver retried = solver(machine(false));
        Matrix v = Matrix.of(Precision.FLOAT, 4, 3, Dense.flat(Dense.normal(5, 4, 3)));
        Matrix x = Matrix.zeros(Precision.FLOAT, 4, 3);
        Matrix y = Matrix.zeros(Precision.FLOAT, 4, 3)) {
      assertThat(plain.recoveries()).isZero();
      assertThat(retried.recoveries()).isEqualTo(1);
      plain.solve(v, x);
      retried.solve(v, y);
      double[] one = x.toArray();
      double[] two = y.toArray();
      for (int i = 0; i < one.length; i++) {
        assertThat(two[i]).isCloseTo(one[i], org.assertj.core.api.Assertions.within(1e-4));
      }
    }
  }

  @Test
  void whatCannotBeDecomposedIsSaidByLayer() {
    assertThatThrownBy(() -> solver(machine(true)))
        .isInstanceOf(DivergedException.class)
        .hasMessageContaining("layer hidden: A")
        .hasMessageContaining("no convergence");
    assertThatThrownBy(() -> EigenLadder.climb(new double[] {1}, 1, "layer x: G", machine(true)))
        .isInstanceOf(DivergedException.class)
        .hasMessageContaining("layer x: G");
  }
}
