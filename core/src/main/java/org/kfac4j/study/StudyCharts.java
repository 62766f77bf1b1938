package org.kfac4j.study;

import static org.kfac4j.training.SvgChart.Look.NEUTRAL;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalDouble;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.kfac4j.study.Prediction.Against;
import org.kfac4j.training.Figures;
import org.kfac4j.training.SvgChart;
import org.kfac4j.training.SvgChart.Line;
import org.kfac4j.training.SvgChart.Look;
import org.kfac4j.training.SvgChart.Series;

/** The charts of a study; both axes logarithmic, an optimizer in one colour in all of them. */
final class StudyCharts {
  private static final double BESIDE = 1.1;
  private static final String BATCH = "batch size B (examples)";

  private final StudyResults study;
  private final List<Prediction> predictions;

  StudyCharts(StudyResults study, List<Prediction> predictions) {
    this.study = study;
    this.predictions = predictions;
  }

  /** Steps, speedup, seconds and epochs to a target against batch size. */
  String target(Target target, Budget budget) {
    List<StudyCurve> curves = study.curves(budget, target);
    return steps(curves) + speedup(curves) + seconds(curves, target, budget) + epochs(curves);
  }

  private String steps(List<StudyCurve> curves) {
    List<Series> lines = new ArrayList<>();
    for (int i = 0; i < curves.size(); i++) {
      StudyCurve curve = curves.get(i);
      lines.add(spread(curve, i));
      lines.add(
          line(curve, i, cell -> cell.steps().stream().mapToDouble(steps -> steps).findFirst()));
      if (curve.isDefined()) {
        StudyCell base = curve.base();
        double examples = base.examplesSeen().orElseThrow();
        lines.add(
            series(
                curve.optimizer() + ", ideal",
                curve,
                new Look(i, Line.DASHED),
                cell -> OptionalDouble.of(examples / cell.batch())));
      }
    }
    boolean named = false;
    for (int i = 0; i < curves.size(); i++) {
      if (curves.get(i).cells().stream().anyMatch(cell -> cell.censoredAt().isPresent())) {
        lines.add(bounds(curves.get(i), i, named ? "" : "not reached in so many steps"));
        named = true;
      }
    }
    return chart("Steps to target", BATCH, "steps k*", lines);
  }

  /** Equal budgets lie on one another, so each optimizer's crosses are a little to the right. */
  private static Series bounds(StudyCurve curve, int colour, String name) {
    List<StudyCell> cells =
        curve.cells().stream().filter(cell -> cell.censoredAt().isPresent()).toList();
    return Series.of(
        name,
        cells.stream().mapToDouble(cell -> cell.batch() * Math.pow(BESIDE, colour)).toArray(),
        cells.stream().mapToDouble(cell -> cell.censoredAt().orElseThrow()).toArray(),
        new Look(colour, Line.CROSSES));
  }

  /** A vertical bar at each batch, from the fewest to the most steps over seeds. */
  private static Series spread(StudyCurve curve, int colour) {
    List<StudyCell> cells =
        curve.cells().stream().filter(cell -> cell.mostSteps().isPresent()).toList();
    double[] x = new double[3 * cells.size()];
    double[] y = new double[x.length];
    for (int i = 0; i < cells.size(); i++) {
      StudyCell cell = cells.get(i);
      x[3 * i] = x[3 * i + 1] = x[3 * i + 2] = cell.batch();
      y[3 * i] = cell.fewestSteps().orElseThrow();
      y[3 * i + 1] = cell.mostSteps().orElseThrow();
      y[3 * i + 2] = Double.NaN;
    }
    return Series.of("", x, y, new Look(colour, Line.FAINT));
  }

  private String speedup(List<StudyCurve> curves) {
    List<Series> lines = new ArrayList<>();
    for (int i = 0; i < curves.size(); i++) {
      StudyCurve curve = curves.get(i);
      if (curve.isDefined()) {
        lines.add(line(curve, i, curve::speedup));
      }
    }
    if (!lines.isEmpty()) {
      lines.add(
          series(
              "ideal B/B₀",
              curves.get(0),
              new Look(NEUTRAL, Line.DASHED),
              cell -> OptionalDouble.of((double) cell.batch() / study.smallestBatch())));
    }
    return chart(
        "Speedup over B₀ = " + Figures.count(study.smallestBatch()), BATCH, "speedup S", lines);
  }

