package org.kfac4j.study;

import java.math.BigDecimal;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import org.kfac4j.InvalidInputException;

/**
 * What a run has to reach.
 *
 * @param value in the metric's unit; an accuracy is a fraction
 */
public record Target(Metric metric, double value) {
  /** What is measured. */
  public enum Metric {
    /** Mean over the last epoch, nats per example. */
    TRAIN_LOSS("training loss", false),
    /** Nats per example. */
    TEST_LOSS("test loss", false),
    /** As the model's loss defines it, per example. */
    TEST_ERROR("test error", false),
    /** Fraction of the examples. */
    TEST_ACCURACY("test accuracy", true);

    private final String label;
    private final boolean higherIsBetter;

    Metric(String label, boolean higherIsBetter) {
      this.label = label;
      this.higherIsBetter = higherIsBetter;
    }

    /** For people: "test accuracy". */
    public String label() {
      return label;
    }

    /** As settings write it: {@code test-accuracy}. */
    public String key() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    public boolean higherIsBetter() {
      return higherIsBetter;
    }

    /** The metric turned so that less is better: its negative where higher is. */
    public double score(double measured) {
      return higherIsBetter ? -measured : measured;
    }
  }

  /**
   * @throws InvalidInputException if the value is not finite, or an accuracy is outside (0, 1]
   */
  public Target {
    InvalidInputException.require(
        Double.isFinite(value), "target %s must be finite, got %s", metric.key(), value);
    InvalidInputException.require(
        metric != Metric.TEST_ACCURACY || (value > 0 && value <= 1),
        "target %s is a fraction and must be in (0, 1], got %s",
        metric.key(),
        value);
  }

  /** Whether a measured value is at the target or better; never if it is NaN. */
  public boolean isMetBy(double measured) {
    return metric.score(measured) <= metric.score(value);
  }

  /** For people: "test accuracy ≥ 95 %", "training loss ≤ 0.1"; all digits of the value. */
  public String label() {
    BigDecimal exact = BigDecimal.valueOf(value);
    return metric == Metric.TEST_ACCURACY
        ? metric.label() + " ≥ " + plain(exact.movePointRight(2)) + " %"
        : metric.label() + " ≤ " + plain(exact);
  }

  private static String plain(BigDecimal value) {
    BigDecimal stripped = value.stripTrailingZeros();
    return Math.abs(stripped.precision() - stripped.scale() - 1) > 6
        ? stripped.toString()
        : stripped.toPlainString();
  }

  /**
   * Reads {@code metric=value}, for example {@code test-accuracy=0.95}.
   *
   * @throws InvalidInputException if the text is not of this form, names no metric or its value is
   *     no number or not allowed
   */
  public static Target parse(String text) {
    int equals = text.indexOf('=');
    InvalidInputException.require(
        equals > 0, "a target must be metric=value, as in test-accuracy=0.95, got '%s'", text);
    String key = text.substring(0, equals).strip();
    String number = text.substring(equals + 1).strip();
    for (Metric metric : Metric.values()) {
      if (metric.key().equals(key)) {
        return new Target(metric, number(text, number));
      }
    }
    String known =
        Arrays.stream(Metric.values()).map(Metric::key).collect(Collectors.joining(", "));
    throw new InvalidInputException(
        "the metric of target '%s' must be one of %s, got '%s'".formatted(text, known, key));
  }

  private static double number(String text, String number) {
    try {
      return Double.parseDouble(number);
    } catch (NumberFormatException e) {
      throw new InvalidInputException(
          "the value of target '%s' must be a number, got '%s'".formatted(text, number), e);
    }
  }
}
