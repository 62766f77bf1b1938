package org.kfac4j.optimizer;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.kfac4j.Snapshot;
import org.kfac4j.curvature.BlockForm;
import org.kfac4j.curvature.BlockStatistics;
import org.kfac4j.curvature.DiagonalStatistics;
import org.kfac4j.curvature.ExactStatistics;
import org.kfac4j.curvature.KroneckerFactors;
import org.kfac4j.curvature.Sums;
import org.kfac4j.data.Batch;
import org.kfac4j.linalg.Blas;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;

/**
 * The running averages of all layers' factors, and inverses made of them. The state of K-FAC that
 * is not about steps.
 */
final class Curvature implements AutoCloseable {
  private final Kfac settings;
  private final List<ParameterBlock> blocks;
  private final List<BlockStatistics> averages = new ArrayList<>();
  private final ExecutorService pool;
  private long batches;

  Curvature(Kfac settings, Network network, @Nullable Snapshot saved) {
    this.settings = settings;
    this.blocks = network.blocks();
    this.batches = saved == null ? 0 : saved.longValue("statistics");
    for (int i = 0; i < blocks.size(); i++) {
      ParameterBlock block = blocks.get(i);
      BlockStatistics zeros = BlockStatistics.zeros(block, settings.statistics().forms().of(block));
      if (saved != null) {
        zeros.restore(saved, String.valueOf(i));
      }
      averages.add(zeros);
    }
    this.pool =
        Executors.newFixedThreadPool(
            settings.machine().threads(),
            task -> {
              Thread thread = new Thread(task, "kfac4j-curvature");
              thread.setDaemon(true);
              return thread;
            });
  }

  /**
   * Moves the running averages towards a batch's statistics.
   *
   * @throws DivergedException naming iteration {@code k} and the layer if they are not finite
   */
  void update(Sums sums, Batch batch, int k) {
    batches++;
    double epsilon = settings.statistics().weightOfPast(batches, batch);
    forEachLayer(
        i -> {
          ParameterBlock block = blocks.get(i);
          BlockStatistics average = averages.get(i);
          average.update(sums, block, epsilon);
          if (!average.isFinite()) {
            throw new DivergedException(
                "iteration " + k + ": the curvature of layer " + block.name() + " is not finite");
          }
        });
  }

  /**
   * Inverts all layers' blocks.
   *
   * @param lambda λ, to which each layer's η is added; ignored if {@code gamma} is given
   * @param gamma γ, or null for sqrt(λ + η)
   */
  Inverse invert(double lambda, @Nullable Double gamma) {
    LinearMap[] maps = new LinearMap[blocks.size()];
    forEachLayer(
        i -> {
          ParameterBlock block = blocks.get(i);
          double strength = gamma == null ? lambda + block.penalty().weights() : gamma * gamma;
          maps[i] = invert(averages.get(i), strength, block.name());
        });
    return new Inverse(List.of(maps));
  }

  private LinearMap invert(BlockStatistics average, double strength, String name) {
    if (average instanceof KroneckerFactors factors) {
      return settings.preconditioner().factor(factors, strength, name, settings.machine());
    }
    if (average instanceof ExactStatistics exact) {
      return ExactInverse.of(exact, strength, settings.machine());
    }
    return DiagonalInverse.of((DiagonalStatistics) average, strength);
  }

  /** The inverse that {@link Inverse#save} saved. */
  Inverse restore(Snapshot snapshot) {
    LinearMap[] maps = new LinearMap[blocks.size()];
    forEachLayer(
        i -> {
          ParameterBlock block = blocks.get(i);
          maps[i] = restore(snapshot, "inverse " + i + " ", block);
        });
    return new Inverse(List.of(maps));
  }

  private LinearMap restore(Snapshot snapshot, String prefix, ParameterBlock block) {
    return switch (settings.statistics().forms().of(block)) {
      case KRONECKER ->
          settings
              .preconditioner()
              .restore(snapshot, prefix, block.rows(), block.columns(), settings.machine());
      case EXACT ->
          ExactInverse.restore(snapshot, prefix, block.shape().size(), settings.machine());
      case DIAGONAL -> DiagonalInverse.restore(snapshot, prefix);
    };
  }

  /** Per block: what its statistics say of themselves, and the recovery rung of its inverse. */
  Map<String, Double> health(Inverse inverse) {
    Map<String, Double> health = new TreeMap<>();
    for (int i = 0; i < blocks.size(); i++) {
      ParameterBlock block = blocks.get(i);
      averages
          .get(i)
          .health()
          .forEach((figure, value) -> health.put(block.name() + " " + figure, value));
      health.put(block.name() + " recovery", (double) inverse.maps.get(i).recoveries());
    }
    return health;
  }

  void save(Snapshot snapshot) {
    snapshot.put("statistics", batches);
    for (int i = 0; i < blocks.size(); i++) {
      averages.get(i).save(snapshot, String.valueOf(i));
    }
  }

  /**
   * Runs {@code work} for each layer, the costliest first, as many at a time as the machine has
   * threads.
   */
  private void forEachLayer(Consumer<Integer> work) {
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < blocks.size(); i++) {
      order.add(i);
    }
    order.sort(
        Comparator.comparingDouble((Integer i) -> -cost(blocks.get(i))).thenComparing(i -> i));
    List<Future<?>> running = new ArrayList<>();
    for (int i : order) {
      running.add(
          pool.submit(
              () -> {
                Blas.useThreads(1);
                work.accept(i);
              }));
    }
    for (Future<?> each : running) {
      try {
        each.get();
      } catch (ExecutionException e) {
        if (e.getCause() instanceof RuntimeException failure) {
          throw failure;
        }
        throw new IllegalStateException("work on a layer failed", e.getCause());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("interrupted while working on curvature", e);
      }
    }
  }

  private double cost(ParameterBlock block) {
    if (settings.statistics().forms().of(block) != BlockForm.KRONECKER) {
      double n = block.shape().size();
      return n * n * n;
    }
    double r = block.rows();
    double c = block.columns();
    return r * r * r + c * c * c + 2 * r * c * (r + c);
  }

  @Override
  public void close() {
    pool.shutdown();
  }

  /** Inverses of all layers' blocks, ready to apply to gradients. */
  final class Inverse implements AutoCloseable {
    private final List<LinearMap> maps;

    private Inverse(List<LinearMap> maps) {
      this.maps = maps;
    }

    /** −F̆⁻¹ v. */
    double[] descent(double[] v) {
      double[] result = new double[v.length];
      forEachLayer(
          i -> {
            ParameterBlock block = blocks.get(i);
            maps.get(i).apply(v, block.offset(), result);
            for (int j = block.offset(); j < block.end(); j++) {
              result[j] = -result[j];
            }
          });
      return result;
    }

    void save(Snapshot snapshot) {
      for (int i = 0; i < maps.size(); i++) {
        maps.get(i).save(snapshot, "inverse " + i + " ");
      }
    }

    @Override
    public void close() {
      maps.forEach(LinearMap::close);
    }
  }
}
