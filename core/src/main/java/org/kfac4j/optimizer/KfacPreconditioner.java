package org.kfac4j.optimizer;

import org.kfac4j.curvature.BlockForm;

/**
 * K-FAC with factored Tikhonov damping: V ↦ (A + πγ I)⁻¹ V (G + γ/π I)⁻¹ for V = [rows, columns].
 * Martens and Grosse 2015, arXiv:1503.05671, §4.2 and §6.3. Two cross terms make it differ from (A
 * ⊗ G + γ² I)⁻¹, which is {@link EigenPreconditioner}.
 */
public record KfacPreconditioner() implements FactoredPreconditioner {
  @Override
  public BlockForm form() {
    return BlockForm.KRONECKER;
  }

  @Override
  public String describe() {
    return "Kronecker, factored";
  }
}
