package org.kfac4j.optimizer;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntConsumer;
import java.util.function.IntToDoubleFunction;
import org.kfac4j.linalg.Blas;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.ParameterRole;

/** Threads of the driver for work on layers, side by side, the costliest first. */
public final class LayerPool implements AutoCloseable {
  private final ExecutorService threads;

  /** With so many threads; close it. */
  public LayerPool(int size) {
    this.threads =
        Executors.newFixedThreadPool(
            size,
            task -> {
              Thread thread = new Thread(task, "kfac4j-curvature");
              thread.setDaemon(true);
              return thread;
            });
  }

  /** Has {@code work} done for 0 … count − 1; every product in it uses one thread. */
  void forEach(int count, IntToDoubleFunction cost, IntConsumer work) {
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      order.add(i);
    }
    order.sort(Comparator.comparingDouble((Integer i) -> -cost.applyAsDouble(i)));
    List<Future<?>> running = new ArrayList<>();
    for (int i : order) {
      running.add(
          threads.submit(
              () -> {
                Blas.useThreads(1);
                work.accept(i);
              }));
    }
    // All of them, also after a failure: what they compute with is freed by whoever hears of it.
    RuntimeException failure = null;
    for (Future<?> each : running) {
      try {
        await(each);
      } catch (RuntimeException e) {
        failure = failure == null ? e : failure;
      }
    }
    if (failure != null) {
      throw failure;
    }
  }

  /** Rough number of multiplications that factorising and preconditioning a block take. */
  static double cost(ParameterBlock block) {
    return cost(block, block.rows(), block.columns());
  }

  /** The same where factors are in blocks of this width at most. */
  static double cost(ParameterBlock block, double inputWidth, double gradientWidth) {
    double r = block.rows();
    double c = block.columns();
    double n = r * c;
    return block.shape().role() == ParameterRole.WEIGHTS
        ? r * inputWidth * inputWidth
            + c * gradientWidth * gradientWidth
            + 2 * n * (inputWidth + gradientWidth)
        : n * n * n;
  }

  private static void await(Future<?> running) {
    boolean interrupted = false;
    while (true) {
      try {
        running.get();
        break;
      } catch (ExecutionException e) {
        if (e.getCause() instanceof RuntimeException failure) {
          throw failure;
        }
        throw new IllegalStateException("work on a layer failed", e.getCause());
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while working on curvature");
    }
  }

  @Override
  public void close() {
    threads.shutdown();
  }
}
