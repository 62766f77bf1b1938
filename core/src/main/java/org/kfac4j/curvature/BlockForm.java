package org.kfac4j.curvature;

/** What is kept of a block's Fisher matrix. */
public enum BlockForm {
  /** A ⊗ G. */
  KRONECKER,
  /** δ Φ ⊗ Ψ with the Fisher matrix's own traces. */
  TRACES,
  /** The rows ā and g of some examples that it is made of. */
  ROWS,
  /** All of it: E[u uᵀ], u the gradient of one example. */
  EXACT,
  /** Its diagonal: E[u²]. */
  DIAGONAL,
  /** Nothing. */
  NONE
}
