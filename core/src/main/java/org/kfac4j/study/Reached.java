package org.kfac4j.study;

import org.kfac4j.InvalidInputException;

/**
 * When a run reached a target.
 *
 * @param steps the first optimizer step at which the target is met, from 1
 * @param seconds of training until then, evaluation excluded
 */
public record Reached(long steps, double seconds) {
  /**
   * @throws InvalidInputException if the step is not positive, or the time negative or not finite
   */
  public Reached {
    InvalidInputException.require(
        steps >= 1, "the step that reaches a target must be at least 1, got %d", steps);
    InvalidInputException.require(
        seconds >= 0 && Double.isFinite(seconds),
        "the seconds to a target must be finite and not negative, got %s",
        seconds);
  }
}
