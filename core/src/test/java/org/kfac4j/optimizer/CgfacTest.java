package org.kfac4j.optimizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.kfac4j.Dense.assertClose;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.kfac4j.Dense;
import org.kfac4j.Networks;
import org.kfac4j.Problem;
import org.kfac4j.Tolerance;
import org.kfac4j.curvature.ExampleRows;
import org.kfac4j.curvature.FisherType;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.optimizer.CgfacPreconditioner.Operator;

/** CG-FAC against solves with the matrix in full, and its iterates. */
class CgfacTest {
  private static final double STRENGTH = 0.02;
  private static final int COUNT = 12;

  private static CgfacPreconditioner cg(Operator operator, double tolerance, int iterations) {
    return new CgfacPreconditioner(operator, tolerance, iterations, true, true);
  }

  private static CgfacPreconditioner exact(Operator operator) {
    return cg(operator, 1e-13, 2000);
  }

  private static double[] apply(
      Preconditioner preconditioner,
      Problem problem,
      FisherType fisher,
      double strength,
      double[] v) {
    try (Inverted inverted =
        Inverted.of(preconditioner, problem, problem.theta(5, 1), fisher, strength)) {
      return inverted.apply(v);
    }
  }

  @ParameterizedTest
  @EnumSource(FisherType.class)
  void runToConvergenceItIsKfac(FisherType fisher) {
    for (Network network : Networks.ofIndependentExamples().toList()) {
      Problem problem = Problem.random(3, network, COUNT);
      double[] v = Dense.normal(8, network.parameterCount());
      assertClose(
          apply(exact(Operator.KRONECKER), problem, fisher, STRENGTH, v),
          apply(new KfacPreconditioner(), problem, fisher, STRENGTH, v),
          1e-9);
    }
  }

  @ParameterizedTest
  @EnumSource(FisherType.class)
  void withTheFisherOperatorItSolvesWithTheLayersOwnBlock(FisherType fisher) {
    for (Network network : Networks.ofIndependentExamples().toList()) {
      Problem problem = Problem.random(3, network, COUNT);
      double[] v = Dense.normal(8, network.parameterCount());
      double[] actual = apply(exact(Operator.FISHER), problem, fisher, STRENGTH, v);
      double[] kfac = apply(new KfacPreconditioner(), problem, fisher, STRENGTH, v);
      for (ParameterBlock block : network.weightBlocks()) {
        double[][] f = ExampleRows.of(problem, problem.theta(5, 1), fisher, block).fisher();
        double[] part = Arrays.copyOfRange(v, block.offset(), block.end());
        double[] solved = Arrays.copyOfRange(actual, block.offset(), block.end());
        assertClose(solved, Dense.solve(Dense.shifted(f, STRENGTH), part), 1e-9);
        assertThat(Dense.distance(solved, Arrays.copyOfRange(kfac, block.offset(), block.end())))
            .isGreaterThan(1e-3);
      }
    }
  }

  static Stream<Network> networks() {
    return Networks.ofIndependentExamples();
  }

  /** A window of several batches has the running average's weights, so that K-FAC is met again. */
  @ParameterizedTest
  @MethodSource("networks")
  void aWindowOfBatchesIsTheirRunningAverage(Network network) {
    Problem problem = Problem.random(3, network, COUNT);
    double[] v = Dense.normal(8, network.parameterCount());
    double[][] results = new double[2][];
    List<Preconditioner> both = List.of(exact(Operator.KRONECKER), new KfacPreconditioner());
    for (int i = 0; i < 2; i++) {
      Kfac settings = Inverted.settings(both.get(i), FisherType.EMPIRICAL);
      Curvature curvature = new Curvature(settings, problem.network(), null);
      for (int k = 1; k <= 4; k++) {
        double[] at = problem.theta(k, 1);
        curvature.update(Inverted.sums(settings, problem, at, problem.all()), problem.all(), k);
      }
      try (Curvature.Inverse inverse = curvature.invert(STRENGTH, null, null, null)) {
        results[i] = inverse.descent(v);
      }
      curvature.close();
    }
    assertClose(results[0], results[1], 1e-9);
  }

