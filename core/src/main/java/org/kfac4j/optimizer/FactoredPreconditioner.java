package org.kfac4j.optimizer;

import org.jspecify.annotations.Nullable;
import org.kfac4j.Snapshot;
import org.kfac4j.curvature.BlockStatistics;
import org.kfac4j.curvature.FactorStatistics;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;

/**
 * What preconditioners have in common that damp and invert two factors one by one: V ↦ (A + πγ I)⁻¹
 * V (G + γ/π I)⁻¹ for V = [rows, columns], with A, G and π of their statistics.
 */
interface FactoredPreconditioner extends Preconditioner {
  @Override
  default LinearMap factor(
      BlockStatistics statistics,
      double strength,
      String layer,
      DenseMachine machine,
      @Nullable LinearMap before) {
    FactorStatistics factors = (FactorStatistics) statistics;
    double gamma = Math.sqrt(strength);
    double pi = factors.pi();
    return KroneckerInverse.of(factors.factors(), pi * gamma, gamma / pi, machine);
  }

  @Override
  default LinearMap restore(
      Snapshot snapshot, String prefix, int rows, int columns, DenseMachine machine) {
    return KroneckerInverse.restore(snapshot, prefix, machine);
  }

  @Override
  default Footprint footprint(Network network, ParameterBlock block, Kfac.Statistics asked) {
    return Footprint.factored(
        asked.forms().inputBlocks(block), asked.forms().gradientBlocks(block));
  }

  @Override
  default boolean mapsMayStayAway() {
    return true;
  }

  @Override
  default boolean hasGamma() {
    return true;
  }
}
