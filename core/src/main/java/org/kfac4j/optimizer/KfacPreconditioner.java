package org.kfac4j.optimizer;

import org.jspecify.annotations.Nullable;
import org.kfac4j.Snapshot;
import org.kfac4j.curvature.BlockForm;
import org.kfac4j.curvature.BlockStatistics;
import org.kfac4j.curvature.FactorStatistics;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;

/**
 * K-FAC with factored Tikhonov damping: V ↦ (A + πγ I)⁻¹ V (G + γ/π I)⁻¹ for V = [rows, columns].
 * Martens and Grosse 2015, arXiv:1503.05671, §4.2 and §6.3. Two cross terms make it differ from (A
 * ⊗ G + γ² I)⁻¹, which is {@link EigenPreconditioner}.
 */
public record KfacPreconditioner() implements Preconditioner {
  @Override
  public BlockForm form() {
    return BlockForm.KRONECKER;
  }

  @Override
  public LinearMap factor(
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
  public LinearMap restore(
      Snapshot snapshot, String prefix, int rows, int columns, DenseMachine machine) {
    return KroneckerInverse.restore(snapshot, prefix, rows, columns, machine);
  }

  @Override
  public Footprint footprint(Network network, ParameterBlock block, Kfac.Statistics asked) {
    return Footprint.factored(block.rows(), block.columns());
  }

  @Override
  public boolean mapsMayStayAway() {
    return true;
  }

  @Override
  public boolean hasGamma() {
    return true;
  }

  @Override
  public String describe() {
    return "Kronecker, factored";
  }
}
