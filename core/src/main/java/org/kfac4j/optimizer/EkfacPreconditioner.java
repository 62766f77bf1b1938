package org.kfac4j.optimizer;

import org.kfac4j.curvature.BlockForm;

/**
 * EKFAC: K-FAC's eigenbasis with the eigenvalues that are best in it, S = E[(U_Aᵀ Y U_G)∘²] with Y
 * the gradient of one example: V ↦ U_A [(U_Aᵀ V U_G) ⊘ (S + λ)] U_Gᵀ. George et al. 2018,
 * arXiv:1806.03884, §3.2 and algorithm 1. The basis changes at refreshes, S in between.
 *
 * @param scalings how S is estimated; until it is, S = s_A s_Gᵀ
 */
public record EkfacPreconditioner(Scalings scalings) implements EigenbasisPreconditioner {
  @Override
  public BlockForm form() {
    return BlockForm.KRONECKER;
  }

  @Override
  public String describe() {
    return "Kronecker eigenbasis";
  }
}
