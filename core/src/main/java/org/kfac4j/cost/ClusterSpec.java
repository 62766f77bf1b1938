package org.kfac4j.cost;

import org.kfac4j.InvalidInputException;

/**
 * A cluster that an iteration runs on, or would.
 *
 * @param local whether driver and tasks share a process, as with a local master
 * @param executors how many; 1 if local
 * @param slots tasks that an executor runs at a time
 * @param partitions of the data
 * @param tasksPerMachine tasks at a time that share a machine's memory: {@code slots}, or more
 *     where several executors share a machine
 * @param networkBytesPerSecond of each executor and of the driver, each way; infinite for a network
 *     that is not counted, as inside one machine
 * @param latencySeconds of one message
 * @param deviceSpeed how many times as fast tasks compute as where rates were measured
 */
public record ClusterSpec(
    boolean local,
    int executors,
    int slots,
    int partitions,
    int tasksPerMachine,
    double networkBytesPerSecond,
    double latencySeconds,
    double deviceSpeed) {
  public ClusterSpec {
    InvalidInputException.require(
        executors >= 1, "a cluster needs at least one executor, got %d", executors);
    InvalidInputException.require(
        slots >= 1, "an executor needs at least one task slot, got %d", slots);
    InvalidInputException.require(
        partitions >= 1, "data needs at least one partition, got %d", partitions);
    InvalidInputException.require(
        tasksPerMachine >= 1,
        "a machine runs at least one task at a time, got %d",
        tasksPerMachine);
    InvalidInputException.require(
        networkBytesPerSecond > 0,
        "a network's bytes per second must be positive, got %s",
        networkBytesPerSecond);
    InvalidInputException.require(
        latencySeconds >= 0 && Double.isFinite(latencySeconds),
        "a network's latency must be finite and not negative, got %s",
        latencySeconds);
    InvalidInputException.require(
        deviceSpeed > 0 && Double.isFinite(deviceSpeed),
        "a device's speed must be positive and finite, got %s",
        deviceSpeed);
  }

  /** A local master with so many threads, and as many partitions. */
  public static ClusterSpec local(int slots) {
    return new ClusterSpec(true, 1, slots, slots, slots, Double.POSITIVE_INFINITY, 0, 1);
  }

  /** Executors on machines of their own, with as many partitions as slots. */
  public static ClusterSpec of(
      int executors, int slots, double networkBytesPerSecond, double latencySeconds) {
    return new ClusterSpec(
        false,
        executors,
        slots,
        Math.multiplyExact(executors, slots),
        slots,
        networkBytesPerSecond,
        latencySeconds,
        1);
  }

  /** The same with devices that compute so many times as fast. */
  public ClusterSpec withDeviceSpeed(double speed) {
    return new ClusterSpec(
        local,
        executors,
        slots,
        partitions,
        tasksPerMachine,
        networkBytesPerSecond,
        latencySeconds,
        speed);
  }

  /** Tasks that run at a time, on all executors. */
  public int allSlots() {
    return Math.multiplyExact(executors, slots);
  }

  /** Rounds of tasks in a pass over all partitions: ⌈partitions / slots⌉. */
  public int waves() {
    return (partitions + allSlots() - 1) / allSlots();
  }

  /** Tasks that compute on a machine at a time. */
  int concurrent() {
    return Math.min(tasksPerMachine, partitions);
  }
}
