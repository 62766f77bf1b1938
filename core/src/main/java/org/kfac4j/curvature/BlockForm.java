package org.kfac4j.curvature;

/** What is kept of a block's Fisher matrix. */
public enum BlockForm {
  /** A ⊗ G. */
  KRONECKER,
  /** All of it: E[u uᵀ], u the gradient of one example. */
  EXACT,
  /** Its diagonal: E[u²]. */
  DIAGONAL
}
