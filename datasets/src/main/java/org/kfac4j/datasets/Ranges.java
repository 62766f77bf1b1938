package org.kfac4j.datasets;

import org.kfac4j.Check;
import org.kfac4j.data.DataSource;

/** Which ranges of examples can be read into one array. */
final class Ranges {
  /** The longest array that every JVM can allocate. */
  static final int LONGEST_ARRAY = Integer.MAX_VALUE - 8;

  private Ranges() {}

  /**
   * Number of examples in [from, to).
   *
   * @throws IllegalArgumentException if the range is not inside [0, size) or its features do not
   *     fit one array
   */
  static int count(DataSource source, long from, long to) {
    Check.that(
        0 <= from && from <= to && to <= source.size(),
        "%s: range must be inside [0, %d), got [%d, %d)",
        source.name(),
        source.size(),
        from,
        to);
    int width = source.shape().features();
    Check.that(
        to - from <= LONGEST_ARRAY / width,
        "%s: a range may hold at most %d examples of %d numbers, got %d",
        source.name(),
        LONGEST_ARRAY / width,
        width,
        to - from);
    return (int) (to - from);
  }
}
