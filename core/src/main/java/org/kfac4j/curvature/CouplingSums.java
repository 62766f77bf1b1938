package org.kfac4j.curvature;

import org.kfac4j.network.Network;

/** Sums over examples that concern several layers, in a workspace's buffers. */
interface CouplingSums {
  /**
   * Adds what is made of the inputs and gradients of all layers after a backward pass, of the first
   * n examples.
   *
   * @param pass which of the block's backward passes it was, from 0 on
   * @param source whose examples they are; the gradients have √w of its weights in them
   */
  void add(int n, int pass, Block source);

  /** Adds all sums, as they travel, to {@code sums}. */
  void put(Sums sums);

  /** All sums zero. */
  static CouplingSums of(Coupling coupling, Network network, Workspace workspace) {
    return switch (coupling) {
      case NEIGHBOURS -> new CrossSums(network, workspace);
      case COARSE -> new CoarseSums(network, workspace);
      case NONE ->
          new CouplingSums() {
            @Override
            public void add(int n, int pass, Block source) {
              // Blocks have nothing to do with each other.
            }

            @Override
            public void put(Sums sums) {
              // As above.
            }
          };
    };
  }
}
