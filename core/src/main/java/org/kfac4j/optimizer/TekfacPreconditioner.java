package org.kfac4j.optimizer;

import org.kfac4j.curvature.BlockForm;

/**
 * TEKFAC: the eigenbasis of TKFAC's factors with the eigenvalues that are best in it, Θ = E[(U_Φᵀ Y
 * U_Ψ)∘²] with Y the gradient of one example: V ↦ U_Φ [(U_Φᵀ V U_Ψ) ⊘ (Θ + λ)] U_Ψᵀ. Gao et al.
 * 2020, arXiv:2011.13609, eq. 3.1 to 3.4 and 3.9. {@link EkfacPreconditioner} with another basis.
 *
 * @param scalings how Θ is estimated; until it is, Θ = δ λ_Φ λ_Ψᵀ. The paper's β₁ is the weight of
 *     the new estimate, one minus the average's
 */
public record TekfacPreconditioner(Scalings scalings) implements EigenbasisPreconditioner {
  @Override
  public BlockForm form() {
    return BlockForm.TRACES;
  }

  @Override
  public String describe() {
    return "trace-restricted eigenbasis";
  }
}
