package org.kfac4j.curvature;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.kfac4j.Check;
import org.kfac4j.linalg.Blas;
import org.kfac4j.linalg.Precision;
import org.kfac4j.network.BatchNormalizationLayer;
import org.kfac4j.network.Network;

/**
 * Computes with ND4J and OpenBLAS on this machine's processor.
 *
 * @param precision float to train, double to check
 * @param largestBlock examples of a block at most; large enough for matrix products to be
 *     efficient, small enough for caches
 * @param normalizationBlock examples of a block of a network with batch normalisation, which takes
 *     its statistics of them
 * @param threads of one task; Spark's {@code spark.task.cpus}
 */
public record Nd4jBackend(
    Precision precision, int largestBlock, int normalizationBlock, int threads)
    implements ComputeBackend {
  /**
   * Idle workspaces of this process by what they were made for. Caches only: results do not depend
   * on them.
   */
  private static final Map<Key, Deque<Workspace>> IDLE = new HashMap<>();

  private record Key(Network network, Precision precision, int capacity) {}

  /**
   * Numbers that the values of a block may have, 64 MB in single precision: gradients and tangents
   * take as much again. A convolution computes in pieces of its own and does not need large blocks.
   */
  private static final long VALUES = 1 << 24;

  public Nd4jBackend {
    Check.that(largestBlock >= 1, "training.block-rows must be at least 1, got %d", largestBlock);
    Check.that(
        normalizationBlock >= 1,
        "training.batch-normalization-rows must be at least 1, got %d",
        normalizationBlock);
    Check.that(threads >= 1, "threads per task must be at least 1, got %d", threads);
  }

  @Override
  public BlockCompute open(
      Network network, Request request, Parameters weights, List<Parameters> vectors) {
    Check.that(
        weights.length() == network.parameterCount(),
        "the network has %d parameters, got %d weights",
        network.parameterCount(),
        weights.length());
    Blas.useThreads(threads);
    Key key = new Key(network, precision, blockCapacity(network));
    Workspace workspace = borrow(key);
    return new Nd4jCompute(
        network, request, weights, vectors, workspace, () -> giveBack(key, workspace));
  }

  @Override
  public BlockForward forward(Network network, Parameters weights, int rows) {
    Blas.useThreads(threads);
    return new Nd4jForward(network, weights, new Workspace(network, precision, rows), rows);
  }

  @Override
  public int blockRows(Network network) {
    if (network.layers().stream().anyMatch(BatchNormalizationLayer.class::isInstance)) {
      return normalizationBlock;
    }
    long perExample = 0;
    for (int value = 0; value <= network.layers().size(); value++) {
      perExample += network.value(value).size();
    }
    return (int) Math.max(1, Math.min(largestBlock, VALUES / perExample));
  }

  private static Workspace borrow(Key key) {
    synchronized (IDLE) {
      Deque<Workspace> idle = IDLE.get(key);
      if (idle != null && !idle.isEmpty()) {
        return idle.pop();
      }
      // Another network's buffers are not kept beside this one's.
      IDLE.keySet().stream()
          .filter(other -> !other.equals(key))
          .toList()
          .forEach(Nd4jBackend::free);
    }
    return new Workspace(key.network, key.precision, key.capacity);
  }

  private static void giveBack(Key key, Workspace workspace) {
    synchronized (IDLE) {
      IDLE.computeIfAbsent(key, k -> new ArrayDeque<>()).push(workspace);
    }
  }

  private static void free(Key key) {
    Deque<Workspace> idle = IDLE.remove(key);
    if (idle != null) {
      idle.forEach(Workspace::close);
    }
  }

  @Override
  public void release() {
    synchronized (IDLE) {
      List.copyOf(IDLE.keySet()).forEach(Nd4jBackend::free);
    }
  }
}
