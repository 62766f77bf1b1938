package org.kfac4j.network;

import org.jspecify.annotations.Nullable;

/**
 * What the outputs of a block of examples should be. Arrays may be longer than the block.
 *
 * @param labels one class index per row, or null
 * @param vectors [n, width] row by row, or null
 * @param first which row of the arrays row 0 is
 */
public record Targets(int @Nullable [] labels, float @Nullable [] vectors, int first) {
  /** From the arrays' first row on. */
  public Targets(int @Nullable [] labels, float @Nullable [] vectors) {
    this(labels, vectors, 0);
  }

  /** Those from {@code row} on. */
  public Targets after(int row) {
    return new Targets(labels, vectors, first + row);
  }

  /**
   * Target {@code column} of {@code row}, of {@code width} outputs; a class is the unit vector of
   * its index.
   */
  public double at(int row, int column, int width) {
    if (vectors != null) {
      return vectors[(first + row) * width + column];
    }
    return labels != null && labels[first + row] == column ? 1 : 0;
  }
}
