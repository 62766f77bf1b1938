package org.kfac4j.cost;

import org.kfac4j.InvalidInputException;

/**
 * What moving sums and weights between processes costs beside the network: Spark's scheduling, Java
 * serialization, copies. Runs with a local master show none of it, because there objects are handed
 * over by reference; {@code bench --transport FILE} measures it with small jobs of its own.
 *
 * @param jobSeconds of a job with next to no tasks and nothing to send; also of a further level
 * @param taskSeconds of one more task in a job, on the driver: {@link #TASK_SECONDS}
 * @param sendPerByte seconds per byte of a task's result on the task's side
 * @param mergePerByte seconds per byte of each result on the merging side
 * @param storePerByte seconds per byte of a broadcast on the driver
 * @param loadPerByte seconds per byte of a broadcast on each executor
 */
public record TransportRates(
    double jobSeconds,
    double taskSeconds,
    double sendPerByte,
    double mergePerByte,
    double storePerByte,
    double loadPerByte) {
  /**
   * Stated, not measured: a driver launches about a thousand tasks a second. Few executors cannot
   * tell what the driver does for a task from what they do.
   */
  public static final double TASK_SECONDS = 0.001;

  /**
   * The order of magnitude on two executors of one machine with two Xeon cores and little else to
   * do: jobs and sums as an empty job and sums of ten million floats took there, broadcasts in
   * proportion to sums as {@code bench --transport} has them.
   */
  public static final TransportRates DEFAULT =
      new TransportRates(0.07, TASK_SECONDS, 4e-9, 1e-9, 1.5e-9, 4e-9);

  public TransportRates {
    check("jobSeconds", jobSeconds);
    check("taskSeconds", taskSeconds);
    check("sendPerByte", sendPerByte);
    check("mergePerByte", mergePerByte);
    check("storePerByte", storePerByte);
    check("loadPerByte", loadPerByte);
  }

  private static void check(String name, double value) {
    InvalidInputException.require(
        value >= 0 && Double.isFinite(value),
        "transport.%s must be finite and not negative, got %s",
        name,
        value);
  }
}
