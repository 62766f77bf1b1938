package org.kfac4j.optimizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntConsumer;
import java.util.function.IntToDoubleFunction;
import org.jspecify.annotations.Nullable;
import org.kfac4j.Snapshot;
import org.kfac4j.curvature.BlockForms;
import org.kfac4j.curvature.BlockStatistics;
import org.kfac4j.curvature.CouplingMoments;
import org.kfac4j.curvature.SumNames;
import org.kfac4j.curvature.Sums;
import org.kfac4j.data.Batch;
import org.kfac4j.linalg.Vectors;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.ParameterRole;

/**
 * The running averages of all layers' statistics, and inverses made of them. The state of K-FAC
 * that is not about steps.
 */
final class Curvature implements AutoCloseable {
  private final Kfac settings;
  private final BlockForms forms;
  private final Network network;
  private final List<ParameterBlock> blocks;
  private final List<BlockStatistics> averages = new ArrayList<>();
  private final CouplingMoments coupling;
  private final LayerPool pool;
  private long batches;

  Curvature(Kfac settings, Network network, @Nullable Snapshot saved) {
    this.settings = settings;
    this.forms = settings.forms();
    this.network = network;
    this.blocks = network.blocks();
    this.batches = saved == null ? 0 : saved.longValue("statistics");
    this.coupling = new CouplingMoments(forms.coupling(), network);
    for (int i = 0; i < blocks.size(); i++) {
      BlockStatistics zeros =
          BlockStatistics.zeros(network, blocks.get(i), forms, settings.statistics().window());
      if (saved != null) {
        zeros.restore(saved, String.valueOf(i));
      }
      averages.add(zeros);
    }
    if (saved != null) {
      coupling.restore(saved);
    }
    this.pool = new LayerPool(settings.machine().threads());
  }

  /**
   * Moves the running averages towards a batch's statistics.
   *
   * @throws DivergedException naming iteration {@code k} and the layer if they are not finite
   */
  void update(Sums sums, Batch batch, int k) {
    batches++;
    double epsilon = settings.statistics().weightOfPast(batches, batch);
    forEachBlock(
        i -> {
          ParameterBlock block = blocks.get(i);
          BlockStatistics average = averages.get(i);
          average.update(sums, block, epsilon);
          if (!average.isFinite()) {
            throw new DivergedException(
                "iteration " + k + ": the curvature of layer " + block.name() + " is not finite");
          }
        });
    coupling.update(sums, epsilon);
    coupling
        .notFinite()
        .ifPresent(
            name -> {
              throw new DivergedException(
                  "iteration " + k + ": the moments " + name + " of layers are not finite");
            });
  }

  /**
   * Inverts all blocks.
   *
   * @param gamma γ, or null for sqrt(λ + η)
   * @param before the inverse of the last refresh, or null; left alone
   * @param workers who may do it where the settings say so, or null for the driver alone
   */
  Inverse invert(
      double lambda,
      @Nullable Double gamma,
      @Nullable Inverse before,
      @Nullable LayerWorkers workers) {
    // Eigenvalues that are estimated come later: Inverse.damp then follows them, but for blocks of
    // scales, which are inverted here.
    double[] strengths = strengths(dampings(lambda, this::trace), gamma);
    LinearMap[] maps = new LinearMap[blocks.size()];
    try {
      if (workers != null && settings.invertsOnExecutors(network)) {
        makeElsewhere(workers, strengths, maps);
      }
      forEachBlock(
          i -> {
            if (maps[i] == null) {
              maps[i] =
                  settings
                      .preconditioner()
                      .invert(
                          blocks.get(i),
                          averages.get(i),
                          strengths[i],
                          settings.machine(),
                          before == null ? null : before.maps.get(i));
            }
          });
      NetworkParts parts = parts(strengths, List.of(maps));
      return new Inverse(parts, settings.preconditioner().assemble(parts));
    } catch (RuntimeException e) {
      Arrays.stream(maps).filter(map -> map != null).forEach(LinearMap::close);
      throw e;
    }
  }

