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
  /** Rows that a block should hold. */
  int blockRows();

  /**
   * Begins a request.
   *
   * @param directions parameter vectors of a {@link Request.Products}, empty otherwise
   */
  BlockCompute open(
      Network network, Request request, Parameters weights, List<Parameters> directions);

  /** Gives memory back that is kept between requests in this process. */
  void release();
}
