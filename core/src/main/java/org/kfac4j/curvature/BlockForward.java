package org.kfac4j.curvature;

/**
 * Computes outputs of a network, block after block, as a trained network does, without dropout and
 * with running averages, or as in training. Used by one thread; {@link #close} gives its buffers
 * back.
 */
public interface BlockForward extends AutoCloseable {
  /**
   * Computes the outputs z of the first n rows of {@code features}, [n, inputs].
   *
   * @param n at most as many as it was made for
   */
  void run(float[] features, int n);

  /**
   * As {@link #run}, but as in training: with dropout, and batch normalisation by the statistics of
   * these rows.
   *
   * @param key of the random numbers that dropout draws, of a batch: {@code Hashing.key(seed,
   *     start)}
   * @param ids of the rows' examples
   */
  void runTraining(float[] features, int n, long key, long[] ids);

  /**
   * Copies a value of the last run's rows to {@code target}, [n, its size].
   *
   * @param index of the value: 0 for the input, i + 1 for what comes out of layer i
   */
  void value(int index, double[] target);

  @Override
  void close();
}
