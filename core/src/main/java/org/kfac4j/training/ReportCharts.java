package org.kfac4j.training;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/** The curves of a report, from the records of its iterations. */
final class ReportCharts {
  private static final String ITERATION = "iteration";

  /** A loss or error that falls by more than this is shown on a logarithmic axis. */
  private static final double LOG_RATIO = 4;

  private final List<IterationRecord> records;
  private final List<IterationRecord> evaluated;
  private final String timeLabel;
  private final double timeUnit;

  ReportCharts(List<IterationRecord> records) {
    this.records = records;
    this.evaluated = records.stream().filter(record -> record.evaluation() != null).toList();
    double seconds = records.isEmpty() ? 0 : records.get(records.size() - 1).seconds();
    this.timeUnit = seconds > 3 * 3600 ? 3600 : seconds > 300 ? 60 : 1;
    this.timeLabel =
        "training time (" + (timeUnit == 3600 ? "h" : timeUnit == 60 ? "min" : "s") + ")";
  }

  /** Loss and test metric, against iterations and against time. */
  String progress() {
    StringBuilder html = new StringBuilder();
    for (boolean byTime : new boolean[] {false, true}) {
      html.append(loss(byTime));
    }
    for (boolean byTime : new boolean[] {false, true}) {
      html.append(metric(byTime));
    }
    return html.toString();
  }

  private String loss(boolean byTime) {
    List<SvgChart.Series> lines = new ArrayList<>();
    lines.add(series("mini-batch", records, byTime, IterationRecord::loss));
    if (!evaluated.isEmpty()) {
      lines.add(series("test", evaluated, byTime, record -> of(record, Evaluation::loss)));
    }
    return chart("Loss", byTime, "nats per example", spans(lines), lines);
  }

  private String metric(boolean byTime) {
    boolean accuracy = evaluated.stream().anyMatch(record -> of(record, Evaluation::accuracy) >= 0);
    boolean error = evaluated.stream().anyMatch(record -> of(record, Evaluation::error) >= 0);
    if (!accuracy && !error) {
      return "";
    }
    SvgChart.Series line =
        accuracy
            ? series(
                "test accuracy",
                evaluated,
                byTime,
                record -> 100 * of(record, Evaluation::accuracy))
            : series("test error", evaluated, byTime, record -> of(record, Evaluation::error));
    return accuracy
        ? chart("Test accuracy", byTime, "% of examples", false, List.of(line))
        : chart(
            "Test error", byTime, "squared error per example", spans(List.of(line)), List.of(line));
  }

  /** Damping, step and reduction ratio; nothing of what the run does not have. */
  String step() {
    SvgChart.Series damping = series("λ", records, false, record -> or(record.damping()));
    SvgChart.Series alpha =
        series("α (preconditioned gradient)", records, false, record -> or(record.alpha()));
    SvgChart.Series mu = series("μ (last update)", records, false, record -> or(record.mu()));
    List<IterationRecord> withRatio =
        records.stream().filter(record -> record.rho() != null).toList();
    SvgChart.Series rho = series("ρ", withRatio, false, record -> or(record.rho()));
    return chart("Damping λ", false, "λ", true, List.of(damping))
        + chart("Step", false, "coefficient", false, present(alpha, mu))
        + chart("Reduction ratio ρ", false, "actual over predicted", false, present(rho));
  }

  /** Seconds of each iteration by phase, the largest phases on their own. */
  String phases(List<String> largestFirst) {
    List<SvgChart.Series> lines = new ArrayList<>();
    for (String phase : largestFirst.subList(0, Math.min(largestFirst.size(), SvgChart.COLOURS))) {
      List<IterationRecord> having =
          records.stream().filter(record -> record.phaseSeconds().containsKey(phase)).toList();
      lines.add(series(phase, having, false, record -> or(record.phaseSeconds().get(phase))));
    }
    return chart("Seconds by phase", false, "s per iteration", false, lines);
  }

  /** One chart per figure of the curvature's health, one line per layer. */
  String curvature() {
    Map<String, List<String>> byFigure = new TreeMap<>();
    records.stream()
        .flatMap(record -> record.curvature().keySet().stream())
        .distinct()
        .sorted(Figures.NATURAL)
        .forEach(key -> byFigure.computeIfAbsent(figure(key), k -> new ArrayList<>()).add(key));
    StringBuilder html = new StringBuilder();
    byFigure.forEach((figure, keys) -> html.append(curvature(figure, keys)));
    return html.toString();
  }

  private String curvature(String figure, List<String> keys) {
    List<SvgChart.Series> lines = new ArrayList<>();
    for (String key : keys) {
      List<IterationRecord> having =
          records.stream().filter(record -> record.curvature().containsKey(key)).toList();
      SvgChart.Series line =
          series(layer(key), having, false, record -> or(record.curvature().get(key)));
      if (Arrays.stream(line.y()).anyMatch(value -> value != 0)) {
        lines.add(line);
      }
    }
    int shown = Math.min(lines.size(), SvgChart.MOST_LINES);
    String more =
        shown < lines.size() ? " (first " + shown + " of " + lines.size() + " layers)" : "";
    return chart("Curvature: " + figure + more, false, figure, false, lines.subList(0, shown));
  }

  /** The layer in a key like "layer0 pi"; "all layers" if the key names none. */
  static String layer(String key) {
    int space = key.lastIndexOf(' ');
    return space < 0 ? "all layers" : key.substring(0, space);
  }

  static String figure(String key) {
    return key.substring(key.lastIndexOf(' ') + 1);
  }

  private String chart(
      String title, boolean byTime, String yLabel, boolean log, List<SvgChart.Series> lines) {
    String full = byTime ? title + " against time" : title;
    return new SvgChart(full, byTime ? timeLabel : ITERATION, yLabel, log, lines).html();
  }

  private SvgChart.Series series(
      String name,
      List<IterationRecord> from,
      boolean byTime,
      ToDoubleFunction<IterationRecord> value) {
    double[] x =
        from.stream()
            .mapToDouble(record -> byTime ? record.seconds() / timeUnit : record.iteration())
            .toArray();
    return new SvgChart.Series(
        name, x, from.stream().mapToDouble(value).toArray(), from.size() < records.size());
  }

  private static boolean spans(List<SvgChart.Series> lines) {
    double[] values =
        lines.stream()
            .flatMapToDouble(line -> Arrays.stream(line.y()))
            .filter(Double::isFinite)
            .toArray();
    double low = Arrays.stream(values).min().orElse(0);
    return low > 0 && Arrays.stream(values).max().orElse(0) / low > LOG_RATIO;
  }

  private static List<SvgChart.Series> present(SvgChart.Series... lines) {
    return Arrays.stream(lines)
        .filter(line -> Arrays.stream(line.y()).anyMatch(Double::isFinite))
        .toList();
  }

  private static double of(IterationRecord record, Function<Evaluation, @Nullable Double> figure) {
    return record.evaluation() == null ? Double.NaN : or(figure.apply(record.evaluation()));
  }

  private static double or(@Nullable Double value) {
    return value == null ? Double.NaN : value;
  }
}
