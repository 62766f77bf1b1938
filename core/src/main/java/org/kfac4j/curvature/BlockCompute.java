package org.kfac4j.curvature;

/**
 * Computes the sums of one request, block after block. Used by one thread; {@link #close} gives its
 * buffers back.
 */
public interface BlockCompute extends AutoCloseable {
  /**
   * Adds the examples of a block to the sums.
   *
   * @param statistics whether they are in the request's statistics, too
   */
  void add(Block block, boolean statistics);

  /** The sums over all blocks. */
  Sums finish();

  @Override
  void close();
}
