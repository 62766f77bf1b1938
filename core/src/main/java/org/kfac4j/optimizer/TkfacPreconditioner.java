package org.kfac4j.optimizer;

import org.kfac4j.curvature.BlockForm;

/**
 * TKFAC: F ≈ δ Φ ⊗ Ψ, which has the Fisher matrix's trace, inverted with δ split evenly, V ↦ (√δ Φ
 * + √λ I)⁻¹ V (√δ Ψ + √λ I)⁻¹. Gao et al. 2020, arXiv:2011.10741, eq. 4.9, 5.14 and 5.15. Their
 * other damping (eq. 5.16) is this one with {@link RelativeDamping}.
 */
public record TkfacPreconditioner() implements FactoredPreconditioner {
  @Override
  public BlockForm form() {
    return BlockForm.TRACES;
  }

  @Override
  public String describe() {
    return "trace-restricted, factored";
  }
}
