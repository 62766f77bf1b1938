package org.kfac4j.cost;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.kfac4j.InvalidInputException;
import org.kfac4j.cost.IterationCost.Part;
import org.kfac4j.optimizer.Kfac;

/**
 * Seconds of one iteration on a cluster, composed of what its parts cost. With P partitions on S
 * task slots, w = ⌈P / S⌉ waves, n examples of a pass, E executors, b bytes, ν bytes per second of
 * network, ℓ its latency, and the rates of {@link CostRates} and {@link TransportRates}:
 *
 * <ul>
 *   <li>tasks of a pass: (w − 1) t(n / P) + t(n̂), t of {@link PassRate} divided by the device's
 *       speed, n̂ the examples of the slowest task ({@code Straggler});
 *   <li>its job with a local master: job + P b merge; else job + P task + 2ℓ + the tree;
 *   <li>the tree of {@link AggregationTree}, depth 2: a level of R reducers with fan-in F costs job
 *       + R task + ℓ + ⌈R / S⌉ F b merge + b send + max(slots b, ⌈R / E⌉ F b) / ν, the driver's
 *       last level ℓ + b send + F b merge + F b / ν. A sum that is merged is in float64, so from
 *       the first level on b is doubled where numbers have 4 bytes;
 *   <li>a broadcast (weights, directions): convert + b store on the driver, b load on executors,
 *       and (⌈b / c⌉ + ⌈log₂(E + 1)⌉ − 1) (min(b, c) / ν + ℓ) with chunks of c = 4 MiB that
 *       executors pass on: a pipeline down a binomial tree, which Spark's random torrent comes
 *       close to at best;
 *   <li>inverses every T3 iterations, and in the first three: as measured on the driver; or on
 *       executors measured × threads' share, of layers the costliest first to whoever is free, plus
 *       a job and the averages to be sent;
 *   <li>preconditioning on the driver, or where executors keep the inverses a job, spread like
 *       them.
 * </ul>
 *
 * <p>Limits: tasks of one pass are equally fast, JVMs have compiled what they run, nothing fails or
 * is evicted; the driver is as fast as measured; reading a partition to find a batch's examples
 * counts as a task's own cost; a reducer's serialization is a task's; layers cost r³ + c³; a search
 * of γ is counted as two more inverses and gradients preconditioned, without its further products;
 * evaluation is not in it.
 */
public record CostModel(IterationWork work, CostRates rates, TransportRates transport) {
  /** Levels of the tree, and bytes of a chunk of a broadcast, as SparkObjective and Spark have. */
  private static final int DEPTH = 2;

  private static final double CHUNK = 4 << 20;

  /**
   * One iteration with a batch of that size.
   *
   * @throws InvalidInputException if the batch is empty or larger than the training set, or the
   *     cluster is a local master and no run that the rates are of had one
   */
  public IterationCost predict(ClusterSpec cluster, long batch) {
    InvalidInputException.require(
        1 <= batch && batch <= work.examples(),
        "a batch must have from 1 to %d examples, all there are, got %d",
        work.examples(),
        batch);
    InvalidInputException.require(
        !cluster.local() || !Double.isNaN(rates.localJob()),
        "the cost model was fitted to clusters alone, it knows nothing of a local master");
    List<Part> parts = new ArrayList<>();
    double vector = (double) work.numberBytes() * work.parameters();
    parts.add(new Part("broadcast weights", broadcast(cluster, vector), 1));
    IterationWork.Pass loss = work.passes().get(PassKind.LOSS);
    for (PassKind kind : PassKind.values()) {
      IterationWork.Pass pass = work.passes().get(kind);
      if (pass == null) {
        continue;
      }
      if (kind == PassKind.PRODUCTS) {
        parts.add(
            new Part("broadcast directions", work.directions() * broadcast(cluster, vector), 1));
      }
      double more = kind == PassKind.CURVATURE ? early(pass.share()) : 0;
      parts.add(new Part(kind.key() + ": tasks", tasks(kind, cluster, batch), pass.share(), more));
      parts.add(new Part(kind.key() + ": job and sums", job(kind, cluster), pass.share(), more));
    }
    if (loss != null) {
      parts.add(new Part("broadcast for the loss", broadcast(cluster, vector), loss.share()));
    }
    addDriver(parts, cluster, vector);
    return new IterationCost(parts);
  }

  private void addDriver(List<Part> parts, ClusterSpec cluster, double vector) {
    parts.add(new Part("averages", rates.average(), 1));
    boolean remote = work.remoteInverses() && !cluster.local();
    double precondition =
        work.remoteMaps() && remote ? remotePrecondition(cluster, vector) : rates.precondition();
    if (work.inversePeriod() > 0) {
      double inverse = remote ? remoteInverse(cluster) : rates.inverse();
      double share = 1.0 / work.inversePeriod();
      double more = early(share);
      parts.add(new Part("inverses", inverse, share, more));
      if (work.bases() > 0) {
        double bases = broadcast(cluster, (double) work.numberBytes() * work.bases());
        parts.add(new Part("broadcast bases", bases, share, more));
      }
      if (work.searchPeriod() > 0) {
        double others = 2 * (inverse + precondition);
        parts.add(new Part("search of γ", others, 1.0 / work.searchPeriod()));
      }
    }
    parts.add(new Part("precondition", precondition, 1));
    parts.add(new Part("step and the rest", rates.other(), 1));
  }

