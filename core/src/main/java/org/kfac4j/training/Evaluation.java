package org.kfac4j.training;

import org.jspecify.annotations.Nullable;

/**
 * How well weights do on the test set.
 *
 * @param loss mean loss in nats per example, without l2
 * @param error Σ_j (prediction_j − t_j)² per example, null for a classifier
 * @param accuracy fraction of examples classified correctly, null for vector targets
 * @param averaged whether these are the averaged weights θ̄, which did better than θ
 */
public record Evaluation(
    double loss, @Nullable Double error, @Nullable Double accuracy, boolean averaged) {
  /**
   * The figure that runs are compared by, smaller is better: the error, or 1 − accuracy, or the
   * loss.
   */
  public double score() {
    if (accuracy != null) {
      return 1 - accuracy;
    }
    return error != null ? error : loss;
  }
}
