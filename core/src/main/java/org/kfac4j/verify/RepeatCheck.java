package org.kfac4j.verify;

import java.util.Arrays;
import java.util.function.Supplier;
import org.kfac4j.optimizer.DivergedException;

/** Whether two runs of the same training give the same weights, bit by bit. */
public final class RepeatCheck {
  private static final String NAME = "two runs";

  private RepeatCheck() {}

  /**
   * @param what is run, for tables
   * @param training trains from the start and returns θ
   */
  public static Finding run(String what, Supplier<double[]> training) {
    try {
      double[] first = training.get();
      double[] second = training.get();
      boolean equal = Arrays.equals(first, second);
      return Finding.of(
          NAME,
          what + ": weights bit-equal",
          equal ? 0 : Math.max(Double.MIN_VALUE, Vec.largest(first, second)),
          0);
    } catch (DivergedException e) {
      return Finding.notApplicable(NAME, what + " diverges on so few examples: " + e.getMessage());
    }
  }
}
