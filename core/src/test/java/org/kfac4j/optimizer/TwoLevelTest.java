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
import org.kfac4j.Dense;
import org.kfac4j.Networks;
import org.kfac4j.Problem;
import org.kfac4j.Tolerance;
import org.kfac4j.curvature.FisherType;
import org.kfac4j.network.Activation.Function;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.SigmoidCrossEntropy;
import org.kfac4j.network.SquaredError;
import org.kfac4j.optimizer.TwoLevelPreconditioner.Correction;

/** The coarse correction against matrices in full, arXiv:2011.00573. */
class TwoLevelTest {
  private static final double STRENGTH = 0.05;

  /** Of softmax, g would add up to zero and the last layer have no part in the coarse problem. */
  private static final Problem PROBLEM = dense(4, 5, 4, 3);

  private static Problem dense(int... widths) {
    int outputs = widths[widths.length - 1];
    return Problem.random(
        3, Problem.network(new SigmoidCrossEntropy(outputs), Function.TANH, true, widths), 30);
  }

  private static double[] apply(
      Correction correction, double weight, Problem problem, FisherType fisher, double[] v) {
    Preconditioner two = new TwoLevelPreconditioner(new KfacPreconditioner(), correction, weight);
    return apply(two, problem, fisher, v);
  }

  private static double[] kfac(Problem problem, FisherType fisher, double[] v) {
    return apply(new KfacPreconditioner(), problem, fisher, v);
  }

  private static double[] apply(
      Preconditioner preconditioner, Problem problem, FisherType fisher, double[] v) {
    try (Inverted inverted =
        Inverted.of(preconditioner, problem, problem.theta(5, 1), fisher, STRENGTH)) {
      return inverted.apply(v);
    }
  }

  /** R₀. */
  private static double[][] restriction() {
    List<ParameterBlock> blocks = PROBLEM.network().weightBlocks();
    double[][] r = Dense.zeros(blocks.size(), PROBLEM.network().parameterCount());
    for (int i = 0; i < blocks.size(); i++) {
      for (int k = blocks.get(i).offset(); k < blocks.get(i).end(); k++) {
        r[i][k] = 1;
      }
    }
    return r;
  }

  private static double[][] fisher(Problem problem, FisherType fisher) {
    return KhatriRao.of(problem, problem.theta(5, 1), fisher, STRENGTH).matrix();
  }

  private static double[][] coarse(FisherType fisher) {
    double[][] r = restriction();
    return Dense.times(r, Dense.times(fisher(PROBLEM, fisher), Dense.transposed(r)));
  }

  private static double[] vector() {
    return Dense.normal(8, PROBLEM.network().parameterCount());
  }

  @ParameterizedTest
  @EnumSource(FisherType.class)
  void theAdditiveFormAddsTheCoarseSolution(FisherType fisher) {
    double[][] r = restriction();
    double[] v = vector();
    double[] kfac = kfac(PROBLEM, fisher, v);
    double[] correction =
        Dense.times(Dense.transposed(r), Dense.solve(coarse(fisher), Dense.times(r, v)));
    for (double weight : new double[] {0, 0.5, 1}) {
      assertClose(
          apply(Correction.ADDITIVE, weight, PROBLEM, fisher, v),
          Dense.plus(kfac, Dense.scaled(weight, correction)),
          Tolerance.F64);
    }
    assertThat(Dense.norm(correction)).isGreaterThan(0.01 * Dense.norm(kfac));
  }

  @ParameterizedTest
  @EnumSource(FisherType.class)
  void theResidualFormIsTheBestOverTheCoarseSpace(FisherType fisher) {
    double[][] f = fisher(PROBLEM, fisher);
    double[][] coarse = coarse(fisher);
    double[][] r = restriction();
    double[] v = vector();
    double[] first = kfac(PROBLEM, fisher, v);
    double[] second = apply(Correction.RESIDUAL, 1, PROBLEM, fisher, v);
    double[] residual = Dense.minus(v, Dense.times(f, first));
    double[] coarseResidual = Dense.times(r, residual);
    double[] expected =
        Dense.plus(first, Dense.times(Dense.transposed(r), Dense.solve(coarse, coarseResidual)));
    assertClose(second, expected, Tolerance.F64);
    double[] left = Dense.times(r, Dense.minus(v, Dense.times(f, second)));
    assertThat(Dense.norm(left)).isLessThan(1e-9 * Dense.norm(coarseResidual));
    double gain = energy(f, v, first) - energy(f, v, second);
    double predicted = 0.5 * Dense.dot(coarseResidual, Dense.solve(coarse, coarseResidual));
    assertThat(predicted).isPositive();
    assertThat(gain).isCloseTo(predicted, within(1e-9 * predicted));
  }

  /** ½ uᵀ F u − vᵀ u. */
  private static double energy(double[][] f, double[] v, double[] u) {
    return 0.5 * Dense.dot(u, Dense.times(f, u)) - Dense.dot(v, u);
  }

