package org.kfac4j.optimizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.kfac4j.Dense.assertClose;

import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.kfac4j.Dense;
import org.kfac4j.Networks;
import org.kfac4j.Problem;
import org.kfac4j.Tolerance;
import org.kfac4j.curvature.ExampleRows;
import org.kfac4j.curvature.FisherType;
import org.kfac4j.curvature.FullBlock;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;

/** TKFAC's damped direction on every kind of layer: arXiv:2011.10741, eq. 5.14 and 5.15. */
class TkfacTest {
  private static final double STRENGTH = 0.05;

  @ParameterizedTest
  @EnumSource(FisherType.class)
  void bothWaysOfWritingTheDirectionAreItAndTheWrongSplitIsNot(FisherType fisher) {
    for (Network network : Networks.ofIndependentExamples().toList()) {
      Problem problem = Problem.random(3, network, 13);
      double[] theta = problem.theta(5, 1);
      double[] v = Dense.normal(8, network.parameterCount());
      try (Inverted inverted =
          Inverted.of(new TkfacPreconditioner(), problem, theta, fisher, STRENGTH)) {
        double[] applied = inverted.apply(v);
        for (ParameterBlock block : network.weightBlocks()) {
          double[] u = Arrays.copyOfRange(applied, block.offset(), block.end());
          double[] part = Arrays.copyOfRange(v, block.offset(), block.end());
          assertDirection(u, ExampleRows.of(problem, theta, fisher, block), part);
        }
      }
    }
  }

  private static void assertDirection(double[] u, ExampleRows rows, double[] v) {
    double delta = FullBlock.trace(rows);
    double root = Math.sqrt(delta);
    double[][] phi = Dense.scaled(1 / root, FullBlock.tkfac(rows).inputs());
    double[][] psi = Dense.scaled(1 / root, FullBlock.tkfac(rows).gradients());
    assertClose(Dense.trace(phi), 1, Tolerance.F64);
    assertClose(Dense.trace(psi), 1, Tolerance.F64);
    double shift = Math.sqrt(STRENGTH);
    // (√δ Φ + √λ I)⁻¹ V (√δ Ψ + √λ I)⁻¹
    assertClose(u, solved(root, phi, psi, shift, v), Tolerance.F64);
    // (1/δ) (Φ + √(λ/δ) I)⁻¹ V (Ψ + √(λ/δ) I)⁻¹
    assertClose(u, Dense.scaled(1 / delta, solved(1, phi, psi, shift / root, v)), Tolerance.F64);
    // √δ (Φ + √λ I) in the place of √δ Φ + √λ I
    assertThat(Dense.distance(solved(root, phi, psi, root * shift, v), u)).isGreaterThan(0.01);
  }

  /** (scale Φ + shift I)⁻¹ V (scale Ψ + shift I)⁻¹. */
  private static double[] solved(
      double scale, double[][] phi, double[][] psi, double shift, double[] v) {
    return Dense.solve(
        Dense.kronecker(
            Dense.shifted(Dense.scaled(scale, phi), shift),
            Dense.shifted(Dense.scaled(scale, psi), shift)),
        v);
  }
}
