package org.kfac4j.jobs;

import java.io.IOException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import org.kfac4j.InvalidInputException;
import org.kfac4j.Settings;
import org.kfac4j.cost.ClusterSpec;
import org.kfac4j.cost.TransportRates;
import org.kfac4j.data.Storage;

/**
 * Clusters that a study predicts for, as the block {@code study.forecast} asks.
 *
 * @param executors each a cluster of its own
 * @param slots tasks that an executor runs at a time, 0 for as many as here
 * @param transport file with what processes cost each other, empty for this project's figures
 */
record ForecastPlan(
    List<Integer> executors,
    int slots,
    double networkGbits,
    double latencyMillis,
    double deviceSpeed,
    String transport) {
  /** What results of runs do not depend on: a finished study can be read for another cluster. */
  static final String BLOCK = "study.forecast.";

  private static final String TRANSPORT = BLOCK + "transport";

  /** Of bytes per second. */
  static final double GBIT = 1e9 / 8;

  /**
   * @throws InvalidInputException naming key, rule and value of what does not fit
   */
  static ForecastPlan of(Settings settings) {
    List<Integer> executors = settings.positiveInts(BLOCK + "executors");
    executors.forEach(
        each ->
            InvalidInputException.require(
                each <= ClusterOptions.MOST_EXECUTORS,
                "%sexecutors must be at most %d, got %d",
                BLOCK,
                ClusterOptions.MOST_EXECUTORS,
                each));
    int slots = settings.nonNegativeInt(BLOCK + "slots");
    InvalidInputException.require(
        slots <= ClusterOptions.MOST_SLOTS,
        "%sslots must be at most %d, got %d",
        BLOCK,
        ClusterOptions.MOST_SLOTS,
        slots);
    return new ForecastPlan(
        executors,
        slots,
        settings.positive(BLOCK + "network-gbits"),
        settings.nonNegative(BLOCK + "latency-ms"),
        settings.positive(BLOCK + "device-speed"),
        settings.text(TRANSPORT));
  }

  /** Each with as many partitions as slots, {@code slotsHere} of an executor if none are asked. */
  List<ClusterSpec> clusters(int slotsHere) {
    return new LinkedHashSet<>(executors)
        .stream()
            .map(
                each ->
                    ClusterSpec.of(
                            each,
                            slots > 0 ? slots : slotsHere,
                            networkGbits * GBIT,
                            latencyMillis * 1e-3)
                        .withDeviceSpeed(deviceSpeed))
            .toList();
  }

  TransportRates transport(Storage storage) throws IOException {
    return transport.isEmpty()
        ? TransportRates.DEFAULT
        : TransportProbe.read(storage, TRANSPORT, transport);
  }

  /** For people. */
  String assumptions(int slotsHere) {
    return String.format(
        Locale.ROOT,
        "Steps to a target do not depend on the cluster. Seconds per step are composed of what tasks, sums, inverses and the driver took in this study's own runs, for executors with %d task slots each, a network of %s Gbit/s and %s ms, and devices %s times as fast as here; what processes cost each other beside the network is %s. Evaluation is not counted.",
        slots > 0 ? slots : slotsHere,
        networkGbits,
        latencyMillis,
        deviceSpeed,
        transport.isEmpty() ? "an order of magnitude, not measured here" : "as measured");
  }
}
