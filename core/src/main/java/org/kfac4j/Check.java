package org.kfac4j;

import java.util.Locale;

/** Argument checks: the message names the argument, the rule and the value. */
public final class Check {
  private Check() {}

  /**
   * @throws IllegalArgumentException with the formatted message if {@code condition} is false
   */
  public static void that(boolean condition, String format, Object... values) {
    if (!condition) {
      throw new IllegalArgumentException(String.format(Locale.ROOT, format, values));
    }
  }
}
