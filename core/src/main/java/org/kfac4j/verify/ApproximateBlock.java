package org.kfac4j.verify;

/**
 * F̂: what a preconditioner takes for a layer's Fisher block, undamped, as a matrix over vec(X) of
 * X = [rows, columns] row by row. Built from statistics by the approximation's definition, never by
 * inverting the preconditioner's map: solving for F̂ v would lose digits by the condition number.
 * That the map is the inverse of this, damped, is checked apart by one product.
 */
sealed interface ApproximateBlock permits KroneckerBlock, EigenBlock, RowBlock {
  /** tr F̂. */
  double trace();

  /** F̂ v. */
  double[] times(double[] v);

  /** (P ⊗ Q)ᵀ F̂ (P ⊗ Q), row by row. */
  double[] restricted(Subspace subspace);

  /**
   * M v, M what is inverted: (A + πγ I) ⊗ (G + γ/π I) with γ² = strength for factored damping,
   * arXiv:1503.05671 §6.3, else F̂ + strength I.
   *
   * @param factored whether the damping is
   */
  default double[] damped(double[] v, double strength, boolean factored) {
    if (factored && this instanceof KroneckerBlock block) {
      double gamma = Math.sqrt(strength);
      return block.shifted(block.pi() * gamma, gamma / block.pi()).times(v);
    }
    return Vec.plus(times(v), strength, v);
  }
}
