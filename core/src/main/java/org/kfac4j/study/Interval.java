package org.kfac4j.study;

/**
 * A percentile interval of 95 %.
 *
 * @param open whether some resamples only have a lower bound, so that {@code high} is one too
 */
public record Interval(double low, double high, boolean open) {
  /** Whether a value may lie in both; an open end reaches to infinity. */
  public boolean overlaps(Interval other) {
    return low <= other.end() && other.low <= end();
  }

  public boolean contains(double value) {
    return low <= value && value <= end();
  }

  private double end() {
    return open ? Double.POSITIVE_INFINITY : high;
  }
}
