package org.kfac4j.study;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * A study's tables for programs: headings first, numbers as they are, an empty field where there is
 * none. What people read is in {@link StudyTables}.
 */
final class StudyCsv {
  private static final List<String> NO_INTERVAL = List.of("", "", "");

  private StudyCsv() {}

  /**
   * A line for each optimizer and batch size. {@code steps} is k*; if it is empty, {@code
   * censored_at} is what k* is known to exceed.
   */
  static List<List<String>> cells(StudyResults study, Target target, Budget budget) {
    return table(
        study,
        target,
        budget,
        List.of(
            "steps",
            "censored_at",
            "seeds",
            "median_steps",
            "fewest_steps",
            "most_steps",
            "speedup",
            "speedup_low",
            "speedup_high",
            "efficiency",
            "epochs",
            "seconds",
            "winner",
            "edges"),
        (curve, cell) -> {
          List<String> row = new ArrayList<>();
          row.add(text(cell.steps()));
          row.add(text(cell.censoredAt()));
          row.add(String.valueOf(cell.seeds().size()));
          row.add(text(cell.medianSteps()));
          row.add(text(cell.fewestSteps()));
          row.add(text(cell.mostSteps()));
          row.add(text(curve.speedup(cell)));
          row.addAll(interval(curve.speedupInterval(cell)).subList(0, 2));
          row.add(text(curve.efficiency(cell)));
          row.add(text(cell.epochs()));
          row.add(text(cell.seconds()));
          row.add(cell.winner().map(StudyRun::pointText).orElse(""));
          row.add(cell.edges().stream().map(StudyRun::label).collect(Collectors.joining(", ")));
          return row;
        });
  }

  /** How much depends on the grid: a line for each optimizer and batch size. */
  static List<List<String>> robustness(StudyResults study, Target target, Budget budget) {
    return table(
        study,
        target,
        budget,
        List.of(
            "grid",
            "points",
            "reached",
            "least_seconds",
            "best_quartile",
            "best_median",
            "best_third_quartile"),
        (curve, cell) -> {
          Robustness robustness = cell.robustness();
          return List.of(
              String.valueOf(cell.gridSize()),
              String.valueOf(robustness.points()),
              String.valueOf(robustness.reached()),
              text(cell.fewestSeconds()),
              text(robustness.best()),
              text(robustness.median()),
              text(robustness.worst()));
        });
  }

  /** Critical batch sizes and fits: a line for each target, budget and optimizer. */
  static List<List<String>> summary(StudyResults study) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(
        List.of(
            "target",
            "budget",
            "optimizer",
            "critical_batch",
            "interpolated",
            "at_most",
            "lower_bound",
            "dips",
            "low",
            "high",
            "open",
            "k_min",
            "c",
            "fit_error"));
    for (Target target : study.targets()) {
      for (Budget budget : study.budgets()) {
        for (StudyCurve curve : study.curves(budget, target)) {
          Optional<CriticalBatch> critical = curve.critical();
          Optional<TwoTermFit> fit = curve.fit();
          List<String> row = new ArrayList<>();
          row.add(target.metric().key() + "=" + target.value());
          row.add(budget.label());
          row.add(curve.optimizer());
          row.add(text(critical, CriticalBatch::batch));
          row.add(text(critical, CriticalBatch::interpolated));
          row.add(text(critical.filter(each -> !each.isLowerBound()), CriticalBatch::upper));
          row.add(text(critical, CriticalBatch::isLowerBound));
          row.add(text(critical, CriticalBatch::dips));
          row.addAll(interval(curve.criticalInterval()));
          row.add(text(fit, TwoTermFit::fewest));
          row.add(text(fit, TwoTermFit::examples));
          row.add(text(fit, TwoTermFit::error));
          rows.add(row);
        }
      }
    }
    return rows;
  }

  /** What is said of a cell. */
  private interface Line {
    List<String> of(StudyCurve curve, StudyCell cell);
  }

  private static List<List<String>> table(
      StudyResults study, Target target, Budget budget, List<String> headings, Line line) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(joined("optimizer", "batch", headings));
    for (StudyCurve curve : study.curves(budget, target)) {
      for (StudyCell cell : curve.cells()) {
        rows.add(joined(curve.optimizer(), String.valueOf(cell.batch()), line.of(curve, cell)));
      }
    }
    return rows;
  }

  private static List<String> joined(String optimizer, String batch, List<String> more) {
    List<String> row = new ArrayList<>(List.of(optimizer, batch));
    row.addAll(more);
    return row;
  }

  /** Low, high (empty if open), whether it is open. */
  private static List<String> interval(Optional<Interval> interval) {
    return interval
        .map(
            i ->
                List.of(
                    String.valueOf(i.low()),
                    i.open() ? "" : String.valueOf(i.high()),
                    String.valueOf(i.open())))
        .orElse(NO_INTERVAL);
  }

  private static <T> String text(Optional<T> of, Function<T, Object> what) {
    return of.map(each -> String.valueOf(what.apply(each))).orElse("");
  }

  private static String text(OptionalDouble value) {
    return value.isPresent() ? String.valueOf(value.getAsDouble()) : "";
  }

  private static String text(OptionalLong value) {
    return value.isPresent() ? String.valueOf(value.getAsLong()) : "";
  }
}
