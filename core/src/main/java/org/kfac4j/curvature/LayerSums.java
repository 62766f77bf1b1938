package org.kfac4j.curvature;

import org.kfac4j.network.LayerBuffers;

/**
 * Sums over examples that one layer's curvature is made of, in a workspace's buffers. All are of
 * the first n examples of a block.
 */
interface LayerSums {
  /** Adds what is made of inputs alone: called once for every block. */
  default void addInputs(LayerBuffers buffers, int n, Block block) {}

  /**
   * Adds what is made of the gradients that have come back to the layer: called in every backward
   * pass.
   *
   * @param pass which of the block's backward passes it is, from 0 on
   * @param block whose examples they are; the gradients have √w of its weights in them
   */
  void addGradients(LayerBuffers buffers, int n, int pass, Block block);

  /** Adds all sums, as they travel, to {@code sums}. */
  void put(Sums sums);
}
