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

  /** The cap with which a batch's weight falls by e for every {@code epochs} · N examples seen. */
  public static double capByEpochs(double epochs, long batch, long size) {
    return Math.exp(-(double) batch / (epochs * size));
  }

  /**
   * {@code average[from + i]} ← ε {@code average[from + i]} + (1 − ε) {@code batch[i]}, i &lt; n.
   */
  static void update(double[] average, int from, double[] batch, int n, double epsilon) {
    if (epsilon == 0) {
      // Whatever is there, even if it is not a number.
      System.arraycopy(batch, 0, average, from, n);
      return;
    }
    for (int i = 0; i < n; i++) {
      average[from + i] = epsilon * average[from + i] + (1 - epsilon) * batch[i];
    }
  }
}
