package org.kfac4j.optimizer;

import org.jspecify.annotations.Nullable;
import org.kfac4j.Snapshot;
import org.kfac4j.curvature.BlockForm;
import org.kfac4j.curvature.BlockStatistics;
import org.kfac4j.curvature.FactorStatistics;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;

/**
 * TEKFAC: the eigenbasis of TKFAC's factors with the eigenvalues that are best in it, Θ = E[(U_Φᵀ Y
 * U_Ψ)∘²] with Y the gradient of one example: V ↦ U_Φ [(U_Φᵀ V U_Ψ) ⊘ (Θ + λ)] U_Ψᵀ. Gao et al.
 * 2020, arXiv:2011.13609, eq. 3.1 to 3.4 and 3.9. {@link EkfacPreconditioner} with another basis.
 *
 * @param scalings how Θ is estimated; until it is, Θ = δ λ_Φ λ_Ψᵀ. The paper's β₁ is the weight of
 *     the new estimate, one minus the average's
 */
public record TekfacPreconditioner(Scalings scalings) implements Preconditioner {
  @Override
  public BlockForm form() {
    return BlockForm.TRACES;
  }

  @Override
  public LinearMap factor(
      BlockStatistics statistics,
      double strength,
      String layer,
      DenseMachine machine,
      @Nullable LinearMap before) {
    return EigenbasisMap.of(((FactorStatistics) statistics).factors(), strength, layer, machine);
  }

  @Override
  public LinearMap restore(
      Snapshot snapshot, String prefix, int rows, int columns, DenseMachine machine) {
    return EigenbasisMap.restore(snapshot, prefix, rows, columns, machine);
  }

  @Override
  public Footprint footprint(Network network, ParameterBlock block, Kfac.Statistics asked) {
    return scalings.source() == Scalings.Source.EXAMPLES
        ? Footprint.rescaled(block.rows(), block.columns())
        : Footprint.eigen(block.rows(), block.columns());
  }

  @Override
  public boolean hasGamma() {
    return false;
  }

  @Override
  public String describe() {
    return "trace-restricted eigenbasis";
  }

  @Override
  public String size(ParameterBlock block) {
    return Preconditioner.super.size(block) + " + " + block.shape().size();
  }
}
