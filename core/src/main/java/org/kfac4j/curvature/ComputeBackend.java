package org.kfac4j.curvature;

import java.io.Serializable;
import java.util.List;
import org.kfac4j.network.Network;

/**
 * What computes on blocks of examples: forward and backward passes, forward-mode products and sums.
 * The one seam between kfac4j and a device; what is above it holds heap arrays only. Travels to
 * executors.
 */
public interface ComputeBackend extends Serializable {
  /** Examples that a block should have. */
  int blockRows(Network network);

  /**
   * Examples that a block can have: a quarter more, so that a partition's last few examples join
   * the block before them instead of costing as many passes over the weights as a block of their
   * own.
   */
  default int blockCapacity(Network network) {
    int rows = blockRows(network);
    return rows + rows / 4;
  }

  /**
   * Begins a request.
   *
   * @param vectors directions in parameter space of a {@link Request.Products}, bases of statistics
   *     with scalings, empty otherwise
   */
  BlockCompute open(Network network, Request request, Parameters weights, List<Parameters> vectors);

  /**
   * Begins to compute outputs.
   *
   * @param rows of a block, at most
   */
  BlockForward forward(Network network, Parameters weights, int rows);

  /** Gives memory back that is kept between requests in this process. */
  void release();
}
