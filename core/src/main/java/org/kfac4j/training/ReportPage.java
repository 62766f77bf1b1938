package org.kfac4j.training;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The report of a run as one HTML page that needs nothing else: no network, no scripts.
 *
 * @param records of all iterations so far
 * @param summary how the run ended; null while it goes on, and the page then loads itself anew
 *     every 30 s
 */
record ReportPage(RunInfo info, List<IterationRecord> records, @Nullable RunSummary summary) {
  String html() {
    ReportCharts charts = new ReportCharts(records);
    StringBuilder html = new StringBuilder();
    html.append("<p>").append(Html.escape(status())).append("</p>\n").append(cards());
    section(html, "Progress", charts.progress());
    section(html, "Damping and step", charts.step());
    List<String> phases = phases();
    section(html, "Time by phase", charts.phases(phases), phaseTable(phases));
    section(html, "Curvature", charts.curvature(), curvatureTable());
    section(html, "Model", "", modelTable());
    section(html, "Settings", "", Html.table(new TreeMap<>(info.settings())));
    Map<String, String> environment = new TreeMap<>(info.versions());
    environment.putAll(info.cluster());
    section(html, "Versions and cluster", "", environment.isEmpty() ? "" : Html.table(environment));
    return Html.page(info.name(), summary == null, html.toString());
  }

  private static void section(StringBuilder html, String title, String figures, String... tables) {
    String all = String.join("", tables);
    if (figures.isEmpty() && all.isEmpty()) {
      return;
    }
    html.append("<h2>").append(Html.escape(title)).append("</h2>\n");
    if (!figures.isEmpty()) {
      html.append("<div class=\"charts\">\n").append(figures).append("</div>\n");
    }
    html.append(all);
  }

  private String status() {
    int done = records.isEmpty() ? 0 : records.get(records.size() - 1).iteration();
    String state =
        summary == null
            ? "Running: %s of %s iterations done".formatted(done, info.iterations())
            : "Ended after %s of %s iterations: %s"
                .formatted(summary.iterations(), info.iterations(), Figures.reason(summary));
    String resumed =
        info.resumedFrom() > 0 ? ", resumed after iteration " + info.resumedFrom() : "";
    return "%s%s. %s training and %s test examples."
        .formatted(state, resumed, Figures.count(info.trainSize()), Figures.count(info.testSize()));
  }

  private String cards() {
    StringBuilder html = new StringBuilder("<div class=\"cards\">\n");
    IterationRecord best = best();
    if (best != null && best.evaluation() != null) {
      card(html, "best", best.evaluation(), best.iteration());
    }
    IterationRecord last =
        records.stream().filter(r -> r.evaluation() != null).reduce((a, b) -> b).orElse(null);
    if (last != null && last.evaluation() != null) {
      card(html, summary == null ? "latest" : "final", last.evaluation(), last.iteration());
    }
    if (!records.isEmpty()) {
      IterationRecord latest = records.get(records.size() - 1);
      card(html, "training loss", Figures.number(latest.loss()), "nats per example");
      double median =
          summary == null
              ? latest.seconds() / latest.iteration()
              : summary.medianIterationSeconds();
      card(html, "per iteration", Figures.duration(median), summary == null ? "mean" : "median");
      card(html, "training time", Figures.duration(latest.seconds()), "evaluation excluded");
    }
    return html.append("</div>\n").toString();
  }

  private @Nullable IterationRecord best() {
    return records.stream()
        .filter(record -> record.evaluation() != null)
        .min(Comparator.comparingDouble(ReportPage::score))
        .orElse(null);
  }

  private static double score(IterationRecord record) {
    return record.evaluation() == null ? Double.NaN : record.evaluation().score();
  }

  private static void card(StringBuilder html, String which, Evaluation evaluation, int iteration) {
    String note = "iteration " + iteration + (evaluation.averaged() ? " (averaged)" : "");
    card(html, which + " " + Figures.metricName(evaluation), Figures.metric(evaluation), note);
  }

  private static void card(StringBuilder html, String name, String value, String note) {
    html.append("<div><span>")
        .append(Html.escape(name))
        .append("</span><b>")
        .append(Html.escape(value));
    html.append("</b><span>").append(Html.escape(note)).append("</span></div>\n");
  }

  private Map<String, Double> phaseTotals() {
    Map<String, Double> totals = new TreeMap<>();
    records.forEach(
        record ->
            record
                .phaseSeconds()
                .forEach((phase, seconds) -> totals.merge(phase, seconds, Double::sum)));
    return totals;
  }

  private List<String> phases() {
    Map<String, Double> totals = phaseTotals();
    return totals.keySet().stream()
        .sorted(Comparator.comparingDouble(phase -> -totals.getOrDefault(phase, 0.0)))
        .toList();
  }

  private String phaseTable(List<String> phases) {
    Map<String, Double> totals = phaseTotals();
    double sum = totals.values().stream().mapToDouble(Double::doubleValue).sum();
    List<List<String>> rows = new ArrayList<>();
    for (String phase : phases) {
      double seconds = totals.getOrDefault(phase, 0.0);
      rows.add(
          List.of(
              phase,
              Figures.duration(seconds),
              Figures.duration(seconds / records.size()),
              String.format(Locale.ROOT, "%.1f %%", sum > 0 ? 100 * seconds / sum : 0)));
    }
    return rows.isEmpty()
        ? ""
        : Html.table(List.of("phase", ">total", ">mean per iteration", ">share"), rows);
  }

  /** The latest value of each figure of each layer. */
  private String curvatureTable() {
    Map<String, Double> latest = new LinkedHashMap<>();
    records.forEach(record -> latest.putAll(record.curvature()));
    TreeSet<String> layers = new TreeSet<>(Figures.NATURAL);
    TreeSet<String> figures = new TreeSet<>();
    for (String key : latest.keySet()) {
      layers.add(ReportCharts.layer(key));
      figures.add(ReportCharts.figure(key));
    }
    List<List<String>> rows = new ArrayList<>();
    for (String layer : layers) {
      List<String> row = new ArrayList<>(List.of(layer));
      for (String figure : figures) {
        Double value =
            latest.getOrDefault(
                layer + " " + figure, layer.equals("all layers") ? latest.get(figure) : null);
        row.add(value == null ? "–" : Figures.number(value));
      }
      rows.add(row);
    }
    List<String> header = new ArrayList<>(List.of("latest values"));
    figures.forEach(figure -> header.add(">" + figure));
    return rows.isEmpty() ? "" : Html.table(header, rows);
  }

  private String modelTable() {
    List<List<String>> rows = new ArrayList<>();
    long total = 0;
    for (RunInfo.LayerRow row : info.layers()) {
      rows.add(
          List.of(
              row.layer(),
              row.shape(),
              Figures.count(row.parameters()),
              row.factors(),
              row.curvature()));
      total += row.parameters();
    }
    rows.add(List.of("total", "", Figures.count(total), "", ""));
    return Html.table(List.of("layer", "shape", ">parameters", "factors", "curvature"), rows);
  }
}
