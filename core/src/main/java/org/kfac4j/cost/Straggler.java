package org.kfac4j.cost;

import org.apache.commons.math3.distribution.NormalDistribution;

/**
 * Which examples are in a batch is random, so partitions have more or fewer of it, and a pass ends
 * with the task that has most. n examples of N in P partitions: a partition has e = n / P of them,
 * with a variance of e (1 − 1/P) (1 − n/N), and the largest of P has about e + σ Φ⁻¹((P − 0.375) /
 * (P + 0.25)) (Blom 1958), at most n.
 */
final class Straggler {
  private static final NormalDistribution NORMAL = new NormalDistribution();

  private Straggler() {}

  static double examples(double n, double total, int partitions) {
    double mean = n / partitions;
    double variance = mean * (1 - 1.0 / partitions) * Math.max(0, 1 - n / total);
    double quantile =
        NORMAL.inverseCumulativeProbability((partitions - 0.375) / (partitions + 0.25));
    return Math.min(n, mean + Math.sqrt(variance) * Math.max(0, quantile));
  }
}
