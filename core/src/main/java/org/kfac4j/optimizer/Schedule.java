package org.kfac4j.optimizer;

import java.io.Serializable;
import org.kfac4j.Check;

/** A number as a function of the iteration k = 1, 2, … */
@FunctionalInterface
public interface Schedule extends Serializable {
  /** The value in iteration {@code k}, from 1. */
  double at(int k);

  static Schedule constant(double value) {
    return k -> value;
  }

  /** initial · factor^⌊(k − 1) / period⌋. */
  static Schedule step(double initial, double factor, int period) {
    Check.that(period >= 1, "the period of a step schedule must be at least 1, got %d", period);
    return k -> initial * Math.pow(factor, Math.floor((k - 1.0) / period));
  }

  /** last + (initial − last) ½ (1 + cos(π t / T)), t = min(k − 1, T). */
  static Schedule cosine(double initial, double last, int iterations) {
    return k -> last + (initial - last) * 0.5 * (1 + Math.cos(Math.PI * progress(k, iterations)));
  }

  /** last + (initial − last) (1 − t / T)^power, t = min(k − 1, T). */
  static Schedule polynomial(double initial, double last, double power, int iterations) {
    return k -> last + (initial - last) * Math.pow(1 - progress(k, iterations), power);
  }

  /** initial · rate^(k − 1). */
  static Schedule exponential(double initial, double rate) {
    return k -> initial * Math.pow(rate, k - 1);
  }

  /**
   * The momentum schedule of Sutskever et al. 2013: min(1 − 2^(−1 − log2(⌊t / 250⌋ + 1)), largest),
   * t = k − 1.
   */
  static Schedule sutskever(double largest) {
    return k -> Math.min(1 - 0.5 / Math.floor(1 + (k - 1) / 250.0), largest);
  }

  /** This schedule, scaled by k / iterations in the first {@code iterations} iterations. */
  default Schedule warmedUp(int iterations) {
    return iterations == 0 ? this : k -> at(k) * Math.min(1.0, (double) k / iterations);
  }

  private static double progress(int k, int iterations) {
    Check.that(iterations >= 1, "a schedule must end at iteration 1 or later, got %d", iterations);
    return Math.min(k - 1, iterations) / (double) iterations;
  }
}
