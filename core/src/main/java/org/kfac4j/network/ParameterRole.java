package org.kfac4j.network;

/** What a block of parameters is to its layer: what curvature can be kept of it depends on that. */
public enum ParameterRole {
  /** A matrix X that rows of inputs are multiplied with: a Kronecker product. */
  WEIGHTS,
  /** Few numbers whose gradients are had example by example: an exact block, or its diagonal. */
  SCALES,
  /** Any other parameters whose gradients are had example by example: a diagonal. */
  OTHER,
  /** Averages over examples, which no gradient moves: no curvature. */
  STATISTICS
}
