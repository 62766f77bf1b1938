package org.kfac4j.verify;

import java.util.Locale;

/**
 * What one check has found.
 *
 * @param check what was checked
 * @param compared what was compared with what, where the error was largest, or why it was not done
 * @param error the largest one, NaN if there is none
 * @param tolerance that it must not exceed, NaN if it may be any
 */
public record Finding(
    String check, String compared, double error, double tolerance, Outcome outcome) {
  /** How it ended. */
  public enum Outcome {
    OK("ok"),
    /** Something that must hold does not. */
    FAILED("FAILED"),
    /** Nothing that could fail. */
    INFO("info"),
    NOT_APPLICABLE("not applicable");

    private final String text;

    Outcome(String text) {
      this.text = text;
    }

    /** For tables. */
    public String text() {
      return text;
    }
  }

  /** Something that must hold: {@link Outcome#FAILED} if the error is above, or not a number. */
  public static Finding of(String check, String compared, double error, double tolerance) {
    Outcome outcome = error <= tolerance ? Outcome.OK : Outcome.FAILED;
    return new Finding(check, compared, error, tolerance, outcome);
  }

  /** A measurement that may have any value. */
  public static Finding info(String check, String compared, double error) {
    return new Finding(check, compared, error, Double.NaN, Outcome.INFO);
  }

  /** A check that could not be finished. */
  public static Finding failed(String check, String reason) {
    return new Finding(check, reason, Double.NaN, Double.NaN, Outcome.FAILED);
  }

  /** A check that does not go with this network or these settings. */
  public static Finding notApplicable(String check, String reason) {
    return new Finding(check, reason, Double.NaN, Double.NaN, Outcome.NOT_APPLICABLE);
  }

  public boolean hasFailed() {
    return outcome == Outcome.FAILED;
  }

  /** A number of a finding, for tables: "–" if there is none. */
  public static String number(double value) {
    return Double.isNaN(value) ? "–" : String.format(Locale.ROOT, "%.1e", value);
  }
}
