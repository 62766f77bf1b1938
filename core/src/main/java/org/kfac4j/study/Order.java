package org.kfac4j.study;

import java.util.Arrays;

/** Order statistics in which +∞ takes part as more than any number. */
final class Order {
  private Order() {}

  static double median(double[] values) {
    return quantile(values, 0.5);
  }

  /**
   * Between the two neighbours in order, linearly (type 7 of Hyndman &amp; Fan 1996); +∞ if a
   * neighbour that counts is.
   *
   * @param values [n], n ≥ 1, not modified
   * @param share in [0, 1]
   */
  static double quantile(double[] values, double share) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    double at = share * (sorted.length - 1);
    int below = (int) Math.floor(at);
    double weight = at - below;
    // 0 · ∞ is NaN
    return weight == 0
        ? sorted[below]
        : sorted[below] == sorted[below + 1]
            ? sorted[below]
            : sorted[below] + weight * (sorted[below + 1] - sorted[below]);
  }
}