  /** Has workers make the maps of layers of weights. */
  private void makeElsewhere(LayerWorkers workers, double[] strengths, LinearMap[] maps) {
    Preconditioner preconditioner = settings.preconditioner();
    List<Integer> there = new ArrayList<>();
    List<LayerTask> tasks = new ArrayList<>();
    for (int i = 0; i < maps.length; i++) {
      ParameterBlock block = blocks.get(i);
      if (block.shape().role() == ParameterRole.WEIGHTS) {
        there.add(i);
        tasks.add(
            new LayerTask(
                preconditioner,
                averages.get(i),
                strengths[i],
                block.name(),
                block.rows(),
                block.columns(),
                settings.machine(),
                settings.cost(block)));
      }
    }
    LayerWorkers.Made made = workers.make(tasks);
    if (preconditioner.mapsMayStayAway()) {
      int[] recoveries = made.recoveries();
      for (int k = 0; k < tasks.size(); k++) {
        maps[there.get(k)] = new RemoteMap(made, k, recoveries[k]);
      }
      return;
    }
    try (made) {
      List<Snapshot> saved = made.save();
      for (int k = 0; k < tasks.size(); k++) {
        maps[there.get(k)] = tasks.get(k).restore(saved.get(k));
      }
    }
  }

  private NetworkParts parts(double[] strengths, List<LinearMap> maps) {
    return new NetworkParts(network, averages, coupling, strengths, maps, settings.machine(), pool);
  }

  private double trace(int i) {
    return settings.preconditioner().trace(averages.get(i));
  }

  /** What is added to each block's curvature: its λ and η, or γ². */
  private double[] strengths(double[] dampings, @Nullable Double gamma) {
    double[] strengths = new double[dampings.length];
    for (int i = 0; i < strengths.length; i++) {
      strengths[i] =
          gamma == null ? dampings[i] + blocks.get(i).penalty().weights() : gamma * gamma;
    }
    return strengths;
  }

  /**
   * λ of each block: the same for all, or {@link RelativeDamping} if the settings say so.
   *
   * @param trace of a block's Fisher matrix
   */
  private double[] dampings(double lambda, IntToDoubleFunction trace) {
    if (settings.relativeDamping() == null) {
      double[] same = new double[blocks.size()];
      Arrays.fill(same, lambda);
      return same;
    }
    return settings.relativeDamping().of(network, trace, lambda);
  }

  /** The inverse that {@link Inverse#save} saved. */
  Inverse restore(Snapshot snapshot) {
    LinearMap[] maps = new LinearMap[blocks.size()];
    forEachBlock(i -> maps[i] = restore(snapshot, "inverse " + i + " ", blocks.get(i)));
    NetworkParts parts = parts(snapshot.doubles("strengths"), List.of(maps));
    return new Inverse(parts, settings.preconditioner().reassemble(parts, snapshot));
  }

  private LinearMap restore(Snapshot snapshot, String prefix, ParameterBlock block) {
    if (block.shape().role() == ParameterRole.WEIGHTS) {
      return settings
          .preconditioner()
          .restore(snapshot, prefix, block.rows(), block.columns(), settings.machine());
    }
    return switch (forms.of(block)) {
      case EXACT ->
          ExactInverse.restore(snapshot, prefix, block.shape().size(), settings.machine());
      case DIAGONAL -> DiagonalInverse.restore(snapshot, prefix);
      default -> new Identity(block.shape().size());
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
      inverse
          .maps
          .get(i)
          .figures()
          .forEach((figure, value) -> health.put(block.name() + " " + figure, value));
      health.put(
          block.name() + " recovery",
          (double) Math.max(inverse.maps.get(i).recoveries(), inverse.whole.recoveries()));
    }
    return health;
  }

  void save(Snapshot snapshot) {
    snapshot.put("statistics", batches);
    for (int i = 0; i < blocks.size(); i++) {
      averages.get(i).save(snapshot, String.valueOf(i));
    }
    coupling.save(snapshot);
  }

