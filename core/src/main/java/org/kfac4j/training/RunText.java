package org.kfac4j.training;

import java.nio.charset.Charset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.kfac4j.data.Storage;

/**
 * What a run says about itself in plain text, in lines of at most {@link #WIDTH} characters; only
 * paths may be longer.
 */
final class RunText {
  static final int WIDTH = 120;
  static final String MODEL_FILE = "model.zip";

  /** Where the terminal's character set lacks λ, everything is said in ASCII. */
  private static final boolean UNICODE = Charset.defaultCharset().newEncoder().canEncode('λ');

  private static final Map<String, String> ASCII =
      Map.of("λ", "lambda", "→", "->", "⊗", "x", "²", "^2", "·", "|", "–", "-", "…", "~");

  private RunText() {}

  /** The run, its data and machine, and the model and curvature table. */
  static List<String> start(RunInfo info) {
    List<String> lines = new ArrayList<>();
    lines.add(
        "%s: %s training and %s test examples, %s iterations"
            .formatted(
                info.name(),
                Figures.count(info.trainSize()),
                Figures.count(info.testSize()),
                info.iterations()));
    if (info.resumedFrom() > 0) {
      lines.add("resumed after iteration " + info.resumedFrom());
    }
    if (!info.cluster().isEmpty()) {
      lines.add(
          new TreeMap<>(info.cluster())
              .entrySet().stream()
                  .map(e -> e.getKey() + " " + e.getValue())
                  .collect(Collectors.joining(" · ")));
    }
    lines.add("");
    lines.addAll(table(info.layers()));
    lines.add("");
    return lines.stream().map(RunText::printable).map(RunText::cut).toList();
  }

  private static List<String> table(List<RunInfo.LayerRow> rows) {
    List<List<String>> cells = new ArrayList<>();
    cells.add(List.of("layer", "shape", "parameters", "factors", "curvature"));
    for (RunInfo.LayerRow row : rows) {
      cells.add(
          List.of(
              row.layer(),
              row.shape(),
              Figures.count(row.parameters()),
              row.factors(),
              row.curvature()));
    }
    long total = rows.stream().mapToLong(RunInfo.LayerRow::parameters).sum();
    cells.add(List.of("total", "", Figures.count(total), "", ""));
    int[] widths = new int[5];
    for (List<String> row : cells) {
      for (int column = 0; column < 5; column++) {
        widths[column] = Math.max(widths[column], printable(row.get(column)).length());
      }
    }
    return cells.stream().map(row -> aligned(row, widths)).toList();
  }

  /** Numbers, which are in column 2, to the right, the rest to the left. */
  private static String aligned(List<String> row, int[] widths) {
    StringBuilder line = new StringBuilder();
    for (int column = 0; column < row.size(); column++) {
      String cell = printable(row.get(column));
      String space = " ".repeat(widths[column] - cell.length());
      line.append(column == 0 ? "  " : "   ").append(column == 2 ? space + cell : cell + space);
    }
    return line.toString().stripTrailing();
  }

  /**
   * Loss, test metric, λ, seconds per iteration and time left.
   *
   * @param evaluation the latest one, if any
   * @param pace wall-clock seconds per iteration
   * @param left iterations still to do
   */
  static String iteration(
      IterationRecord record, @Nullable Evaluation evaluation, double pace, int left) {
    List<String> parts = new ArrayList<>();
    parts.add("loss " + Figures.number(record.loss()));
    if (evaluation != null) {
      parts.add(Figures.metricName(evaluation) + " " + Figures.metric(evaluation));
    }
    if (record.damping() != null) {
      parts.add("λ " + Figures.number(record.damping()));
    }
    parts.add(Figures.duration(pace) + "/it");
    if (left > 0) {
      parts.add(Figures.duration(Math.ceil(pace * left)).replace(".0 s", " s") + " left");
    }
    return printable(String.join("  ", parts));
  }

  /** How the run ended and where its results are. */
  static List<String> end(RunInfo info, RunSummary summary) {
    List<String> lines = new ArrayList<>();
    lines.add("");
    lines.add(
        "%s after %s iterations: %s of training, %s per iteration (median)"
            .formatted(
                Figures.reason(summary),
                summary.iterations(),
                Figures.duration(summary.seconds()),
                Figures.duration(summary.medianIterationSeconds())));
    Evaluation best = summary.best();
    if (best != null) {
      String last = summary.last() == null ? "" : ", last " + Figures.metric(summary.last());
      lines.add(
          "%s: best %s at iteration %s%s%s"
              .formatted(
                  Figures.metricName(best),
                  Figures.metric(best),
                  summary.bestIteration(),
                  best.averaged() ? " (averaged weights)" : "",
                  last));
    }
    if (!summary.reason().equals("diverged")) {
      lines.add("model   " + Storage.resolve(info.outputDir(), MODEL_FILE));
    }
    lines.add("report  " + Storage.resolve(info.outputDir(), ReportWriter.FILE));
    return lines.stream().map(RunText::printable).toList();
  }

  static String cut(String line) {
    return cut(line, WIDTH);
  }

  static String cut(String line, int width) {
    return line.length() <= width
        ? line
        : line.substring(0, Math.max(0, width - 1)) + (UNICODE ? "…" : "~");
  }

  static String printable(String line) {
    return UNICODE ? line : ascii(line);
  }

  static String ascii(String line) {
    String result = line;
    for (Map.Entry<String, String> entry : ASCII.entrySet()) {
      result = result.replace(entry.getKey(), entry.getValue());
    }
    return result;
  }
}
