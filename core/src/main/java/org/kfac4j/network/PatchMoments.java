package org.kfac4j.network;

import org.jspecify.annotations.Nullable;
import org.kfac4j.linalg.Accumulator;

/** Ω = Σ_t [[A]]_tᵀ [[A]]_t of a convolution without its patch matrix. */
sealed interface PatchMoments permits RowMoments, ShiftMoments {
  /** Sums of more numbers than this cost more to keep than they save. */
  long MOST_PRODUCTS = 2_000_000;

  /**
   * The fastest way for a window, or null if patches have to be made.
   *
   * @param ones whether patches end in a one
   */
  static @Nullable PatchMoments of(Window window, boolean ones) {
    PatchMoments shifts = ShiftMoments.of(window, ones);
    return shifts != null ? shifts : RowMoments.of(window, ones);
  }

  /** Adds {@code scale} Σ [[A]]ᵀ [[A]] of the first n inputs to the lower triangle of a sum. */
  void add(LayerBuffers buffers, int n, double scale, Accumulator sum);
}
