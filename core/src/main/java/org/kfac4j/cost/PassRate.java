package org.kfac4j.cost;

/**
 * Seconds of a task of one kind of pass: t(e, s) = fixed + e (perExample + contention (min(s, S) −
 * 1)) with e examples and s tasks on the machine at a time.
 *
 * @param fixed seconds of a task, whatever its examples: weights in, sums out
 * @param perExample seconds per example of a task that has the machine for itself
 * @param contention seconds per example and further task on the same machine: shared memory
 * @param mostTasks S, the most tasks at a time that were measured; beyond, contention is not
 *     extrapolated
 */
public record PassRate(double fixed, double perExample, double contention, int mostTasks) {
  /** t(e, s). */
  public double seconds(double examples, int tasks) {
    return fixed + examples * (perExample + contention * (Math.min(tasks, mostTasks) - 1));
  }
}
