package org.kfac4j.optimizer;

import org.kfac4j.curvature.BlockForm;

/**
 * K-FAC or TKFAC with exact Tikhonov damping in the factors' eigenbases: V ↦ U_A [(U_Aᵀ V U_G) ⊘
 * (s_A s_Gᵀ + λ)] U_Gᵀ = (A ⊗ G + λ I)⁻¹ V, eigenvalues clamped at 0. The form of most
 * implementations for stochastic training (KAISA, Pauloski et al. 2021, arXiv:2107.01739).
 *
 * @param form where the factors come from: {@link BlockForm#KRONECKER} or {@link BlockForm#TRACES}
 */
public record EigenPreconditioner(BlockForm form) implements EigenbasisPreconditioner {
  /** K-FAC. */
  public EigenPreconditioner() {
    this(BlockForm.KRONECKER);
  }

  @Override
  public boolean mapsMayStayAway() {
    return true;
  }

  @Override
  public String describe() {
    return form == BlockForm.KRONECKER ? "Kronecker, eigen" : "trace-restricted, eigen";
  }
}
