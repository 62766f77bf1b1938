package org.kfac4j.jobs;

import java.util.List;
import org.kfac4j.InvalidInputException;
import org.kfac4j.cost.ClusterSpec;
import picocli.CommandLine.Option;

/** What a command line says of runs that were made, and of clusters to predict iterations for. */
final class ClusterOptions {
  @Option(
      names = "--metrics",
      split = ",",
      paramLabel = "RUN",
      description = {
        "Folders of runs of CONF's network (metrics.jsonl, summary.json), with two or more batch sizes and",
        "at least one local master: what iterations cost is fitted to them. Else it is estimated here"
      })
  List<String> metrics = List.of();

  @Option(
      names = "--executors",
      split = ",",
      paramLabel = "N",
      description = "Predict an iteration with so many executors: 1,4,16,64,256,1024")
  List<Integer> executors = List.of();

  @Option(
      names = "--slots",
      paramLabel = "N",
      description = "Tasks that an executor runs at a time; default: as Spark is configured")
  int slots;

  @Option(
      names = "--network-gbits",
      paramLabel = "X",
      description = "Speed of each machine's network (default ${DEFAULT-VALUE})")
  double networkGbits = 10;

  @Option(
      names = "--latency-ms",
      paramLabel = "X",
      description = "Latency of a message (default ${DEFAULT-VALUE})")
  double latencyMillis = 0.5;

  @Option(
      names = "--device-speed",
      paramLabel = "X",
      description =
          "How many times as fast tasks compute there as where it was measured (default ${DEFAULT-VALUE})")
  double deviceSpeed = 1;

  @Option(
      names = "--transport",
      paramLabel = "FILE",
      description = "What bench --transport measured between processes; default: of this project")
  String transport = "";

  @Option(
      names = "--to-target",
      paramLabel = "K",
      description = "Also say how long so many iterations take")
  int iterations;

  /** More than anyone has. */
  static final int MOST_EXECUTORS = 100_000;

  static final int MOST_SLOTS = 10_000;

  /** Checks numbers. */
  void check() {
    InvalidInputException.require(
        networkGbits > 0 && Double.isFinite(networkGbits),
        "--network-gbits must be positive and finite, got %s",
        networkGbits);
    InvalidInputException.require(
        latencyMillis >= 0 && Double.isFinite(latencyMillis),
        "--latency-ms must be finite and not negative, got %s",
        latencyMillis);
    InvalidInputException.require(
        deviceSpeed > 0 && Double.isFinite(deviceSpeed),
        "--device-speed must be positive and finite, got %s",
        deviceSpeed);
    InvalidInputException.require(
        0 <= slots && slots <= MOST_SLOTS,
        "--slots must be from 0 to %d, got %d",
        MOST_SLOTS,
        slots);
    InvalidInputException.require(
        iterations >= 0, "--to-target must not be negative, got %d", iterations);
    executors.forEach(
        each ->
            InvalidInputException.require(
                1 <= each && each <= MOST_EXECUTORS,
                "--executors must be from 1 to %d, got %d",
                MOST_EXECUTORS,
                each));
  }

  /** The cluster that Spark is configured for, with {@code partitions} of data, 0 for its slots. */
  ClusterSpec configured(RunPlan.Cores cores, int partitions) {
    int all = cores.executors() * cores.slots();
    boolean network = !cores.oneMachine();
    return new ClusterSpec(
        cores.local(),
        cores.executors(),
        cores.slots(),
        partitions > 0 ? partitions : all,
        cores.oneMachine() ? all : cores.slots(),
        network ? networkGbits * ForecastPlan.GBIT : Double.POSITIVE_INFINITY,
        network ? latencyMillis * 1e-3 : 0,
        deviceSpeed);
  }

  /** Clusters of {@code --executors}, in order, each with as many partitions as slots. */
  List<ClusterSpec> rented(RunPlan.Cores cores) {
    return new ForecastPlan(executors, slots, networkGbits, latencyMillis, deviceSpeed, transport)
        .clusters(cores.slots());
  }
}
