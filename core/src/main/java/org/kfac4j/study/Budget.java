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
   * @param normalSteps of the normal budget with this batch
   * @param batch B
   * @param smallest B₀ of the study
   * @return {@code normalSteps}, or normalSteps · (log₂(B/B₀) + 1) to the nearest step
   * @throws InvalidInputException if the steps or B₀ are not positive, or B is smaller than B₀
   */
  public long steps(long normalSteps, int batch, int smallest) {
    InvalidInputException.require(
        normalSteps >= 1, "the normal budget must be at least 1 step, got %d", normalSteps);
    InvalidInputException.require(
        smallest >= 1 && batch >= smallest,
        "a batch of a study must be at least its smallest one (%d), got %d",
        smallest,
        batch);
    return this == NORMAL
        ? normalSteps
        : Math.round(normalSteps * (Math.log((double) batch / smallest) / Math.log(2) + 1));
  }

  /** "normal" or "adjusted". */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
