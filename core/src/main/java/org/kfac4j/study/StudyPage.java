package org.kfac4j.study;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.kfac4j.training.Figures;
import org.kfac4j.training.Html;

/**
 * A study as one HTML page that needs nothing else: no network, no scripts.
 *
 * @param own settings of each optimizer, the same at all points of its grid, by its name
 * @param settings that all runs share
 * @param environment versions and cluster
 * @param forecast for this cluster and others
 */
public record StudyPage(
    StudyResults results,
    Map<String, Map<String, String>> own,
    Map<String, String> settings,
    Map<String, String> environment,
    Forecast forecast) {

  /** Without a forecast. */
  public StudyPage(
      StudyResults results, Map<String, String> settings, Map<String, String> environment) {
    this(results, Map.of(), settings, environment, Forecast.NONE);
  }

  public String html() {
    StringBuilder body = new StringBuilder();
    paragraph(body, intro());
    for (Conclusion conclusion : results.conclusions()) {
      verdict(body, conclusion);
    }
    body.append("<h2>Critical batch sizes</h2>\n").append(table(results.summary(), 3));
    paragraph(body, criticalNote());
    StudyCharts charts = new StudyCharts(results, forecast.predictions());
    for (Target target : results.targets()) {
      for (Budget budget : results.budgets()) {
        target(body, charts, target, budget);
      }
    }
    charts(body, "Seconds per iteration", charts.iterations());
    beyond(body, charts);
    body.append("<h2>Hyperparameters</h2>\n");
    paragraph(body, HeatMap.NOTE);
    for (Target target : results.targets()) {
      for (Budget budget : results.budgets()) {
        body.append(maps(target, budget));
      }
    }
    body.append("<h2>Optimizers and grids</h2>\n");
    body.append(
        Html.table(List.of("optimizer", "setting", "~value, or those of its grid"), optimizers()));
    section(body, "Settings that all runs share", settings);
    section(body, "Versions and cluster", environment);
    return Html.page(results.name(), false, body.toString());
  }

  private String intro() {
    Map<String, Long> outcomes =
        results.runs().stream()
            .collect(
                Collectors.groupingBy(
                    run -> run.outcome().split(":", 2)[0], TreeMap::new, Collectors.counting()));
    String counts =
        outcomes.entrySet().stream()
            .map(outcome -> Figures.count(outcome.getValue()) + " " + outcome.getKey())
            .collect(Collectors.joining(", "));
    return "%s runs%s. %s examples an epoch; batch sizes %s; optimizers %s. Every point of each grid ran with seed %d, winners also with others."
        .formatted(
            Figures.count(results.runs().size()),
            counts.isEmpty() ? "" : " (" + counts + ")",
            Figures.count(results.examples()),
            results.batchSizes().stream().map(Figures::count).collect(Collectors.joining("; ")),
            String.join(", ", results.optimizers()),
            results.tuningSeed());
  }

  private static void verdict(StringBuilder body, Conclusion conclusion) {
    String heading = heading(conclusion.target(), conclusion.budget()) + ":";
    body.append("<p class=\"verdict\"><b>").append(Html.escape(heading)).append("</b>");
    body.append(Html.escape(conclusion.text().substring(heading.length()))).append("</p>\n");
  }

  private String criticalNote() {
    return "Critical batch size: the largest measured batch B whose efficiency k*(B₀)·B₀ / (k*(B)·B) is at least %s, with B₀ = %s; interpolated in log B. k* is the fewest steps to the target of the grid with seed %d. ≥ marks lower bounds; intervals are percentile bootstrap over seeds, and with few seeds too narrow. Fit: k = k_min + c/B by least squares of relative errors, with their root mean square."
        .formatted(
            Figures.number(results.efficiencyThreshold()),
            Figures.count(results.smallestBatch()),
            results.tuningSeed());
  }

  private void target(StringBuilder body, StudyCharts charts, Target target, Budget budget) {
    charts(body, heading(target, budget), charts.target(target, budget));
    paragraph(
        body,
        "Pale bars: fewest to most steps over the seeds at the winner. Ideal: k*(B₀)·B₀/B and S = B/B₀. ×: no run reached the target within the steps at the cross.");
    body.append(table(results.table(target, budget), 1));
    paragraph(
        body,
        "> n: no point of the grid reached the target within n steps. s: seconds of training, without evaluation, of the run with the fewest steps. Epochs: B·k*/|D|. Edge: the winning number is the least or greatest of its axis and not 0, so the grid has to be widened before its speedup is quoted.");
    body.append(table(results.robustness(target, budget), 1));
    paragraph(
        body,
        "Over the grid with seed %d. Least s: the fewest seconds to the target of any point. Quartiles: a quarter, half and three quarters of the points have this best value or a better one until they end, which is when all targets are met; – is a run without a value."
            .formatted(results.tuningSeed()));
  }

  private void beyond(StringBuilder body, StudyCharts charts) {
    String drawn = charts.executors();
    if (drawn.isEmpty() && forecast.notes().isEmpty()) {
      return;
    }
    body.append("<h2>Beyond this cluster: predictions</h2>\n");
    paragraph(body, forecast.assumptions());
    if (!drawn.isEmpty()) {
      body.append("<div class=\"charts\">\n").append(drawn).append("</div>\n");
    }
    for (Target target : results.targets()) {
      for (Budget budget : results.budgets()) {
        List<List<String>> rows = forecast.table(target, budget);
        if (rows.size() > 1) {
          paragraph(body, heading(target, budget) + ", seconds with the best batch size:");
          body.append(table(rows, 0));
        }
      }
    }
    forecast.notes().forEach(note -> paragraph(body, "Note: " + note));
  }

  /** How a {@link Conclusion} begins. */
  static String heading(Target target, Budget budget) {
    return target.label() + ", " + budget.label() + " budget";
  }

  private String maps(Target target, Budget budget) {
    StringBuilder html = new StringBuilder("<details open><summary>");
    html.append(Html.escape(heading(target, budget))).append("</summary>\n");
    for (StudyCurve curve : results.curves(budget, target)) {
      html.append("<div class=\"maps\">\n");
      curve.cells().forEach(cell -> html.append(HeatMap.html(curve.optimizer(), cell)));
      html.append("</div>\n");
    }
    return html.append("</details>\n").toString();
  }

  /** What its runs have in common and what they differ in, for each of them. */
  private List<List<String>> optimizers() {
    List<List<String>> rows = new ArrayList<>();
    results
        .grids()
        .forEach(
            (optimizer, grid) -> {
              int first = rows.size();
              own.getOrDefault(optimizer, Map.of())
                  .forEach((key, value) -> rows.add(List.of("", key, value)));
              grid.forEach((key, values) -> rows.add(List.of("", key, String.join(", ", values))));
              if (rows.size() == first) {
                rows.add(List.of("", "as all runs", ""));
              }
              List<String> named = new ArrayList<>(rows.get(first));
              named.set(0, optimizer);
              rows.set(first, named);
            });
    return rows;
  }

  private static void charts(StringBuilder body, String title, String charts) {
    if (!charts.isEmpty()) {
      body.append("<h2>").append(Html.escape(title)).append("</h2>\n<div class=\"charts\">\n");
      body.append(charts).append("</div>\n");
    }
  }

  private static void section(StringBuilder body, String title, Map<String, String> values) {
    if (!values.isEmpty()) {
      body.append("<h2>").append(title).append("</h2>\n");
      body.append(Html.table(new TreeMap<>(values)));
    }
  }

  private static void paragraph(StringBuilder body, String text) {
    body.append("<p>").append(Html.escape(text)).append("</p>\n");
  }

  /**
   * @param words columns to the left, before those of numbers
   */
  private static String table(List<List<String>> rows, int words) {
    List<String> header = new ArrayList<>();
    for (String name : rows.get(0)) {
      boolean isFirst = header.size() < words;
      header.add((isFirst ? "" : name.equals(StudyTables.WINNER) ? "~" : ">") + name);
    }
    return Html.table(header, rows.subList(1, rows.size()));
  }
}
