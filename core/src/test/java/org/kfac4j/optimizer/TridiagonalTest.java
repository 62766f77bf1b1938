package org.kfac4j.optimizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.kfac4j.Dense.assertClose;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.kfac4j.Dense;
import org.kfac4j.Networks;
import org.kfac4j.Problem;
import org.kfac4j.Tolerance;
import org.kfac4j.curvature.FisherType;
import org.kfac4j.curvature.SumNames;
import org.kfac4j.curvature.Sums;
import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Precision;
import org.kfac4j.network.Activation.Function;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.SoftmaxCrossEntropy;

/** The block-tridiagonal inverse against matrices in full, arXiv:1503.05671 §4.3 and appendix B. */
class TridiagonalTest {
  private static final double STRENGTH = 0.01;

  /** Widths of the layers' values. */
  private static final int[][] CHAINS = {{3, 4, 3}, {3, 4, 3, 2, 3}};

  private static Problem problem(int... widths) {
    Network network =
        Problem.network(
            new SoftmaxCrossEntropy(widths[widths.length - 1]), Function.TANH, true, widths);
    return Problem.random(3, network, 30);
  }

  private static double[][] inverse(Problem problem, double[] theta, FisherType fisher) {
    try (Inverted inverted =
        Inverted.of(new TridiagonalPreconditioner(), problem, theta, fisher, STRENGTH)) {
      return inverted.matrix(theta.length);
    }
  }

  @ParameterizedTest
  @EnumSource(FisherType.class)
  void theInverseIsTridiagonalAndItsInverseHasTheBlocksOfTheWholeMatrix(FisherType fisher) {
    Problem problem = problem(CHAINS[1]);
    double[] theta = problem.theta(5, 1);
    KhatriRao dense = KhatriRao.of(problem, theta, fisher, STRENGTH);
    double[][] inverse = inverse(problem, theta, fisher);
    assertClose(inverse, Dense.transposed(inverse), Tolerance.F64);
    double[][] matrix = Dense.inverse(inverse);
    double scale = Math.sqrt(Dense.squares(inverse));
    for (int i = 0; i < 4; i++) {
      for (int j = 0; j < 4; j++) {
        if (Math.abs(i - j) <= 1) {
          assertClose(dense.part(matrix, i, j), dense.block(i, j), Tolerance.F64);
        } else {
          assertThat(Math.sqrt(Dense.squares(dense.part(inverse, i, j)))).isLessThan(1e-10 * scale);
          // Else there would be nothing to leave out.
          assertThat(
                  Dense.distance(
                      Dense.flat(dense.part(matrix, i, j)), Dense.flat(dense.block(i, j))))
              .isGreaterThan(1e-3);
        }
      }
    }
  }

  /** Ξᵀ Λ Ξ with the blocks of F̃, no product of factors taken apart. */
  private static double[][] inverseInFull(KhatriRao dense) {
    int count = dense.blocks().size();
    int n = dense.problem().network().parameterCount();
    double[][] xi = Dense.identity(n);
    double[][] lambda = Dense.zeros(n, n);
    for (int i = 0; i < count; i++) {
      double[][] conditional = dense.block(i, i);
      if (i + 1 < count) {
        double[][] psi =
            Dense.times(dense.block(i, i + 1), Dense.inverse(dense.block(i + 1, i + 1)));
        put(dense, xi, i, i + 1, Dense.scaled(-1, psi));
        conditional = Dense.minus(conditional, Dense.times(psi, dense.block(i + 1, i)));
      }
      put(dense, lambda, i, i, Dense.inverse(conditional));
    }
    return Dense.times(Dense.transposed(xi), Dense.times(lambda, xi));
  }

  private static void put(KhatriRao dense, double[][] matrix, int i, int j, double[][] block) {
    int row = dense.blocks().get(i).offset();
    int column = dense.blocks().get(j).offset();
    for (int k = 0; k < block.length; k++) {
      System.arraycopy(block[k], 0, matrix[row + k], column, block[k].length);
    }
  }

  @ParameterizedTest
  @EnumSource(FisherType.class)
  void theMapIsTheProductOfItsMatricesInFull(FisherType fisher) {
    for (int[] widths : CHAINS) {
      Problem problem = problem(widths);
      double[] theta = problem.theta(5, 1);
      assertClose(
          inverse(problem, theta, fisher),
          inverseInFull(KhatriRao.of(problem, theta, fisher, STRENGTH)),
          Tolerance.F64);
    }
  }

  @ParameterizedTest
  @EnumSource(FisherType.class)
  void ofTwoLayersItIsTheInverseOfTheWholeMatrix(FisherType fisher) {
    Problem problem = problem(3, 4, 3);
    double[] theta = problem.theta(5, 1);
    double[][] expected = Dense.inverse(KhatriRao.of(problem, theta, fisher, STRENGTH).matrix());
    assertClose(inverse(problem, theta, fisher), expected, Tolerance.F64);
  }

  /** The same sums, with zeros for those of two layers. */
  private static Sums withoutCrossMoments(Sums all, List<ParameterBlock> blocks) {
    Sums sums = new Sums();
    sums.put(SumNames.STATISTICS_COUNT, all.scalar(SumNames.STATISTICS_COUNT));
    for (ParameterBlock block : blocks) {
      for (String name : List.of(SumNames.inputs(block), SumNames.gradients(block))) {
        sums.put(name, all.mean(name, 1));
      }
    }
    for (int i = 0; i + 1 < blocks.size(); i++) {
      ParameterBlock here = blocks.get(i);
      ParameterBlock next = blocks.get(i + 1);
      sums.put(SumNames.crossInputs(here, next), new double[here.rows() * next.rows()]);
      sums.put(SumNames.crossGradients(here, next), new double[here.columns() * next.columns()]);
    }
    return sums;
  }

