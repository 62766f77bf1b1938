package org.kfac4j.network;

import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.kfac4j.InvalidInputException;

/**
 * Says no to something in a DL4J configuration.
 *
 * @param where the file and the layer, as messages begin
 */
record Refusal(String where) {
  private static final int LONGEST_VALUE = 120;

  /** The same for one layer. */
  Refusal at(String layer) {
    return new Refusal(where + ": layer " + layer);
  }

  /**
   * @throws InvalidInputException that names the setting and its value if it is not {@code
   *     supported}
   */
  void unless(boolean supported, String setting, @Nullable Object value) {
    if (!supported) {
      throw unsupported(setting, value);
    }
  }

  InvalidInputException unsupported(String setting, @Nullable Object value) {
    return new InvalidInputException(
        where + ": " + setting + " = " + oneLine(value) + " is not supported");
  }

  /**
   * @throws InvalidInputException with the formatted message if {@code condition} is false
   */
  void require(boolean condition, String format, Object... values) {
    if (!condition) {
      throw invalid(String.format(Locale.ROOT, format, values));
    }
  }

  InvalidInputException invalid(String message) {
    return new InvalidInputException(where + ": " + message);
  }

  InvalidInputException invalid(String message, Throwable cause) {
    return new InvalidInputException(where + ": " + message + ": " + reason(cause), cause);
  }

  /** The message of the innermost cause: DL4J wraps the exceptions of its libraries. */
  private static String reason(Throwable e) {
    Throwable innermost = e;
    while (innermost.getCause() != null) {
      innermost = innermost.getCause();
    }
    String message = innermost.getMessage();
    return oneLine(message == null ? innermost.getClass().getSimpleName() : message);
  }

  /** {@code value} without line breaks, cut short if it is long. */
  static String oneLine(@Nullable Object value) {
    String text = String.valueOf(value).replaceAll("\\s+", " ");
    return text.length() <= LONGEST_VALUE ? text : text.substring(0, LONGEST_VALUE) + "…";
  }
}
