package org.kfac4j.curvature;

/** What is kept of the Fisher matrix between blocks of weights. */
public enum Coupling {
  /** Nothing: the matrix is taken for block-diagonal. */
  NONE,
  /** Cross moments of each block and the next: {@link CouplingMoments}. */
  NEIGHBOURS,
  /** What all blocks' sums have to do with each other: {@link CouplingMoments}. */
  COARSE
}