  private String seconds(List<StudyCurve> curves, Target target, Budget budget) {
    List<Series> lines = new ArrayList<>();
    for (int i = 0; i < curves.size(); i++) {
      lines.add(line(curves.get(i), i, StudyCell::seconds));
    }
    predicted(lines, target, budget);
    return chart("Time to target", BATCH, "training time (s)", lines);
  }

  private String epochs(List<StudyCurve> curves) {
    List<Series> lines = new ArrayList<>();
    for (int i = 0; i < curves.size(); i++) {
      lines.add(line(curves.get(i), i, StudyCell::epochs));
    }
    return chart("Aggregate cost", BATCH, "epochs to target, B·k*/|D|", lines);
  }

  /** Median over the runs of each batch, of whatever point, seed and budget. */
  String iterations() {
    List<Series> lines = new ArrayList<>();
    List<String> optimizers = study.optimizers();
    for (int i = 0; i < optimizers.size(); i++) {
      String optimizer = optimizers.get(i);
      SortedMap<Integer, Double> seconds = new TreeMap<>();
      for (int batch : study.batchSizes()) {
        study.iterationSeconds(optimizer, batch).ifPresent(value -> seconds.put(batch, value));
      }
      lines.add(series(optimizer, seconds, new Look(i, Line.MARKED)));
    }
    predicted(lines, null, null);
    return chart("Seconds per iteration", BATCH, "median seconds per iteration", lines);
  }

  private void predicted(List<Series> lines, @Nullable Target target, @Nullable Budget budget) {
    for (Prediction prediction : predictions) {
      if (prediction.isFor(Against.BATCH, target, budget)) {
        int colour = study.optimizers().indexOf(prediction.optimizer());
        lines.add(
            series(
                prediction.name(),
                prediction.seconds(),
                new Look(colour < 0 ? NEUTRAL : colour, Line.DASHED)));
      }
    }
  }

  /** Seconds per iteration, and to each target, against executors. */
  String executors() {
    StringBuilder html = new StringBuilder();
    html.append(executors("Seconds per iteration", "seconds per iteration", null, null));
    for (Target target : study.targets()) {
      for (Budget budget : study.budgets()) {
        html.append(
            executors(
                "Time to " + StudyPage.heading(target, budget),
                "training time (s)",
                target,
                budget));
      }
    }
    return html.toString();
  }

  /** As many charts as there are colours for. */
  private String executors(
      String title, String yLabel, @Nullable Target target, @Nullable Budget budget) {
    List<Prediction> shown =
        predictions.stream()
            .filter(prediction -> prediction.isFor(Against.EXECUTORS, target, budget))
            .sorted(
                Comparator.comparing(
                    prediction -> study.optimizers().indexOf(prediction.optimizer())))
            .toList();
    StringBuilder html = new StringBuilder();
    for (int from = 0; from < shown.size(); from += SvgChart.COLOURS) {
      List<Series> lines = new ArrayList<>();
      for (int i = from; i < Math.min(shown.size(), from + SvgChart.COLOURS); i++) {
        Prediction prediction = shown.get(i);
        lines.add(series(prediction.name(), prediction.seconds(), new Look(i, Line.DASHED)));
        if (!prediction.measured().isEmpty()) {
          lines.add(
              series(
                  prediction.name() + ", measured",
                  prediction.measured(),
                  new Look(i, Line.MARKED)));
        }
      }
      html.append(chart(title, "executors", yLabel, lines));
    }
    return html.toString();
  }

  private static Series line(
      StudyCurve curve, int colour, Function<StudyCell, OptionalDouble> value) {
    return series(curve.optimizer(), curve, new Look(colour, Line.MARKED), value);
  }

  private static Series series(
      String name, StudyCurve curve, Look look, Function<StudyCell, OptionalDouble> value) {
    return Series.of(
        name,
        curve.cells().stream().mapToDouble(StudyCell::batch).toArray(),
        curve.cells().stream().mapToDouble(cell -> value.apply(cell).orElse(Double.NaN)).toArray(),
        look);
  }

  private static Series series(String name, SortedMap<Integer, Double> values, Look look) {
    return Series.of(
        name,
        new TreeSet<>(values.keySet()).stream().mapToDouble(x -> x).toArray(),
        values.values().stream().mapToDouble(y -> y).toArray(),
        look);
  }

  private static String chart(String title, String xLabel, String yLabel, List<Series> lines) {
    return new SvgChart(title, xLabel, yLabel, true, true, lines).html();
  }
}
