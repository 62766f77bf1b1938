package org.kfac4j.training;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** One axis of a chart: value → fraction of the axis's length, and where its ticks are. */
final class ChartAxis {
  private static final int MAJOR_TICKS = 5;

  /** Labels of seven digits beside each other. */
  private static final int MOST_POWERS = 8;

  /** From here on equal steps would show only the largest values. */
  private static final double LOG_RATIO = 30;

  private final double low;
  private final double high;
  private final boolean log;
  private final boolean counts;
  private final List<Double> ticks;

  /** In units of the axis: decades on a logarithmic one. */
  private ChartAxis(double low, double high, boolean log, List<Double> ticks) {
    this(low, high, log, false, ticks);
  }

  private ChartAxis(double low, double high, boolean log, boolean counts, List<Double> ticks) {
    this.low = low;
    this.high = high;
    this.log = log;
    this.counts = counts;
    this.ticks = ticks;
  }

  /** Equal steps; a range with a round value at each end unless {@code tight}. */
  static ChartAxis linear(double minimum, double maximum, boolean tight) {
    double span = maximum > minimum ? maximum - minimum : Math.max(Math.abs(maximum), 1e-300) * 0.5;
    double low = maximum > minimum ? minimum : minimum - span / 2;
    double high = maximum > minimum ? maximum : maximum + span / 2;
    double step = niceStep(span / MAJOR_TICKS);
    if (!tight) {
      low = Math.floor(low / step + 1e-9) * step;
      high = Math.ceil(high / step - 1e-9) * step;
    }
    List<Double> ticks = new ArrayList<>();
    for (long i = (long) Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-6; i++) {
      ticks.add(i * step);
    }
    return new ChartAxis(low, high, false, ticks);
  }

  /** Equal ratios; both ends positive. */
  static ChartAxis log(double minimum, double maximum) {
    double low = Math.log10(minimum);
    double high = Math.log10(maximum);
    double margin = Math.max(0.03 * (high - low), high > low ? 0 : 0.5);
    low -= margin;
    high += margin;
    List<Double> ticks = new ArrayList<>();
    int[] digits =
        high - low < 1.2
            ? new int[] {1, 2, 3, 5, 7}
            : high - low < 3 ? new int[] {1, 2, 5} : new int[] {1};
    int every = Math.max(1, (int) Math.ceil((high - low) / (MAJOR_TICKS + 1)));
    for (int decade = (int) Math.floor(low); decade <= high; decade++) {
      for (int digit : Math.floorMod(decade, every) == 0 ? digits : new int[0]) {
        double exponent = decade + Math.log10(digit);
        if (exponent >= low && exponent <= high) {
          ticks.add(digit * Math.pow(10, decade));
        }
      }
    }
    return new ChartAxis(low, high, true, ticks);
  }

  /**
   * Equal ratios, from a 1, 2 or 5 times a power of ten to another one: at least two ticks however
   * near the ends are; both positive.
   */
  static ChartAxis logRound(double minimum, double maximum) {
    double low = round(minimum, false);
    double high = round(maximum, true);
    if (high <= low) {
      low = round(minimum * 0.9, false);
      high = round(maximum * 1.1, true);
    }
    ChartAxis axis = log(low, high);
    return new ChartAxis(Math.log10(low), Math.log10(high), true, axis.ticks);
  }

  /** The next 1, 2 or 5 times a power of ten, up or down; the value itself if it is one. */
  private static double round(double value, boolean up) {
    double power = Math.pow(10, Math.floor(Math.log10(value) + 1e-12));
    double digit = value / power;
    double slack = up ? 1 + 1e-9 : 1 - 1e-9;
    double found = up ? 10 : 1;
    for (double candidate : up ? new double[] {5, 2, 1} : new double[] {2, 5}) {
      found = (up ? digit <= candidate * slack : digit >= candidate * slack) ? candidate : found;
    }
    return found * power;
  }

  /**
   * Equal ratios with powers of two as ticks, labelled as whole numbers: batch sizes, machines.
   *
   * @param minimum at least 1
   */
  static ChartAxis powersOfTwo(double minimum, double maximum) {
    double low = Math.log10(minimum);
    double high = Math.log10(maximum);
    double margin = Math.max(0.03 * (high - low), high > low ? 0 : 0.5);
    int first = (int) Math.ceil((low - margin) / Math.log10(2));
    int last = (int) Math.floor((high + margin) / Math.log10(2));
    int every = Math.max(1, (last - first + MOST_POWERS) / MOST_POWERS);
    List<Double> ticks = new ArrayList<>();
    for (int power = Math.max(0, first); power <= last; power += every) {
      ticks.add(Math.pow(2, power));
    }
    return new ChartAxis(low - margin, high + margin, true, true, ticks);
  }

  /** Logarithmic if all values are positive and they span enough for that. */
  static ChartAxis fitting(double minimum, double maximum) {
    return minimum > 0 && maximum / minimum >= LOG_RATIO
        ? log(minimum, maximum)
        : linear(minimum, maximum, false);
  }

  boolean isLog() {
    return log;
  }

  List<Double> ticks() {
    return ticks;
  }

  /** 0 at the low end, 1 at the high end; not finite for values that the axis cannot show. */
  double fraction(double value) {
    return ((log ? Math.log10(value) : value) - low) / (high - low);
  }

  /** A tick as this axis writes it. */
  String labelOf(double tick) {
    return counts ? String.valueOf(Math.round(tick)) : label(tick);
  }

  static String label(double tick) {
    double size = Math.abs(tick);
    if (size >= 1e5 || (size > 0 && size < 1e-3)) {
      int exponent = (int) Math.floor(Math.log10(size) + 1e-9);
      String digits = Figures.number(tick / Math.pow(10, exponent));
      return digits + "e" + exponent;
    }
    return size == 0 ? "0" : Figures.number(tick);
  }

  private static double niceStep(double rough) {
    double power = Math.pow(10, Math.floor(Math.log10(rough)));
    double digit = rough / power;
    return power * (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10);
  }

  @Override
  public String toString() {
    return String.format(Locale.ROOT, "%s [%s, %s]", log ? "log" : "linear", low, high);
  }
}
