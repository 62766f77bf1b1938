package org.kfac4j.verify;

import java.util.Arrays;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Whether two runs of the same training end the same way: with the same weights, bit by bit, or,
 * where it diverges, in the same iteration from the same weights.
 */
public final class RepeatCheck {
  private static final String NAME = "two runs";

  private RepeatCheck() {}

  /**
   * How a training ended.
   *
   * @param theta the weights; if it diverged, those before the iteration in which it did
   * @param diverged what was said then, with iteration and figures; null if it did not diverge
   */
  public record Ending(double[] theta, @Nullable String diverged) {}

  /**
   * @param what is run, for tables
   * @param training trains from the start
   */
  public static Finding run(String what, Supplier<Ending> training) {
    Ending first = training.get();
    Ending second = training.get();
    if (first.diverged == null && second.diverged == null) {
      return Finding.of(NAME, what + ": weights bit-equal", error(first, second), 0);
    }
    if (first.diverged == null || second.diverged == null) {
      String which = first.diverged == null ? "second" : "first";
      String reason = first.diverged == null ? second.diverged : first.diverged;
      return Finding.failed(NAME, what + ": only the " + which + " one diverges: " + reason);
    }
    if (!first.diverged.equals(second.diverged)) {
      return Finding.failed(
          NAME, what + " diverge differently: " + first.diverged + "; " + second.diverged);
    }
    // Not a number is a difference.
    if (error(first, second) != 0) {
      return Finding.failed(
          NAME, what + " diverge from weights that are not bit-equal: " + first.diverged);
    }
    return Finding.notApplicable(
        NAME, what + ": both diverge, from equal weights: " + first.diverged);
  }

  /** 0 only if every bit is equal. */
  private static double error(Ending first, Ending second) {
    return Arrays.equals(first.theta, second.theta)
        ? 0
        : Math.max(Double.MIN_VALUE, Vec.largest(first.theta, second.theta));
  }
}
