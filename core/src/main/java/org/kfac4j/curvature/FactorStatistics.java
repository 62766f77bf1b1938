package org.kfac4j.curvature;

/** Statistics that a Kronecker product A ⊗ G is made of. */
public sealed interface FactorStatistics extends BlockStatistics
    permits KroneckerFactors, TraceFactors {
  /** A and G; may share arrays with this. */
  KroneckerFactors factors();

  /** π, how damping is split between the two factors: (A + πγ I) ⊗ (G + γ/π I). */
  double pi();
}
