package org.kfac4j.study;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.DoubleFunction;
import java.util.stream.Collectors;
import org.kfac4j.training.Figures;

/**
 * A study's tables for the terminal and the page: headings first, all rows of one length. "–" is a
 * figure that does not exist, "&gt; n" a cell that did not reach the target within n steps.
 */
final class StudyTables {
  /** Heading of a column of words. */
  static final String WINNER = "winner";

  /** Of a figure that does not exist. */
  static final String NONE = "–";

  private StudyTables() {}

  /** A line for each optimizer and batch size. */
  static List<List<String>> cells(StudyResults study, Target target, Budget budget) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(
        List.of(
            "optimizer",
            "batch",
            "k* (steps)",
            "over seeds",
            "speedup",
            "95 % interval",
            "efficiency",
            "epochs",
            "s",
            WINNER));
    for (StudyCurve curve : study.curves(budget, target)) {
      for (StudyCell cell : curve.cells()) {
        rows.add(
            List.of(
                curve.optimizer(),
                Figures.count(cell.batch()),
                steps(cell),
                overSeeds(cell),
                number(curve.speedup(cell), "%.2f"),
                cell.batch() == curve.base().batch()
                    ? NONE
                    : curve.speedupInterval(cell).map(StudyTables::speedups).orElse(NONE),
                number(curve.efficiency(cell), "%.2f"),
                number(cell.epochs(), "%.2f"),
                number(cell.seconds(), "%.1f"),
                winner(cell)));
      }
    }
    return List.copyOf(rows);
  }

  /** How much depends on the grid: a line for each optimizer and batch size. */
  static List<List<String>> robustness(StudyResults study, Target target, Budget budget) {
    String metric = "best " + target.metric().label();
    List<List<String>> rows = new ArrayList<>();
    rows.add(
        List.of(
            "optimizer",
            "batch",
            "points reached",
            "least s",
            metric + ", 1st quartile",
            "median",
            "3rd quartile"));
    for (StudyCurve curve : study.curves(budget, target)) {
      for (StudyCell cell : curve.cells()) {
        Robustness robustness = cell.robustness();
        rows.add(
            List.of(
                curve.optimizer(),
                Figures.count(cell.batch()),
                share(cell),
                number(cell.fewestSeconds(), "%.1f"),
                value(target.metric(), robustness.best()),
                value(target.metric(), robustness.median()),
                value(target.metric(), robustness.worst())));
      }
    }
    return List.copyOf(rows);
  }

  /** A line for each target, budget and optimizer. */
  static List<List<String>> summary(StudyResults study) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(
        List.of(
            "optimizer",
            "target",
            "budget",
            "critical batch",
            "interpolated",
            "95 % interval",
            "fit k_min + c/B (steps)"));
    for (Target target : study.targets()) {
      for (Budget budget : study.budgets()) {
        for (StudyCurve curve : study.curves(budget, target)) {
          Optional<CriticalBatch> critical = curve.critical();
          rows.add(
              List.of(
                  curve.optimizer(),
                  target.label(),
                  budget.label(),
                  critical
                      .map(c -> (c.isLowerBound() ? "≥ " : "") + Figures.count(c.batch()))
                      .orElse(NONE),
                  critical
                      .map(c -> (c.isLowerBound() ? "≥ " : "") + Doubts.batch(c.interpolated()))
                      .orElse(NONE),
                  curve.criticalInterval().map(Doubts::text).orElse(NONE),
                  curve.fit().map(StudyTables::fit).orElse(NONE)));
        }
      }
    }
    return List.copyOf(rows);
  }

  private static String fit(TwoTermFit fit) {
    return String.format(
        Locale.ROOT,
        "%s + %s / B (± %.0f %%)",
        Figures.number(fit.fewest()),
        Figures.number(fit.examples()),
        100 * fit.error());
  }

  private static String steps(StudyCell cell) {
    if (cell.steps().isPresent()) {
      return Figures.count(cell.steps().getAsLong());
    }
    return cell.censoredAt().isPresent()
        ? "> " + Figures.count(cell.censoredAt().getAsLong())
        : NONE;
  }

  /** "120 [110 – 131] of 3", with "&gt;" for a censored median or end. */
  private static String overSeeds(StudyCell cell) {
    int seeds = cell.seeds().size();
    if (seeds < 2) {
      return NONE;
    }
    DoubleFunction<String> shown = value -> Figures.count(Math.round(value));
    OptionalDouble least = cell.fewestSteps();
    return "%s [%s – %s] of %d"
        .formatted(
            bound(cell.medianSteps(), shown),
            bound(least, shown),
            bound(cell.mostSteps(), shown),
            seeds);
  }

  private static String bound(OptionalDouble value, DoubleFunction<String> shown) {
    return value.isPresent() ? shown.apply(value.getAsDouble()) : "censored";
  }

  private static String speedups(Interval interval) {
    return String.format(Locale.ROOT, "%.2f – %.2f", interval.low(), interval.high());
  }

  /** "7 of 9"; of the points run, if not all are. */
  private static String share(StudyCell cell) {
    Robustness robustness = cell.robustness();
    return robustness.reached()
        + " of "
        + robustness.points()
        + (cell.isComplete() ? "" : " (grid " + cell.gridSize() + ")");
  }

  private static String value(Target.Metric metric, OptionalDouble value) {
    if (value.isEmpty()) {
      return NONE;
    }
    return metric == Target.Metric.TEST_ACCURACY
        ? Figures.percent(value.getAsDouble())
        : Figures.number(value.getAsDouble());
  }

  private static String winner(StudyCell cell) {
    String edges =
        cell.edges().isEmpty()
            ? ""
            : cell.edges().stream()
                .map(StudyRun::label)
                .collect(Collectors.joining(", ", " (edge: ", ")"));
    return cell.winner().map(run -> run.pointText() + edges).orElse(NONE);
  }

  private static String number(OptionalDouble value, String format) {
    return value.isPresent() ? String.format(Locale.ROOT, format, value.getAsDouble()) : NONE;
  }
}