  @ParameterizedTest
  @EnumSource(FisherType.class)
  void withoutCrossMomentsItIsBlockDiagonal(FisherType fisher) {
    for (int[] widths : CHAINS) {
      Problem problem = problem(widths);
      double[] theta = problem.theta(5, 1);
      double[] v = Dense.normal(9, theta.length);
      Kfac settings = Inverted.settings(new TridiagonalPreconditioner(), fisher);
      Sums all = Inverted.sums(settings, problem, theta, problem.all());
      try (Curvature curvature = new Curvature(settings, problem.network(), null);
          Inverted diagonal =
              Inverted.of(new KfacPreconditioner(), problem, theta, fisher, STRENGTH)) {
        curvature.update(
            withoutCrossMoments(all, problem.network().weightBlocks()), problem.all(), 1);
        try (Curvature.Inverse inverse = curvature.invert(STRENGTH, null, null, null)) {
          assertClose(Dense.scaled(-1, inverse.descent(v)), diagonal.apply(v), Tolerance.F64);
        }
      }
      // With them it is not.
      assertThat(
              Dense.distance(
                  Dense.times(inverse(problem, theta, fisher), v), kfac(problem, theta, fisher, v)))
          .isGreaterThan(1e-3);
    }
  }

  private static double[] kfac(Problem problem, double[] theta, FisherType fisher, double[] v) {
    try (Inverted inverted =
        Inverted.of(new KfacPreconditioner(), problem, theta, fisher, STRENGTH)) {
      return inverted.apply(v);
    }
  }

  private static Matrix matrix(double[][] values) {
    Matrix matrix = Matrix.zeros(Precision.DOUBLE, values.length, values[0].length);
    double[] flat = Dense.flat(values);
    matrix.put(0, flat, 0, flat.length);
    return matrix;
  }

  private static double[][] solve(
      double[][] a, double[][] b, double[][] c, double[][] d, int sign, double[][] v) {
    try (Matrix x = matrix(v);
        TwoTermSolver solver =
            TwoTermSolver.of(
                matrix(Dense.inverse(a)),
                matrix(Dense.inverse(b)),
                matrix(c),
                matrix(d),
                sign,
                "layer",
                Machines.DOUBLE)) {
      solver.solve(x, x);
      assertThat(solver.recoveries()).isZero();
      return Dense.matrix(x.toArray(), 0, v.length, v[0].length);
    }
  }

  @Test
  void theTwoTermSolverGivesTheFixture() {
    // The specification's (A ⊗ B ± C ⊗ D) cvec U = cvec V; here X = Uᵀ.
    double[][] a = {{2, 1}, {1, 2}};
    double[][] b = {{3, 0}, {0, 1}};
    double[][] c = Dense.identity(2);
    double[][] d = {{1, .5}, {.5, .5}};
    double[][] v = Dense.transposed(new double[][] {{1, 2}, {3, 4}});
    assertClose(
        Dense.transposed(solve(a, b, c, d, 1, v)),
        new double[][] {{.0137629027, .1876759462}, {.6812636847, 1.2899593369}},
        Tolerance.PRINTED);
    assertClose(
        Dense.transposed(solve(a, b, c, d, -1, v)),
        new double[][] {{-.3881856540, .9451476793}, {-.2109704641, 3.1223628692}},
        Tolerance.PRINTED);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, -1})
  void theTwoTermSolverSolvesTheWholeSystem(int sign) {
    for (int n = 1; n <= 5; n++) {
      int m = 6 - n;
      double[][] a = Dense.shifted(Dense.positiveDefinite(n, n), 3);
      double[][] b = Dense.shifted(Dense.positiveDefinite(n + 10, m), 3);
      double[] u = Dense.normal(n + 20, n);
      // C ⪯ A and D ⪯ B, of low rank, as Schur complements are.
      double[][] c = Dense.scaled(1 / Dense.dot(u, u), Dense.outer(u, u));
      double[][] d = Dense.scaled(0.5, b);
      double[][] v = Dense.normal(n + 30, n, m);
      double[][] system =
          Dense.plus(Dense.kronecker(a, b), Dense.scaled(sign, Dense.kronecker(c, d)));
      assertClose(
          Dense.flat(solve(a, b, c, d, sign, v)),
          Dense.solve(system, Dense.flat(v)),
          Tolerance.F64);
    }
  }

  @Test
  void whatIsNoChainOfDenseLayersIsRefusedByName() {
    Preconditioner tridiagonal = new TridiagonalPreconditioner();
    tridiagonal.check(Networks.dense());
    assertThatThrownBy(() -> tridiagonal.check(Networks.convolution()))
        .hasMessageContaining("kfac-tridiagonal")
        .hasMessageContaining("conv1");
    assertThatThrownBy(() -> tridiagonal.check(Networks.residual()))
        .hasMessageContaining("kfac-tridiagonal");
    assertThatThrownBy(() -> tridiagonal.check(Networks.depthwise()))
        .hasMessageContaining("depthwise");
  }
}
