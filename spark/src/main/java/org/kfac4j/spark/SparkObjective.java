package org.kfac4j.spark;

import java.util.List;
import java.util.Locale;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.jspecify.annotations.Nullable;
import org.kfac4j.Check;
import org.kfac4j.curvature.ComputeBackend;
import org.kfac4j.curvature.Parameters;
import org.kfac4j.curvature.Request;
import org.kfac4j.curvature.SumNames;
import org.kfac4j.curvature.Sums;
import org.kfac4j.data.Augmentation;
import org.kfac4j.data.Examples;
import org.kfac4j.linalg.Precision;
import org.kfac4j.network.Network;
import org.kfac4j.optimizer.LayerWorkers;
import org.kfac4j.optimizer.Objective;
import org.kfac4j.optimizer.Phases;

/**
 * An objective over a cached RDD: weights and other vectors are broadcast, every partition computes
 * its sums in one task, one {@code treeAggregate} with an empty zero value (with a local master,
 * the driver itself) merges them, and what was broadcast is released.
 */
public final class SparkObjective implements Objective {
  private final JavaSparkContext spark;
  private final Network network;
  private final ComputeBackend backend;
  private final Precision precision;
  private final SparkExamples examples;
  private final Devices devices;
  private final Augmentation augmentation;
  private final int depth;
  private final Phases phases = new Phases();
  private final Phases taskPhases = new Phases();
  private final Phases passes = new Phases();
  private final JobLabels labels;

  /**
   * @param depth of the aggregation tree; 2 unless there are hundreds of partitions
   */
  public SparkObjective(
      JavaSparkContext spark,
      Network network,
      ComputeBackend backend,
      Precision precision,
      SparkExamples examples,
      Devices devices,
      int depth) {
    this(spark, network, backend, precision, examples, devices, Augmentation.NONE, depth);
  }

  private SparkObjective(
      JavaSparkContext spark,
      Network network,
      ComputeBackend backend,
      Precision precision,
      SparkExamples examples,
      Devices devices,
      Augmentation augmentation,
      int depth) {
    this.augmentation = augmentation;
    this.spark = spark;
    this.network = network;
    this.backend = backend;
    this.precision = precision;
    this.examples = examples;
    this.devices = devices;
    this.depth = depth;
    this.labels = new JobLabels(spark);
  }

  @Override
  public long size() {
    return examples.size();
  }

  @Override
  public Phases phases() {
    return phases;
  }

  /**
   * The same objective with another network of the same layers, such as one with another l2; the
   * two share their examples.
   */
  public SparkObjective withNetwork(Network other) {
    return new SparkObjective(
        spark, other, backend, precision, examples, devices, augmentation, depth);
  }

  /** The same objective on changed images; the two share their examples. */
  public SparkObjective augmented(Augmentation other) {
    return new SparkObjective(spark, network, backend, precision, examples, devices, other, depth);
  }

  @Override
  public Phases passes() {
    return passes;
  }

  /**
   * What the slowest task of each request spent its {@code map} time on: forward, backward,
   * statistics, products, …
   */
  public Phases taskPhases() {
    return taskPhases;
  }

  @Override
  public Point at(double[] theta) {
    Check.that(
        theta.length == network.parameterCount(),
        "the network has %d parameters, got %d weights",
        network.parameterCount(),
        theta.length);
    Shared<Parameters> weights = broadcast(List.of(theta)).get(0);
    return new Point() {
      @Override
      public Sums evaluate(Request request, List<double[]> vectors) {
        try (Vectors prepared = prepare(vectors)) {
          return evaluate(request, prepared);
        }
      }

      @Override
      public Sums evaluate(Request request, Vectors vectors) {
        return aggregate(
            request, weights, vectors instanceof Prepared own ? own.vectors : List.of());
      }

      @Override
      public void close() {
        weights.release();
      }
    };
  }

  @Override
  public void begin(int iteration) {
    labels.begin(iteration);
  }

  /** Executors; nobody with a local master, whose tasks run on the driver's own cores. */
  @Override
  public @Nullable LayerWorkers workers() {
    return spark.sc().isLocal() ? null : new SparkLayerWorkers(spark, labels);
  }

  private record Prepared(List<Shared<Parameters>> vectors) implements Vectors {
    @Override
    public void close() {
      vectors.forEach(Shared::release);
    }
  }

  @Override
  public Vectors prepare(List<double[]> vectors) {
    return new Prepared(broadcast(vectors));
  }

  private List<Shared<Parameters>> broadcast(List<double[]> vectors) {
    return phases.time(
        "broadcast",
        () ->
            vectors.stream()
                .map(vector -> Shared.of(spark, new Parameters(vector, precision)))
                .toList());
  }

  private Sums aggregate(
      Request request, Shared<Parameters> weights, List<Shared<Parameters>> vectors) {
    PartitionTask task =
        new PartitionTask(devices, backend, network, request, weights, vectors, augmentation);
    String phase = request.getClass().getSimpleName().toLowerCase(Locale.ROOT);
    long begin = System.nanoTime();
    Sums sums = labels.label(phase, () -> SparkFailures.unwrapped(() -> run(task)));
    double wall = (System.nanoTime() - begin) * 1e-9;
    double map = Math.min(wall, sums.scalar(SumNames.TASK_SECONDS));
    phases.add("map", map);
    phases.add("aggregate", wall - map);
    boolean both = request.statistics() != null && request instanceof Request.Gradient;
    double statistics = both ? Math.min(map, sums.scalar(SumNames.seconds("statistics"))) : 0;
    passes.add(phase, map - statistics);
    passes.add(phase + " rest", wall - map);
    if (both) {
      passes.add("statistics", statistics);
    }
    sums.forEachScalar(
        (name, seconds) -> {
          if (name.startsWith(SumNames.seconds(""))) {
            taskPhases.add(name.substring(SumNames.seconds("").length()), seconds);
          }
        });
    return sums;
  }

  private Sums run(PartitionTask task) {
    JavaRDD<Examples> blocks = examples.blocks();
    if (spark.sc().isLocal()) {
      return LocalJob.run(spark, blocks, task);
    }
    return devices
        .placed(blocks.mapPartitions(partition -> List.of(task.run(partition)).iterator()))
        .treeAggregate(new Sums(), Sums::merge, Sums::merge, depth);
  }

  @Override
  public void close() {
    examples.close();
    backend.release();
  }
}
