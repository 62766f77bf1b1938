package org.kfac4j;

/**
 * Something that the user gave (a setting, a file, a model) breaks a rule. The message is one line
 * that names the thing, the rule and the value; jobs print it as it is and exit with code 2.
 */
public final class InvalidInputException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public InvalidInputException(String message) {
    super(message);
  }

  public InvalidInputException(String message, Throwable cause) {
    super(message, cause);
  }

  /**
   * @throws InvalidInputException with the formatted message if {@code condition} is false
   */
  public static void require(boolean condition, String format, Object... values) {
    if (!condition) {
      throw new InvalidInputException(String.format(java.util.Locale.ROOT, format, values));
    }
  }
}