  @ParameterizedTest
  @EnumSource(FisherType.class)
  void theCoarseMatrixIsThatOfTheWholeSymmetricAndPositive(FisherType fisher) {
    // F_c⁻¹ is what unit gradients of one layer move the others by.
    double[][] r = restriction();
    double[][] columns = new double[r.length][r.length];
    for (int i = 0; i < r.length; i++) {
      double[] v = Dense.scaled(1 / Dense.dot(r[i], r[i]), r[i]);
      double[] moved =
          Dense.minus(apply(Correction.ADDITIVE, 1, PROBLEM, fisher, v), kfac(PROBLEM, fisher, v));
      for (int j = 0; j < r.length; j++) {
        columns[i][j] = Dense.dot(r[j], moved) / Dense.dot(r[j], r[j]);
      }
    }
    double[][] actual = Dense.transposed(columns);
    assertClose(actual, Dense.inverse(coarse(fisher)), Tolerance.F64);
    assertClose(actual, columns, Tolerance.F64);
    assertThat(Arrays.stream(Dense.pivots(actual)).min().orElseThrow()).isPositive();
  }

  /** With one weight a layer R₀ = I: the residual form solves with all of F̃. */
  @ParameterizedTest
  @EnumSource(FisherType.class)
  void aCoarseSpaceOfEverythingSolvesTheWholeSystem(FisherType fisher) {
    Problem problem =
        Problem.random(
            3, Problem.network(new SquaredError(1, 0.5), Function.TANH, false, 1, 1, 1, 1), 30);
    double[] v = Dense.normal(8, 3);
    double[] solution = Dense.solve(fisher(problem, fisher), v);
    assertClose(apply(Correction.RESIDUAL, 1, problem, fisher, v), solution, Tolerance.F64);
    assertThat(Dense.distance(kfac(problem, fisher, v), solution)).isGreaterThan(1e-3);
  }

  /** K-FAC itself solves with all of F̃, and leaves no residual to correct. */
  @ParameterizedTest
  @EnumSource(FisherType.class)
  void ofOneLayerTheResidualFormIsKfac(FisherType fisher) {
    Problem problem = dense(4, 3);
    double[] v = Dense.normal(8, 15);
    double[][] f = fisher(problem, fisher);
    double[] solution = Dense.solve(f, v);
    assertClose(apply(Correction.RESIDUAL, 1, problem, fisher, v), solution, Tolerance.F64);
    double coarse = Arrays.stream(v).sum() / Dense.sum(f);
    double[] sum = Arrays.stream(solution).map(each -> each + coarse).toArray();
    assertClose(apply(Correction.ADDITIVE, 1, problem, fisher, v), sum, Tolerance.F64);
  }

  /** F_c = 1ᵀA1 · 1ᵀG1 = 256/9 and R₀ ∇h = 1ᵀM1 = 8/3: each number moves by their ratio, 3/32. */
  @Test
  void theFixturesCoarseProblemComesOut() {
    Problem problem = FamilyFixtureTest.DENSE;
    double[] m = FamilyFixtureTest.gradient();
    double[][] solutions = new double[2][];
    List<Preconditioner> both =
        List.of(
            new KfacPreconditioner(),
            new TwoLevelPreconditioner(new KfacPreconditioner(), Correction.ADDITIVE, 1));
    for (int i = 0; i < 2; i++) {
      try (Inverted inverted =
          Inverted.of(both.get(i), problem, new double[6], FisherType.EMPIRICAL, 0)) {
        solutions[i] = inverted.apply(m);
      }
    }
    double[] expected = new double[6];
    Arrays.fill(expected, (8.0 / 3) / (256.0 / 9));
    assertClose(Dense.minus(solutions[1], solutions[0]), expected, Tolerance.F64);
  }

  /** With convolutions the coarse matrix has the fine one's diagonal and stays positive. */
  @ParameterizedTest
  @EnumSource(Correction.class)
  void everyKindOfNetworkIsServed(Correction correction) {
    Stream<org.kfac4j.network.Network> all = Networks.all();
    all.forEach(
        network -> {
          Problem problem = Problem.random(3, network, 20);
          double[] theta = problem.theta(5, 1);
          for (Preconditioner fine : List.of(new KfacPreconditioner(), new EigenPreconditioner())) {
            Preconditioner two = new TwoLevelPreconditioner(fine, correction, 1);
            double[] v = new double[theta.length];
            for (ParameterBlock block : network.blocks()) {
              double[] part = Dense.normal(block.index(), block.shape().size());
              System.arraycopy(part, 0, v, block.offset(), part.length);
            }
            try (Inverted inverted =
                Inverted.of(two, problem, theta, FisherType.SAMPLED, STRENGTH)) {
              double[] u = inverted.apply(v);
              assertThat(u).doesNotContain(Double.NaN);
              if (correction == Correction.ADDITIVE) {
                assertThat(Dense.dot(u, v)).isPositive();
              }
              assertThat(inverted.curvature.health(inverted.inverse).entrySet())
                  .filteredOn(entry -> entry.getKey().endsWith("recovery"))
                  .allSatisfy(entry -> assertThat(entry.getValue()).isZero());
            }
          }
        });
  }
}
