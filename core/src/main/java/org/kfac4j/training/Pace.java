package org.kfac4j.training;

import java.util.function.LongSupplier;

/**
 * Wall-clock seconds per iteration of this process, evaluation and checkpoints included: what the
 * time left is reckoned from.
 */
final class Pace {
  /** Weight of the latest iteration in the running average, once there are enough of them. */
  private static final double LATEST = 0.05;

  private final LongSupplier nanos;
  private long last;
  private int iterations;
  private double average;

  Pace(LongSupplier nanos) {
    this.nanos = nanos;
    this.last = nanos.getAsLong();
  }

  /** Counts an iteration that has just ended; the average so far. */
  double iteration() {
    long now = nanos.getAsLong();
    iterations++;
    average += ((now - last) * 1e-9 - average) * Math.max(LATEST, 1.0 / iterations);
    last = now;
    return average;
  }
}
