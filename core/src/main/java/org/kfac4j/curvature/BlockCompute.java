package org.kfac4j.curvature;

/**
 * Computes the sums of one request, block after block. Used by one thread; {@link #close} gives its
 * buffers back.
 */
public interface BlockCompute extends AutoCloseable {
  /** Adds the first {@code n} examples of a block to the sums. */
  void add(Block block, int n);

  /** The sums over all blocks. */
  Sums finish();

  @Override
  void close();
}
