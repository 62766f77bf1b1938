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
import org.kfac4j.curvature.KroneckerFactors;
import org.kfac4j.curvature.RunningAverage;
import org.kfac4j.curvature.Sums;
import org.kfac4j.linalg.Blas;
import org.kfac4j.linalg.Packed;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;

/**
 * The running averages of all layers' factors, and inverses made of them. The state of K-FAC that
 * is not about steps.
 */
final class Curvature implements AutoCloseable {
  private final Kfac settings;
  private final List<ParameterBlock> blocks;
  private final List<KroneckerFactors> averages = new ArrayList<>();
  private final ExecutorService pool;
  private long batches;

  Curvature(Kfac settings, Network network, @Nullable Snapshot saved) {
    this.settings = settings;
    this.blocks = network.blocks();
    this.batches = saved == null ? 0 : saved.longValue("statistics");
    for (int i = 0; i < blocks.size(); i++) {
      ParameterBlock block = blocks.get(i);
      averages.add(
          new KroneckerFactors(
              saved == null
                  ? new double[Packed.length(block.rows())]
                  : saved.doubles("A " + i).clone(),
              saved == null
                  ? new double[Packed.length(block.columns())]
                  : saved.doubles("G " + i).clone(),
              block.rows(),
              block.columns()));
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
  void update(Sums sums, int k) {
    batches++;
    double epsilon =
        RunningAverage.weightOfPast(
            batches, settings.statistics().average(), settings.statistics().period());
    forEachLayer(
        i -> {
          ParameterBlock block = blocks.get(i);
          KroneckerFactors average = averages.get(i);
          average.update(sums, block.layer(), epsilon);
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
          maps[i] =
              settings
                  .preconditioner()
                  .factor(averages.get(i), strength, block.name(), settings.machine());
        });
    return new Inverse(List.of(maps));
  }

  /** The inverse that {@link Inverse#save} saved. */
  Inverse restore(Snapshot snapshot) {
    LinearMap[] maps = new LinearMap[blocks.size()];
    forEachLayer(
        i -> {
          ParameterBlock block = blocks.get(i);
          maps[i] =
              settings
                  .preconditioner()
                  .restore(
                      snapshot,
                      "inverse " + i + " ",
                      block.rows(),
                      block.columns(),
                      settings.machine());
        });
    return new Inverse(List.of(maps));
  }

  /** Per layer: π, mean eigenvalues of A and G, and the recovery rung of its inverse. */
  Map<String, Double> health(Inverse inverse) {
    Map<String, Double> health = new TreeMap<>();
    for (int i = 0; i < blocks.size(); i++) {
      ParameterBlock block = blocks.get(i);
      KroneckerFactors factors = averages.get(i);
      health.put(block.name() + " pi", factors.pi());
      health.put(
          block.name() + " A", Packed.trace(factors.inputs(), factors.rows()) / factors.rows());
      health.put(
          block.name() + " G",
          Packed.trace(factors.gradients(), factors.columns()) / factors.columns());
      health.put(block.name() + " recovery", (double) inverse.maps.get(i).recoveries());
    }
    return health;
  }

  void save(Snapshot snapshot) {
    snapshot.put("statistics", batches);
    for (int i = 0; i < blocks.size(); i++) {
      snapshot.put("A " + i, averages.get(i).inputs().clone());
      snapshot.put("G " + i, averages.get(i).gradients().clone());
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

  private static double cost(ParameterBlock block) {
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
