package org.kfac4j.study;

import java.util.Locale;
import org.kfac4j.InvalidInputException;

/** How the steps that a run may take depend on its batch (arXiv:1903.06237, §3). */
public enum Budget {
  /** The same number of epochs for every batch size. */
  NORMAL,
  /** log₂(B/B₀) + 1 times as many epochs: one more normal budget each time the batch doubles. */
  ADJUSTED;

  /**
   * Steps of a run.
   *
   * @param normalSteps E₀ |D| / B, steps of the normal budget with this batch, not rounded
   * @param batch B
   * @param smallest B₀ of the study
   * @return ⌈normalSteps⌉, or ⌈normalSteps · (log₂(B/B₀) + 1)⌉
   * @throws InvalidInputException if the steps or B₀ are not positive, or B is smaller than B₀
   */
  public long steps(double normalSteps, int batch, int smallest) {
    InvalidInputException.require(
        normalSteps > 0, "the normal budget must be positive, got %s steps", normalSteps);
    InvalidInputException.require(
        smallest >= 1 && batch >= smallest,
        "a batch of a study must be at least its smallest one (%d), got %d",
        smallest,
        batch);
    double times = this == NORMAL ? 1 : Math.log((double) batch / smallest) / Math.log(2) + 1;
    // The logarithm of a power of two need not be whole to the last digit.
    return (long) Math.ceil(normalSteps * times * (1 - 1e-12));
  }

  /** "normal" or "adjusted". */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
