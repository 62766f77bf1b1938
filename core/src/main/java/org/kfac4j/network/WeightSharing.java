package org.kfac4j.network;

/**
 * How a layer that is applied to T positions of an example makes the two factors of its Fisher
 * block from its inputs ā_t and the gradients g_t. All three are the same where T = 1.
 */
public enum WeightSharing {
  /**
   * A = E[Σ_t ā_t ā_tᵀ], G = E[Σ_t g_t g_tᵀ] / T: Ω and Γ of Grosse and Martens 2016,
   * arXiv:1602.01407, theorem 1.
   */
  KFC,
  /**
   * A = E[Σ_t ā_t ā_tᵀ] / T, G = E[Σ_t g_t g_tᵀ]: Eschenhagen et al. 2023, arXiv:2311.00636, eq. 7.
   * The same product A ⊗ G as {@link #KFC}, another split of T between the factors.
   */
  EXPAND,
  /** A = E[(Σ_t ā_t)(Σ_t ā_t)ᵀ] / T², G = E[(Σ_t g_t)(Σ_t g_t)ᵀ]: arXiv:2311.00636, eq. 10. */
  REDUCE;

  /** What a sum of ā āᵀ is multiplied by. */
  public double inputScale(int positions) {
    return switch (this) {
      case KFC -> 1;
      case EXPAND -> 1.0 / positions;
      case REDUCE -> 1.0 / positions / positions;
    };
  }

  /** What a sum of g gᵀ is multiplied by. */
  public double gradientScale(int positions) {
    return this == KFC ? 1.0 / positions : 1;
  }
}