  @Test
  void manyIterationsOfLowRankAreNotNeeded() {
    // One example: factors of rank one, at most four eigenvalues.
    Problem problem = Problem.random(3, Networks.dense(), 1);
    double[] v = Dense.normal(8, problem.network().parameterCount());
    try (Inverted inverted =
        Inverted.of(
            new CgfacPreconditioner(Operator.KRONECKER, 1e-10, 2000, false, true),
            problem,
            problem.theta(5, 1),
            FisherType.EMPIRICAL,
            STRENGTH)) {
      inverted.apply(v);
      assertThat(inverted.curvature.health(inverted.inverse).get("dense3 cg iterations"))
          .isBetween(2.0, 4.0);
    }
  }

  private static double[] part(double[] v, ParameterBlock block) {
    return Arrays.copyOfRange(v, block.offset(), block.end());
  }

  private static CgMatrix matrix(
      Operator operator, Problem problem, FisherType fisher, ParameterBlock block) {
    return CgMatrix.of(
        operator, ExampleRows.of(problem, problem.theta(5, 1), fisher, block), STRENGTH);
  }

  @ParameterizedTest
  @EnumSource(Operator.class)
  void everyIterateIsADescentDirectionAndNearerInTheMatrixsNorm(Operator operator) {
    Problem problem = Problem.random(3, Networks.convolution(), COUNT);
    double[] v = Dense.normal(8, problem.network().parameterCount());
    double[][] iterates = new double[8][];
    Arrays.setAll(
        iterates, k -> apply(cg(operator, 1e-13, k + 1), problem, FisherType.SAMPLED, STRENGTH, v));
    for (ParameterBlock block : problem.network().weightBlocks()) {
      double[] right = part(v, block);
      double[][] matrix = matrix(operator, problem, FisherType.SAMPLED, block).matrix();
      double[] solution = Dense.solve(matrix, right);
      double before = Dense.dot(solution, right); // of the start, zero
      for (double[] iterate : iterates) {
        assertThat(Dense.dot(part(iterate, block), right)).isPositive();
        double[] error = Dense.minus(part(iterate, block), solution);
        double norm = Dense.dot(error, Dense.times(matrix, error));
        assertThat(norm).isLessThan(before);
        before = norm;
      }
    }
  }

  @Test
  void dividingByTheDiagonalDoesNotChangeTheLimit() {
    Problem problem = Problem.random(3, Networks.convolution(), COUNT);
    double[] v = Dense.normal(8, problem.network().parameterCount());
    for (Operator operator : Operator.values()) {
      assertClose(
          apply(
              new CgfacPreconditioner(operator, 1e-13, 5000, false, true),
              problem,
              FisherType.SAMPLED,
              STRENGTH,
              v),
          apply(exact(operator), problem, FisherType.SAMPLED, STRENGTH, v),
          1e-9);
    }
  }

  @ParameterizedTest
  @EnumSource(Operator.class)
  void oneIterationIsTheBestStepAlongTheGradientOverTheDiagonal(Operator operator) {
    for (Network network : Networks.ofIndependentExamples().toList()) {
      Problem problem = Problem.random(3, network, COUNT);
      double[] v = Dense.normal(8, network.parameterCount());
      for (boolean jacobi : new boolean[] {true, false}) {
        double[] one =
            apply(
                new CgfacPreconditioner(operator, 1e-13, 1, jacobi, true),
                problem,
                FisherType.EMPIRICAL,
                STRENGTH,
                v);
        for (ParameterBlock block : network.weightBlocks()) {
          CgMatrix matrix = matrix(operator, problem, FisherType.EMPIRICAL, block);
          double[] right = part(v, block);
          double[] z = right.clone();
          double[] diagonal = matrix.diagonal();
          for (int i = 0; i < z.length && jacobi; i++) {
            z[i] /= diagonal[i];
          }
          // The minimum of ½ xᵀ C x − vᵀ x over the line.
          double best = Dense.dot(z, right) / Dense.dot(z, Dense.times(matrix.matrix(), z));
          assertClose(part(one, block), Dense.scaled(best, z), Tolerance.F64);
        }
      }
    }
  }

