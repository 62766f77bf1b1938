package org.kfac4j.training;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A line chart as a {@code <figure>} with inline SVG. Colours are classes of the page's style
 * sheet, so they follow its light and dark schemes; text is text; neither fonts nor a display are
 * needed to make it.
 *
 * @param title what is shown
 * @param xLabel quantity and unit
 * @param yLabel quantity and unit
 * @param xLog whether the x axis is logarithmic with powers of two as ticks; all x then are at
 *     least 1
 * @param yLog whether the y axis is logarithmic whatever the values; otherwise it is where they
 *     span enough
 * @param series lines in drawing order, at most {@link #MOST_LINES}: {@link #COLOURS} full and as
 *     many dashed ones
 */
public record SvgChart(
    String title, String xLabel, String yLabel, boolean xLog, boolean yLog, List<Series> series) {
  public static final int COLOURS = 8;
  public static final int MOST_LINES = 2 * COLOURS;

  private static final int WIDTH = 440;
  private static final int HEIGHT = 260;
  private static final int LEFT = 52;
  private static final int RIGHT = 22;
  private static final int TOP = 24;
  private static final int BOTTOM = 40;

  /**
   * A line with more than four times as many points shows the mean of each piece, and faintly its
   * extremes.
   */
  private static final int PIECES = 400;

  /** Half the width of a cross. */
  private static final int CROSS = 4;

  private static final int MOST_DOTS = 60;

  /** A line with more points than this is drawn thin. */
  private static final int MANY = 120;

  /**
   * One line. Points that are not finite, and on a logarithmic axis not positive, are gaps.
   *
   * @param x ascending, [n]
   * @param y as long as {@code x}
   * @param dots whether the points are marked, if they are few enough
   * @param look null: its colour, and whether it is dashed, follow from its place in the chart
   */
  public record Series(String name, double[] x, double[] y, boolean dots, @Nullable Look look) {
    public Series(String name, double[] x, double[] y, boolean dots) {
      this(name, x, y, dots, null);
    }

    /** A line that looks as it is told; without a key if its name is empty. */
    public static Series of(String name, double[] x, double[] y, Look look) {
      return new Series(name, x, y, look.line == Line.MARKED, look);
    }
  }

  /**
   * How a line is drawn.
   *
   * @param colour from 0, modulo {@link #COLOURS}; {@link #NEUTRAL} for that of the text
   */
  public record Look(int colour, Line line) {
    public static final int NEUTRAL = -1;

    private String colourClass() {
      return colour == NEUTRAL ? "n" : String.valueOf(colour % COLOURS);
    }
  }

  /** Strokes. */
  public enum Line {
    /** A full line with its points marked: what was measured. */
    MARKED(""),
    /** A dashed line: what is ideal or predicted. */
    DASHED(" dashed"),
    /** A faint line: a spread. */
    FAINT(" spread"),
    /** No line, a cross at each point: bounds. */
    CROSSES(" cross");

    private final String style;

    Line(String style) {
      this.style = style;
    }
  }

  /** With equal steps on the x axis. */
  public SvgChart(String title, String xLabel, String yLabel, boolean yLog, List<Series> series) {
    this(title, xLabel, yLabel, false, yLog, series);
  }

  /** The figure; nothing if there is no point. */
  public String html() {
    Range x = new Range();
    Range y = new Range();
    Range positive = new Range();
    for (Series line : series) {
      for (int i = 0; i < line.x.length; i++) {
        if (Double.isFinite(line.y[i])) {
          x.add(line.x[i]);
          y.add(line.y[i]);
          positive.add(line.y[i] > 0 ? line.y[i] : Double.NaN);
        }
      }
    }
    if (y.isEmpty()) {
      return "";
    }
    ChartAxis xAxis =
        xLog
            ? ChartAxis.powersOfTwo(x.low, x.high)
            : ChartAxis.linear(Math.min(0, x.low), x.high, true);
    ChartAxis yAxis =
        yLog && !positive.isEmpty()
            ? xLog
                ? ChartAxis.logRound(positive.low, positive.high)
                : ChartAxis.log(positive.low, positive.high)
            : ChartAxis.fitting(y.low, y.high);
    StringBuilder html =
        new StringBuilder("<figure><figcaption><b>").append(Html.escape(title)).append("</b>");
    boolean titleSaysIt =
        series.size() == 1 && title.toLowerCase(Locale.ROOT).contains(series.get(0).name);
    for (int i = 0; i < series.size() && !titleSaysIt; i++) {
      key(html, series.get(i), i);
    }
    html.append("</figcaption>\n<svg viewBox=\"0 0 ").append(WIDTH).append(' ').append(HEIGHT);
    html.append("\" role=\"img\" aria-label=\"").append(Html.escape(title)).append("\">\n");
    axes(html, xAxis, yAxis);
    for (int i = 0; i < series.size(); i++) {
      line(html, series.get(i), i, xAxis, yAxis);
    }
    return html.append("</svg></figure>\n").toString();
  }

  private static void key(StringBuilder html, Series line, int index) {
    Look look = line.look;
    if (look != null && line.name.isEmpty()) {
      return;
    }
    if (look != null && look.line == Line.CROSSES) {
      html.append("<span class=\"key\"><b>×</b>");
    } else {
      html.append("<span class=\"key\"><i class=\"k")
          .append(look == null ? String.valueOf(index % COLOURS) : look.colourClass())
          .append(look == null ? index >= COLOURS ? " dashed" : "" : look.line.style)
          .append("\"></i>");
    }
    html.append(Html.escape(line.name)).append("</span>");
  }

  private void axes(StringBuilder svg, ChartAxis xAxis, ChartAxis yAxis) {
    int bottom = HEIGHT - BOTTOM;
    StringBuilder grid = new StringBuilder();
    for (double tick : yAxis.ticks()) {
      double at = y(yAxis, tick);
      grid.append("M").append(LEFT).append(' ').append(at(at)).append("H").append(WIDTH - RIGHT);
      text(svg, LEFT - 6, at + 4, "end", yAxis.labelOf(tick));
    }
    svg.append("<path class=\"grid\" d=\"").append(grid).append("\"/>\n");
    StringBuilder marks = new StringBuilder("M" + LEFT + " " + bottom + "H" + (WIDTH - RIGHT));
    for (double tick : xAxis.ticks()) {
      double at = x(xAxis, tick);
      marks.append("M").append(at(at)).append(' ').append(bottom).append("v4");
      text(svg, at, bottom + 16, "middle", xAxis.labelOf(tick));
    }
    svg.append("<path class=\"axis\" d=\"").append(marks).append("\"/>\n");
    text(
        svg,
        (LEFT + WIDTH - RIGHT) / 2.0,
        HEIGHT - 7,
        "middle",
        xLabel + (xLog ? ", log scale" : ""));
    text(svg, 4, 13, "start", yLabel + (yAxis.isLog() ? ", log scale" : ""));
  }

  private static void line(
      StringBuilder svg, Series line, int index, ChartAxis xAxis, ChartAxis yAxis) {
    if (line.look != null) {
      looking(svg, line, line.look, xAxis, yAxis);
      return;
    }
    String colour = "s" + index % COLOURS;
    boolean isLong = line.y.length > 4 * PIECES;
    if (isLong) {
      path(svg, colour + " range", extremes(line), xAxis, yAxis, true);
    }
    String style =
        (index >= COLOURS ? " dashed" : "") + (line.y.length > MANY && !isLong ? " thin" : "");
    path(svg, colour + style, isLong ? means(line) : line, xAxis, yAxis, true);
    if (line.dots && line.x.length <= MOST_DOTS) {
      path(svg, colour + " dots", line, xAxis, yAxis, false);
    }
  }

  private static void looking(
      StringBuilder svg, Series line, Look look, ChartAxis xAxis, ChartAxis yAxis) {
    String colour = "s" + look.colourClass();
    if (look.line == Line.CROSSES) {
      for (int i = 0; i < line.x.length; i++) {
        double at = y(yAxis, line.y[i]);
        if (Double.isFinite(at)) {
          svg.append("<path class=\"").append(colour).append(look.line.style).append("\" d=\"M");
          svg.append(at(x(xAxis, line.x[i]) - CROSS)).append(' ').append(at(at - CROSS));
          svg.append("l8 8m0 -8l-8 8\"/>\n");
        }
      }
      return;
    }
    path(svg, colour + look.line.style, line, xAxis, yAxis, true);
    if (line.dots) {
      path(svg, colour + " dots", line, xAxis, yAxis, false);
    }
  }

  /**
   * A line through the points, or a line of no length at each of them, whose round ends make it a
   * dot.
   */
  private static void path(
      StringBuilder svg,
      String style,
      Series line,
      ChartAxis xAxis,
      ChartAxis yAxis,
      boolean joined) {
    svg.append("<path class=\"").append(style).append("\" d=\"");
    boolean gap = true;
    for (int i = 0; i < line.x.length; i++) {
      double at = y(yAxis, line.y[i]);
      if (Double.isFinite(at)) {
        svg.append(gap || !joined ? "M" : "L")
            .append(at(x(xAxis, line.x[i])))
            .append(' ')
            .append(at(at));
        svg.append(joined ? "" : "h0");
      }
      gap = !Double.isFinite(at);
    }
    svg.append("\"/>\n");
  }

  /** Lowest and highest point of each piece of a long line. */
  private static Series extremes(Series line) {
    double[] y = line.y;
    IntStream.Builder shown = IntStream.builder();
    for (int piece = 0; piece < PIECES; piece++) {
      int from = start(piece, y.length);
      int low = from;
      int high = from;
      for (int i = from; i < start(piece + 1, y.length); i++) {
        low = y[i] < y[low] || !Double.isFinite(y[low]) ? i : low;
        high = y[i] > y[high] || !Double.isFinite(y[high]) ? i : high;
      }
      IntStream.of(low, high).sorted().distinct().forEach(shown);
    }
    int[] indices = shown.build().toArray();
    double[] x = IntStream.of(indices).mapToDouble(i -> line.x[i]).toArray();
    return new Series(line.name, x, IntStream.of(indices).mapToDouble(i -> y[i]).toArray(), false);
  }

  /** Mean of each piece of a long line, at its middle. */
  private static Series means(Series line) {
    double[] x = new double[PIECES];
    double[] y = new double[PIECES];
    for (int piece = 0; piece < PIECES; piece++) {
      int from = start(piece, line.y.length);
      int to = start(piece + 1, line.y.length);
      x[piece] = 0.5 * (line.x[from] + line.x[to - 1]);
      y[piece] =
          Arrays.stream(line.y, from, to).filter(Double::isFinite).average().orElse(Double.NaN);
    }
    return new Series(line.name, x, y, false);
  }

  private static int start(int piece, int n) {
    return (int) ((long) n * piece / PIECES);
  }

  private static double x(ChartAxis axis, double value) {
    return LEFT + axis.fraction(value) * (WIDTH - LEFT - RIGHT);
  }

  private static double y(ChartAxis axis, double value) {
    return HEIGHT - BOTTOM - axis.fraction(value) * (HEIGHT - TOP - BOTTOM);
  }

  private static void text(StringBuilder svg, double x, double y, String anchor, String text) {
    svg.append("<text x=\"")
        .append(at(x))
        .append("\" y=\"")
        .append(at(y))
        .append("\" text-anchor=\"")
        .append(anchor);
    svg.append("\">").append(Html.escape(text)).append("</text>\n");
  }

  /**
   * With one digit after the point; {@code String.format} would take most of the time that a report
   * takes.
   */
  private static String at(double coordinate) {
    long tenths = Math.round(10 * coordinate);
    return (tenths < 0 ? "-" : "") + Math.abs(tenths) / 10 + "." + Math.abs(tenths) % 10;
  }

  /** Smallest and largest of what was added. */
  private static final class Range {
    private double low = Double.POSITIVE_INFINITY;
    private double high = Double.NEGATIVE_INFINITY;

    void add(double value) {
      if (Double.isFinite(value)) {
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
    }

    boolean isEmpty() {
      return low > high;
    }
  }
}
