package org.kfac4j.optimizer;

import org.jspecify.annotations.Nullable;
import org.kfac4j.Snapshot;
import org.kfac4j.curvature.BlockForms;
import org.kfac4j.curvature.BlockStatistics;
import org.kfac4j.curvature.FactorStatistics;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;

/**
 * What preconditioners have in common that divide in the eigenbasis of two factors: V ↦ U_A [(U_Aᵀ
 * V U_G) ⊘ (S + λ)] U_Gᵀ, S = s_A s_Gᵀ until {@link Scalings} say otherwise.
 */
interface EigenbasisPreconditioner extends Preconditioner {
  @Override
  default LinearMap factor(
      BlockStatistics statistics,
      double strength,
      String layer,
      DenseMachine machine,
      @Nullable LinearMap before) {
    return EigenbasisMap.of(((FactorStatistics) statistics).factors(), strength, layer, machine);
  }

  @Override
  default LinearMap restore(
      Snapshot snapshot, String prefix, int rows, int columns, DenseMachine machine) {
    return EigenbasisMap.restore(snapshot, prefix, machine);
  }

  @Override
  default Footprint footprint(Network network, ParameterBlock block, Kfac.Statistics asked) {
    Scalings scalings = scalings();
    Footprint eigen =
        Footprint.eigen(asked.forms().inputBlocks(block), asked.forms().gradientBlocks(block));
    return scalings != null && scalings.source() == Scalings.Source.EXAMPLES
        ? eigen.withSentBases(block.shape().size())
        : eigen;
  }

  @Override
  default boolean hasGamma() {
    return false;
  }

  @Override
  default String size(ParameterBlock block, BlockForms forms) {
    String factors = Preconditioner.super.size(block, forms);
    return scalings() == null ? factors : factors + " + " + block.shape().size();
  }
}