  /** With γ = 1e13 no curvature shows any more. */
  @ParameterizedTest
  @EnumSource(Operator.class)
  void withMuchDampingOneIterationIsEnough(Operator operator) {
    double strength = 1e26;
    for (Network network : Networks.ofIndependentExamples().toList()) {
      Problem problem = Problem.random(3, network, COUNT);
      double[] v = Dense.normal(8, network.parameterCount());
      try (Inverted inverted =
          Inverted.of(
              cg(operator, 1e-3, 50),
              problem,
              problem.theta(5, 1),
              FisherType.EMPIRICAL,
              strength)) {
        assertClose(Dense.scaled(strength, inverted.apply(v)), v, Tolerance.F64);
        for (ParameterBlock block : network.weightBlocks()) {
          assertThat(inverted.curvature.health(inverted.inverse))
              .containsEntry(block.name() + " cg iterations", 1.0);
        }
      }
    }
  }

  @Test
  void aWarmStartNeedsFewerIterationsAndGivesTheSame() {
    Problem problem = Problem.random(3, Networks.dense(), COUNT);
    double[] theta = problem.theta(5, 1);
    double[] v = Dense.normal(8, theta.length);
    try (Inverted cold =
        Inverted.of(
            cg(Operator.KRONECKER, 1e-8, 500), problem, theta, FisherType.EMPIRICAL, STRENGTH)) {
      double[] first = cold.apply(v);
      double iterations = iterations(cold.curvature, cold.inverse);
      try (Curvature.Inverse warm = cold.curvature.invert(STRENGTH, null, cold.inverse, null)) {
        double[] again = Dense.scaled(-1, warm.descent(v));
        assertThat(iterations).isGreaterThan(3);
        assertThat(iterations(cold.curvature, warm)).isLessThanOrEqualTo(1);
        assertThat(Dense.distance(again, first)).isLessThan(1e-6);
      }
    }
  }

  private static double iterations(Curvature curvature, Curvature.Inverse inverse) {
    return curvature.health(inverse).get("dense1 cg iterations");
  }

  @Test
  void aStartThatDoesNotLeadDownIsGivenUp() {
    Problem problem = Problem.random(3, Networks.dense(), COUNT);
    double[] theta = problem.theta(5, 1);
    double[] v = Dense.normal(8, theta.length);
    try (Inverted inverted =
        Inverted.of(
            cg(Operator.KRONECKER, 1e-8, 1), problem, theta, FisherType.EMPIRICAL, STRENGTH)) {
      inverted.apply(Dense.scaled(-1000, v)); // leaves a solution that points up
      double[] u = inverted.apply(v);
      assertThat(Dense.dot(u, v)).isPositive();
    }
  }

  @Test
  void noGradientIsNoUpdate() {
    Problem problem = Problem.random(3, Networks.dense(), COUNT);
    double[] zero = new double[problem.network().parameterCount()];
    assertThat(apply(exact(Operator.KRONECKER), problem, FisherType.EMPIRICAL, STRENGTH, zero))
        .containsOnly(0);
  }

  @Test
  void figuresSayHowFarItCame() {
    Problem problem = Problem.random(3, Networks.dense(), COUNT);
    double[] v = Dense.normal(8, problem.network().parameterCount());
    try (Inverted inverted =
        Inverted.of(
            cg(Operator.KRONECKER, 1e-3, 500),
            problem,
            problem.theta(5, 1),
            FisherType.EMPIRICAL,
            STRENGTH)) {
      inverted.apply(v);
      assertThat(inverted.curvature.health(inverted.inverse).get("dense1 cg residual"))
          .isCloseTo(5e-4, within(5e-4));
    }
  }
}
