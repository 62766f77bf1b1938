package org.kfac4j.study;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.kfac4j.training.Figures;
import org.kfac4j.training.Html;

/**
 * Steps to the target over a grid of hyperparameters, with the tuning seed, as a table whose cells
 * are coloured. Of the axes with at least two values, the first two are shown; of more, each cell
 * has the best over the others.
 */
final class HeatMap {
  static final String NOTE =
      "Steps to the target for each point of the grid; the fewer, the stronger the colour. * is the winner; × n did not reach the target in n steps, the budget or where it was stopped as hopeless; ×! diverged; · was not run.";

  /** Classes h0 … h8 of the style sheet. */
  private static final int COLOURS = 9;

  private HeatMap() {}

  static String html(String optimizer, StudyCell cell) {
    List<String> axes =
        cell.grid().entrySet().stream()
            .filter(axis -> axis.getValue().size() > 1)
            .map(Map.Entry::getKey)
            .toList();
    String column = axes.isEmpty() ? "" : axes.get(axes.size() - 1);
    String row = "";
    List<String> others = List.of();
    if (axes.size() > 1) {
      row = axes.get(0);
      column = axes.get(1);
      others = axes.subList(2, axes.size());
    }
    StringBuilder html = new StringBuilder("<figure><figcaption><b>");
    html.append(Html.escape(optimizer + ", batch " + Figures.count(cell.batch()))).append("</b>");
    if (!others.isEmpty()) {
      html.append("<span class=\"key\">")
          .append(
              Html.escape(
                  "best over "
                      + others.stream().map(StudyRun::label).collect(Collectors.joining(", "))))
          .append("</span>");
    }
    html.append("</figcaption>\n<table class=\"map\">\n");
    List<String> columns = values(cell, column);
    if (!column.isEmpty()) {
      header(html, row, column, columns);
    }
    for (String value : values(cell, row)) {
      html.append("<tr><th>").append(Html.escape(value)).append("</th>");
      for (String other : columns) {
        SortedMap<String, String> at = new TreeMap<>();
        at.put(row, value);
        at.put(column, other);
        at.remove("");
        cell(html, cell, at);
      }
      html.append("</tr>\n");
    }
    return html.append("</table></figure>\n").toString();
  }

  private static List<String> values(StudyCell cell, String axis) {
    return axis.isEmpty() ? List.of("") : cell.grid().getOrDefault(axis, List.of());
  }

  private static void header(StringBuilder html, String row, String column, List<String> columns) {
    html.append("<tr><th></th><th colspan=\"").append(columns.size()).append("\">");
    html.append(Html.escape(StudyRun.label(column)))
        .append("</th></tr>\n<tr><th>")
        .append(Html.escape(StudyRun.label(row)));
    html.append("</th>");
    columns.forEach(value -> html.append("<th>").append(Html.escape(value)).append("</th>"));
    html.append("</tr>\n");
  }

  private static void cell(StringBuilder html, StudyCell cell, SortedMap<String, String> at) {
    List<StudyRun> runs =
        cell.tuned().stream()
            .filter(run -> run.point().entrySet().containsAll(at.entrySet()))
            .toList();
    Optional<StudyRun> best =
        runs.stream()
            .filter(run -> run.reached(cell.target()).isPresent())
            .min(Comparator.comparingLong(run -> run.reached(cell.target()).orElseThrow().steps()));
    if (best.isPresent()) {
      long steps = best.get().reached(cell.target()).orElseThrow().steps();
      boolean wins = cell.winner().map(runs::contains).orElse(false);
      html.append("<td class=\"h").append(colour(cell, steps)).append(wins ? " best\">" : "\">");
      html.append(Html.escape(Figures.count(steps) + (wins ? " *" : ""))).append("</td>");
    } else {
      html.append("<td class=\"missed\">").append(missed(runs)).append("</td>");
    }
  }

  private static String missed(List<StudyRun> runs) {
    if (runs.isEmpty()) {
      return "·";
    }
    return runs.stream().allMatch(StudyRun::diverged)
        ? "×!"
        : "× " + Figures.count(runs.stream().mapToLong(StudyRun::steps).max().orElse(0));
  }

  /** Equal ratios of steps are equal steps of colour; all of the cell's grid share the scale. */
  private static int colour(StudyCell cell, long steps) {
    double[] logs =
        cell.tuned().stream()
            .flatMap(run -> run.reached(cell.target()).stream())
            .mapToDouble(there -> Math.log((double) there.steps()))
            .sorted()
            .toArray();
    double span = logs[logs.length - 1] - logs[0];
    double share = span == 0 ? 1 : (logs[logs.length - 1] - Math.log((double) steps)) / span;
    return (int) Math.round(share * (COLOURS - 1));
  }
}