  private void forEachBlock(IntConsumer work) {
    pool.forEach(blocks.size(), i -> settings.cost(blocks.get(i)), work);
  }

  @Override
  public void close() {
    pool.close();
  }

  /** Inverses of all layers' blocks, ready to apply to gradients. */
  final class Inverse implements AutoCloseable {
    private final List<LinearMap> maps;
    private final double[] strengths;
    private final NetworkMap whole;

    private Inverse(NetworkParts parts, NetworkMap whole) {
      this.maps = parts.maps();
      this.strengths = parts.strengths();
      this.whole = whole;
    }

    /** −C⁻¹ v. */
    double[] descent(double[] v) {
      double[] result = whole.apply(v);
      Vectors.forRanges(
          0,
          result.length,
          (from, to) -> {
            for (int i = from; i < to; i++) {
              result[i] = -result[i];
            }
          });
      return result;
    }

    /** U_Aᵀ and U_Gᵀ of one block of weights after the other. */
    List<double[]> bases() {
      List<double[]> bases = new ArrayList<>();
      for (LinearMap map : maps) {
        if (map instanceof EigenbasisMap eigen) {
          bases.add(eigen.inputBasis());
          bases.add(eigen.gradientBasis());
        }
      }
      return bases;
    }

    /**
     * Takes the eigenvalues from sums over examples' squared projections.
     *
     * @param weightOfPast of a running average
     */
    void rescale(Sums sums, double weightOfPast) {
      double count = sums.scalar(SumNames.STATISTICS_COUNT);
      forEachEigen(
          (i, eigen) ->
              sums.average(
                  SumNames.scalings(blocks.get(i)), count, weightOfPast, eigen.eigenvalues()));
    }

    /**
     * Takes the eigenvalues from a mean gradient's squared projection.
     *
     * @param gradient of the loss, without l2
     * @param count examples that it is the mean of
     * @param weightOfPast of a running average
     */
    void rescale(double[] gradient, long count, double weightOfPast) {
      forEachEigen(
          (i, eigen) -> eigen.average(gradient, blocks.get(i).offset(), count, weightOfPast));
    }

    /** λ of each block, with the statistics and eigenvalues of this moment. */
    double[] dampings(double lambda) {
      return Curvature.this.dampings(lambda, this::trace);
    }

    /** The sum of eigenvalues that are estimated, else the trace that the statistics have. */
    private double trace(int i) {
      boolean estimated = settings.preconditioner().scalings() != null;
      return estimated && maps.get(i) instanceof EigenbasisMap eigen
          ? eigen.trace()
          : Curvature.this.trace(i);
    }

    /** Sets what is added to the blocks' curvature. */
    void damp(double lambda) {
      double[] now = strengths(dampings(lambda), null);
      System.arraycopy(now, 0, strengths, 0, now.length);
      forEachEigen((i, eigen) -> eigen.damp(strengths[i]));
    }

    private void forEachEigen(EigenWork work) {
      forEachBlock(
          i -> {
            if (maps.get(i) instanceof EigenbasisMap eigen) {
              work.apply(i, eigen);
            }
          });
    }

    void save(Snapshot snapshot) {
      snapshot.put("strengths", strengths.clone());
      IdentityHashMap<LayerWorkers.Made, List<Snapshot>> fetched = new IdentityHashMap<>();
      for (int i = 0; i < maps.size(); i++) {
        String prefix = "inverse " + i + " ";
        if (maps.get(i) instanceof RemoteMap map) {
          fetched
              .computeIfAbsent(map.made(), LayerWorkers.Made::save)
              .get(map.index())
              .entries()
              .forEach((name, value) -> snapshot.putAny(prefix + name, value));
        } else {
          maps.get(i).save(snapshot, prefix);
        }
      }
      whole.save(snapshot);
    }

    @Override
    public void close() {
      whole.close();
      maps.forEach(LinearMap::close);
    }
  }

  @FunctionalInterface
  private interface EigenWork {
    void apply(int block, EigenbasisMap map);
  }
}
