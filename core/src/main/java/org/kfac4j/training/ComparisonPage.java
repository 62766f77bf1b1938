package org.kfac4j.training;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;

/**
 * A comparison as one HTML page that needs nothing else: no network, no scripts.
 *
 * @param settings that all runs share
 * @param environment versions and cluster
 */
public record ComparisonPage(
    Comparison comparison, Map<String, String> settings, Map<String, String> environment) {
  public String html() {
    StringBuilder body = new StringBuilder();
    body.append("<p>").append(Html.escape(intro())).append("</p>\n");
    for (double target : comparison.targets()) {
      body.append("<p>").append(Html.escape(verdict(target))).append("</p>\n");
    }
    List<List<String>> rows = comparison.table();
    List<String> header = new ArrayList<>();
    for (String cell : rows.get(0)) {
      header.add(header.isEmpty() ? cell : ">" + cell);
    }
    body.append(Html.table(header, rows.subList(1, rows.size())));
    section(body, "Training loss", loss());
    section(body, "Test metric", metric());
    if (comparison.runs().size() > comparison.best().size()) {
      body.append("<h2>All runs</h2>\n").append(runs());
    }
    body.append("<h2>Shared settings</h2>\n").append(Html.table(new TreeMap<>(settings)));
    body.append("<h2>Versions and cluster</h2>\n").append(Html.table(new TreeMap<>(environment)));
    return Html.page(comparison.name(), false, body.toString());
  }

  private String intro() {
    int shown = Math.min(comparison.best().size(), SvgChart.MOST_LINES);
    String charts =
        shown < comparison.best().size() ? " Charts show the first " + shown + " optimizers." : "";
    return "Best run of each optimizer; * is the first of all runs in a column, > marks runs that ended before the target. "
        + "Seconds are of training, without evaluation; one seed."
        + charts;
  }

  private String verdict(double target) {
    List<ComparedRun> fastest = comparison.fastest(target);
    List<ComparedRun> fewest = comparison.fewestIterations(target);
    if (fastest.isEmpty()) {
      return "No run reached " + Figures.number(target) + ".";
    }
    return String.format(
        Locale.ROOT,
        "%s: %s needs the least time (%s), %s the fewest iterations (%d).",
        Figures.number(target),
        Comparison.names(fastest),
        Figures.duration(fastest.get(0).reached(target).orElseThrow().seconds()),
        Comparison.names(fewest),
        fewest.get(0).reached(target).orElseThrow().iteration());
  }

  private static void section(StringBuilder body, String title, String charts) {
    if (!charts.isEmpty()) {
      body.append("<h2>").append(title).append("</h2>\n<div class=\"charts\">\n");
      body.append(charts).append("</div>\n");
    }
  }

  private String loss() {
    return charts("Mini-batch loss", "nats per example", false, IterationRecord::loss);
  }

  private String metric() {
    boolean accuracy =
        comparison.runs().stream()
            .flatMap(run -> run.evaluated().stream())
            .map(IterationRecord::evaluation)
            .anyMatch(evaluation -> evaluation != null && evaluation.accuracy() != null);
    return accuracy
        ? charts("Test accuracy", "% of examples", true, record -> 100 * (1 - score(record)))
        : charts("Test error", "per example", true, ComparisonPage::score);
  }

  private static double score(IterationRecord record) {
    return record.evaluation() == null ? Double.NaN : record.evaluation().score();
  }

  private String charts(
      String title, String yLabel, boolean evaluated, ToDoubleFunction<IterationRecord> value) {
    StringBuilder html = new StringBuilder();
    for (boolean byTime : new boolean[] {false, true}) {
      List<SvgChart.Series> lines = new ArrayList<>();
      for (ComparedRun run : comparison.best()) {
        List<IterationRecord> from = evaluated ? run.evaluated() : run.records();
        if (!from.isEmpty() && lines.size() < SvgChart.MOST_LINES) {
          lines.add(
              new SvgChart.Series(
                  run.optimizer(),
                  from.stream()
                      .mapToDouble(record -> byTime ? record.seconds() : record.iteration())
                      .toArray(),
                  from.stream().mapToDouble(value).toArray(),
                  evaluated));
        }
      }
      html.append(
          new SvgChart(
                  byTime ? title + " against time" : title,
                  byTime ? "training time (s)" : "iteration",
                  yLabel,
                  !title.contains("accuracy"),
                  lines)
              .html());
    }
    return html.toString();
  }

  private String runs() {
    List<List<String>> rows = new ArrayList<>();
    for (ComparedRun run : comparison.runs()) {
      rows.add(
          List.of(
              run.name(),
              run.outcome(),
              String.valueOf(run.iterations()),
              String.format(Locale.ROOT, "%.1f", run.seconds()),
              run.best().map(IterationRecord::evaluation).map(Figures::metric).orElse("–")));
    }
    return Html.table(
        List.of("run", "outcome", ">iterations", ">seconds", ">" + comparison.metric()), rows);
  }
}
