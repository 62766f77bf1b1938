package org.kfac4j.training;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Comparator;
import java.util.Locale;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Numbers as people read them; the same on the terminal and in the report. */
public final class Figures {
  /** Order of names with numbers in them: {@code layer2} before {@code layer10}. */
  public static final Comparator<String> NATURAL =
      Comparator.comparing(Figures::padded).thenComparing(Comparator.naturalOrder());

  private static final Pattern DIGITS = Pattern.compile("\\d+");

  private Figures() {}

  /**
   * Four significant digits, without trailing zeros; powers of ten only where the plain number
   * would be long.
   */
  public static String number(double value) {
    if (value == 0 || !Double.isFinite(value)) {
      return value == 0 ? "0" : String.valueOf(value);
    }
    BigDecimal rounded = new BigDecimal(value).round(new MathContext(4)).stripTrailingZeros();
    int exponent = rounded.precision() - rounded.scale() - 1;
    if (exponent >= -4 && exponent <= 6) {
      return rounded.toPlainString();
    }
    return rounded.movePointLeft(exponent).stripTrailingZeros().toPlainString() + "e" + exponent;
  }

  /** For example "85 ms", "4.2 s", "6:10" or "1:02:03". */
  public static String duration(double seconds) {
    if (seconds < 60) {
      return seconds < 0.9995
          ? number(Math.rint(seconds * 1e3 * 10) / 10) + " ms"
          : String.format(Locale.ROOT, "%.1f s", seconds);
    }
    long whole = Math.round(seconds);
    return whole < 3600
        ? String.format(Locale.ROOT, "%d:%02d", whole / 60, whole % 60)
        : String.format(Locale.ROOT, "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60);
  }

  /** "93.12 %" of 0.9312. */
  public static String percent(double fraction) {
    return String.format(Locale.ROOT, "%.2f %%", 100 * fraction);
  }

  /** "16,384". */
  public static String count(long value) {
    return String.format(Locale.ROOT, "%,d", value);
  }

  /** What runs are compared by: "test accuracy", "test error" or "test loss". */
  static String metricName(Evaluation evaluation) {
    return evaluation.accuracy() != null
        ? "test accuracy"
        : evaluation.error() != null ? "test error" : "test loss";
  }

  static String metric(Evaluation evaluation) {
    if (evaluation.accuracy() != null) {
      return percent(evaluation.accuracy());
    }
    return number(evaluation.error() != null ? evaluation.error() : evaluation.loss());
  }

  /** Why a run ended, in words. */
  static String reason(RunSummary summary) {
    return switch (summary.reason()) {
      case "iterations" -> "all iterations done";
      case "target" -> "target reached";
      case "seconds" -> "time is up";
      case "patience" -> "no more improvement";
      default -> summary.reason();
    };
  }

  private static String padded(String name) {
    return DIGITS
            .matcher(name)
            .results()
            .map(MatchResult::group)
            .collect(Collectors.toSet())
            .isEmpty()
        ? name
        : DIGITS
            .matcher(name)
            .replaceAll(
                digits -> "0".repeat(Math.max(0, 9 - digits.group().length())) + digits.group());
  }
}
