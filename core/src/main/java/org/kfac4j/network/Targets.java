package org.kfac4j.network;

import org.jspecify.annotations.Nullable;

/**
 * What the outputs of a block of examples should be. Arrays may be longer than the block.
 *
 * @param labels one class index per row, or null
 * @param vectors [n, width] row by row, or null
 */
public record Targets(int @Nullable [] labels, float @Nullable [] vectors) {
  /**
   * Target {@code column} of {@code row}, of {@code width} outputs; a class is the unit vector of
   * its index.
   */
  public double at(int row, int column, int width) {
    if (vectors != null) {
      return vectors[row * width + column];
    }
    return labels != null && labels[row] == column ? 1 : 0;
  }
}