  /** How many times more than by its period something is done that comes with early inverses. */
  private static double early(double share) {
    return Kfac.Inverses.WARM_UP * (1 - share);
  }

  /** Seconds of the tasks of one pass: whole waves, the last one with the slowest task. */
  double tasks(PassKind kind, ClusterSpec cluster, long batch) {
    PassRate rate = requireRate(rates.passes(), kind);
    int together = cluster.concurrent();
    double mean = work.fraction(kind) * batch / cluster.partitions();
    double slowest = work.slowestExamples(kind, (double) batch, cluster.partitions());
    double seconds =
        (cluster.waves() - 1) * rate.seconds(mean, together) + rate.seconds(slowest, together);
    return seconds / cluster.deviceSpeed();
  }

  private static PassRate requireRate(Map<PassKind, PassRate> rates, PassKind kind) {
    PassRate rate = rates.get(kind);
    InvalidInputException.require(rate != null, "the rates have none of %s", kind.key());
    return java.util.Objects.requireNonNull(rate);
  }

  private double job(PassKind kind, ClusterSpec cluster) {
    double statistics = (double) work.numberBytes() * work.sums();
    double gradient = (double) work.numberBytes() * work.parameters();
    return switch (kind) {
      case GRADIENT -> job(cluster, gradient);
      // Statistics come with the gradient: what they add to its sums.
      case STATISTICS -> job(cluster, gradient + statistics) - job(cluster, gradient);
      case CURVATURE -> job(cluster, gradient);
      case PRODUCTS, LOSS -> job(cluster, 0);
    };
  }

  /** Seconds of a job beside its tasks, each of which returns {@code bytes}. */
  double job(ClusterSpec cluster, double bytes) {
    if (cluster.local()) {
      return rates.localJob() + cluster.partitions() * bytes * rates.localMergePerByte();
    }
    double latency = cluster.latencySeconds();
    double network = cluster.networkBytesPerSecond();
    double seconds =
        transport.jobSeconds() + cluster.partitions() * transport.taskSeconds() + 2 * latency;
    AggregationTree tree = AggregationTree.of(cluster.partitions(), DEPTH);
    double sent = bytes;
    for (AggregationTree.Level level : tree.levels()) {
      int each = (level.reducers() + cluster.executors() - 1) / cluster.executors();
      int rounds = (level.reducers() + cluster.allSlots() - 1) / cluster.allSlots();
      seconds +=
          transport.jobSeconds()
              + level.reducers() * transport.taskSeconds()
              + latency
              + sent * transport.sendPerByte()
              + rounds * level.fanIn() * sent * transport.mergePerByte()
              + Math.max(cluster.slots() * sent, each * level.fanIn() * sent) / network;
      sent = bytes * Double.BYTES / work.numberBytes();
    }
    return seconds
        + latency
        + sent * transport.sendPerByte()
        + tree.driverFanIn() * sent * (transport.mergePerByte() + 1 / network);
  }

  /** Seconds until all executors have {@code bytes} that the driver had. */
  double broadcast(ClusterSpec cluster, double bytes) {
    if (cluster.local()) {
      return rates.convert();
    }
    double chunks = Math.ceil(bytes / CHUNK);
    double rounds = Math.ceil(Math.log(cluster.executors() + 1.0) / Math.log(2) - 1e-9);
    double hop =
        Math.min(bytes, CHUNK) / cluster.networkBytesPerSecond() + cluster.latencySeconds();
    return rates.convert()
        + bytes * (transport.storePerByte() + transport.loadPerByte())
        + (chunks + rounds - 1) * hop;
  }

  /**
   * What all layers cost one thread, of which the driver's threads took the busiest one's share.
   */
  private double spread(double onDriver, ClusterSpec cluster) {
    return onDriver
        / LayerSpread.share(work.layerCosts(), rates.inverseThreads())
        * LayerSpread.share(work.layerCosts(), cluster.allSlots())
        / cluster.deviceSpeed();
  }

  private double remoteInverse(ClusterSpec cluster) {
    // Each executor gets the layers that it makes, from the driver, which sends all of them.
    double bytes = work.sentAverages();
    return spread(rates.inverse(), cluster)
        + transport.jobSeconds()
        + work.layerCosts().size() * transport.taskSeconds()
        + bytes * (transport.storePerByte() + 1 / cluster.networkBytesPerSecond())
        + bytes
            * LayerSpread.share(work.layerCosts(), cluster.executors())
            * transport.loadPerByte()
        + 2 * cluster.latencySeconds();
  }

  private double remotePrecondition(ClusterSpec cluster, double bytes) {
    return broadcast(cluster, bytes)
        + spread(rates.precondition(), cluster)
        + transport.jobSeconds()
        + work.layerCosts().size() * transport.taskSeconds()
        + bytes * (transport.mergePerByte() + 1 / cluster.networkBytesPerSecond())
        + 2 * cluster.latencySeconds();
  }
}
