package org.kfac4j.curvature;

/**
 * Where the targets come from whose gradients make up the curvature. arXiv:1503.05671 §5 and
 * footnote 3.
 */
public enum FisherType {
  /**
   * One target drawn from the model's own distribution for each example: an unbiased estimate of
   * the Fisher matrix.
   */
  SAMPLED,
  /** The expectation over the model's distribution, one backward pass for each output. */
  EXACT,
  /** The training targets. Costs no backward pass and is not the Fisher matrix. */
  EMPIRICAL
}
