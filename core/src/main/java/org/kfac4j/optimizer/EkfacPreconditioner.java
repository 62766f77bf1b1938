package org.kfac4j.optimizer;

import org.jspecify.annotations.Nullable;
import org.kfac4j.Snapshot;
import org.kfac4j.curvature.BlockForm;
import org.kfac4j.curvature.BlockStatistics;
import org.kfac4j.curvature.FactorStatistics;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;

/**
 * EKFAC: K-FAC's eigenbasis with the eigenvalues that are best in it, S = E[(U_Aᵀ Y U_G)∘²] with Y
 * the gradient of one example: V ↦ U_A [(U_Aᵀ V U_G) ⊘ (S + λ)] U_Gᵀ. George et al. 2018,
 * arXiv:1806.03884, §3.2 and algorithm 1. The basis changes at refreshes, S in between.
 *
 * @param scalings how S is estimated; until it is, S = s_A s_Gᵀ
 */
public record EkfacPreconditioner(Scalings scalings) implements Preconditioner {
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
    return "Kronecker eigenbasis";
  }

  @Override
  public String size(ParameterBlock block) {
    return Preconditioner.super.size(block) + " + " + block.shape().size();
  }
}
