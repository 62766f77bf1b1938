package org.kfac4j.optimizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.kfac4j.Dense.assertClose;

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
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.optimizer.TwoLevelPreconditioner.Correction;

/** The coarse correction against matrices in full, arXiv:2011.00573. */
class TwoLevelTest {
  private static final double STRENGTH = 0.05;
  private static final Problem PROBLEM = Problem.random(3, Networks.dense(), 30);
  private static final double[] THETA = PROBLEM.theta(5, 1);

  private static double[] apply(Correction correction, double weight, double[] v) {
    Preconditioner two = new TwoLevelPreconditioner(new KfacPreconditioner(), correction, weight);
    try (Inverted inverted = Inverted.of(two, PROBLEM, THETA, FisherType.EXACT, STRENGTH)) {
      return inverted.apply(v);
    }
  }

  private static double[] kfac(double[] v) {
    try (Inverted inverted =
        Inverted.of(new KfacPreconditioner(), PROBLEM, THETA, FisherType.EXACT, STRENGTH)) {
      return inverted.apply(v);
    }
  }

  /** R₀. */
  private static double[][] restriction() {
    List<ParameterBlock> blocks = PROBLEM.network().weightBlocks();
    double[][] r = Dense.zeros(blocks.size(), THETA.length);
    for (int i = 0; i < blocks.size(); i++) {
      for (int k = blocks.get(i).offset(); k < blocks.get(i).end(); k++) {
        r[i][k] = 1;
      }
    }
    return r;
  }

  private static double[][] fisher() {
    return KhatriRao.of(PROBLEM, THETA, FisherType.EXACT, STRENGTH).matrix();
  }

  private static double[][] coarse() {
    double[][] r = restriction();
    return Dense.times(r, Dense.times(fisher(), Dense.transposed(r)));
  }

  @Test
  void theAdditiveFormAddsTheCoarseSolution() {
    double[][] r = restriction();
    double[] v = Dense.normal(8, THETA.length);
    double[] correction =
        Dense.times(Dense.transposed(r), Dense.solve(coarse(), Dense.times(r, v)));
    for (double weight : new double[] {0, 0.5, 1}) {
      assertClose(
          apply(Correction.ADDITIVE, weight, v),
          Dense.plus(kfac(v), Dense.scaled(weight, correction)),
          Tolerance.F64);
    }
    assertThat(Dense.norm(correction)).isGreaterThan(0.01 * Dense.norm(kfac(v)));
  }

  @Test
  void theResidualFormIsTheBestOverTheCoarseSpace() {
    double[][] f = fisher();
    double[][] r = restriction();
    double[] v = Dense.normal(8, THETA.length);
    double[] first = kfac(v);
    double[] second = apply(Correction.RESIDUAL, 1, v);
    double[] residual = Dense.minus(v, Dense.times(f, first));
    double[] coarseResidual = Dense.times(r, residual);
    double[] expected =
        Dense.plus(first, Dense.times(Dense.transposed(r), Dense.solve(coarse(), coarseResidual)));
    assertClose(second, expected, Tolerance.F64);
    double[] left = Dense.times(r, Dense.minus(v, Dense.times(f, second)));
    assertThat(Dense.norm(left)).isLessThan(1e-9 * Dense.norm(coarseResidual));
    double gain = energy(f, v, first) - energy(f, v, second);
    double predicted = 0.5 * Dense.dot(coarseResidual, Dense.solve(coarse(), coarseResidual));
    assertThat(predicted).isPositive();
    assertThat(gain).isCloseTo(predicted, within(1e-9 * predicted));
  }

  /** ½ uᵀ F u − vᵀ u. */
  private static double energy(double[][] f, double[] v, double[] u) {
    return 0.5 * Dense.dot(u, Dense.times(f, u)) - Dense.dot(v, u);
  }

  @Test
  void theCoarseMatrixIsThatOfTheWholeAndPositive() {
    // F_c⁻¹ is what unit gradients of one layer move the others by.
    double[][] r = restriction();
    double[][] expected = Dense.inverse(coarse());
    for (int i = 0; i < r.length; i++) {
      double sum = r[i].length > 0 ? Dense.dot(r[i], r[i]) : 1;
      double[] v = Dense.scaled(1 / sum, r[i]);
      double[] moved = Dense.minus(apply(Correction.ADDITIVE, 1, v), kfac(v));
      for (int j = 0; j < r.length; j++) {
        double average = Dense.dot(r[j], moved) / Dense.dot(r[j], r[j]);
        assertThat(average).isCloseTo(expected[j][i], within(1e-9 * Math.abs(expected[i][i])));
      }
      assertThat(expected[i][i]).isPositive();
    }
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
