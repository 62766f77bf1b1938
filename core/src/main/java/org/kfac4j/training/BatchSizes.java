package org.kfac4j.training;

import org.kfac4j.Check;
import org.kfac4j.InvalidInputException;
import org.kfac4j.Settings;

/**
 * Size of the mini-batch by iteration: constant, or m_k = min(m_1 exp((k − 1) / b), N) with b
 * chosen so that m = N at iteration {@code fullAt}; rounded to the nearest. arXiv:1503.05671 §13.
 *
 * @param first m_1
 * @param total N
 * @param fullAt iteration at which a growing batch holds all examples, 0 for a constant size
 */
public record BatchSizes(long first, long total, int fullAt) {
  private enum Growth {
    CONSTANT,
    EXPONENTIAL
  }

  /**
   * What the block {@code training} of the settings says, for so many training examples.
   *
   * @throws InvalidInputException naming key, rule and value of what breaks a rule
   */
  public static BatchSizes from(Settings settings, long total) {
    Growth growth = settings.choice("training.batch-growth", Growth.class);
    int first = settings.positiveInt("training.batch-size");
    InvalidInputException.require(
        first <= total,
        "training.batch-size must be at most the number of training examples (%d), got %d",
        total,
        first);
    return new BatchSizes(
        first,
        total,
        growth == Growth.CONSTANT ? 0 : settings.positiveInt("training.batch-growth-iterations"));
  }

  public BatchSizes {
    Check.that(
        1 <= first && first <= total,
        "training.batch-size must be at least 1 and at most the number of training examples (%d), got %d",
        total,
        first);
    Check.that(
        fullAt == 0 || fullAt >= 2,
        "training.batch-growth-iterations must be at least 2, got %d",
        fullAt);
  }

  /** m_k, k from 1. */
  public long at(int k) {
    if (fullAt == 0 || first == total) {
      return first;
    }
    if (k >= fullAt) {
      return total;
    }
    double b = (fullAt - 1) / Math.log((double) total / first);
    return Math.min(total, Math.round(first * Math.exp((k - 1) / b)));
  }
}
