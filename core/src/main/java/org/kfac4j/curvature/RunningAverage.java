package org.kfac4j.curvature;

import org.kfac4j.Check;

/**
 * The running average M ← ε_k M + (1 − ε_k) M_batch with ε_k = min(1 − 1/k, cap): the plain mean of
 * all batches while k is small, then exponential forgetting. arXiv:1503.05671 §5. With statistics
 * every c iterations a batch stands for c of them and the cap is cap^c.
 */
public final class RunningAverage {
  private RunningAverage() {}

  /** ε of the k-th batch, k from 1. */
  public static double weightOfPast(long k, double cap, int period) {
    Check.that(k >= 1, "batches of a running average are counted from 1, got %d", k);
    return Math.min(1 - 1.0 / k, Math.pow(cap, period));
  }

  /** average ← ε average + (1 − ε) batch, in place. */
  public static void update(double[] average, double[] batch, double epsilon) {
    Check.that(
        average.length == batch.length,
        "%d and %d numbers do not average",
        average.length,
        batch.length);
    if (epsilon == 0) {
      System.arraycopy(batch, 0, average, 0, batch.length);
      return;
    }
    for (int i = 0; i < average.length; i++) {
      average[i] = epsilon * average[i] + (1 - epsilon) * batch[i];
    }
  }
}
