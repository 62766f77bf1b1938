package org.kfac4j.optimizer;

import org.jspecify.annotations.Nullable;
import org.kfac4j.Snapshot;
import org.kfac4j.curvature.BlockForm;
import org.kfac4j.curvature.BlockStatistics;
import org.kfac4j.curvature.FactorStatistics;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;

/**
 * K-FAC or TKFAC with exact Tikhonov damping in the factors' eigenbases: V ↦ U_A [(U_Aᵀ V U_G) ⊘
 * (s_A s_Gᵀ + λ)] U_Gᵀ = (A ⊗ G + λ I)⁻¹ V, eigenvalues clamped at 0. The form of most
 * implementations for stochastic training (KAISA, Pauloski et al. 2021, arXiv:2107.01739).
 *
 * @param form where the factors come from: {@link BlockForm#KRONECKER} or {@link BlockForm#TRACES}
 */
public record EigenPreconditioner(BlockForm form) implements Preconditioner {
  /** K-FAC. */
  public EigenPreconditioner() {
    this(BlockForm.KRONECKER);
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
    return Footprint.eigen(block.rows(), block.columns());
  }

  @Override
  public boolean mapsMayStayAway() {
    return true;
  }

  @Override
  public boolean hasGamma() {
    return false;
  }

  @Override
  public String describe() {
    return form == BlockForm.KRONECKER ? "Kronecker, eigen" : "trace-restricted, eigen";
  }
}
