package org.kfac4j.study;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.kfac4j.training.Figures;

/** How far one optimizer scales, and what speaks against comparing it with another, in words. */
final class Doubts {
  private Doubts() {}

  /** A sentence on one optimizer. */
  static String scale(StudyCurve curve) {
    Optional<CriticalBatch> critical = curve.critical();
    if (critical.isEmpty()) {
      return undefined(curve) + ".";
    }
    CriticalBatch there = critical.get();
    String where =
        there.atLargest()
            ? "batch %s, the largest measured, which is only a lower bound"
            : there.undecided()
                ? "at least batch %s (with a larger one, runs ended too early to tell, or are missing)"
                : "batch %s";
    String between =
        there.interpolated() > there.batch()
            ? " (%s interpolated)".formatted(batch(there.interpolated()))
            : there.upper() > there.batch() && !there.isLowerBound()
                ? " (with the next one no run reached the target, so at most %s)"
                    .formatted(batch(there.upper()))
                : "";
    String interval =
        curve.criticalInterval().map(i -> "; 95 % interval over seeds " + text(i)).orElse("");
    String dips = there.dips() ? ", but not with every smaller one" : "";
    return "%s keeps an efficiency of %s or more up to %s%s%s%s."
        .formatted(
            curve.optimizer(),
            Figures.number(curve.threshold()),
            where.formatted(Figures.count(there.batch())),
            between,
            dips,
            interval);
  }

  static String undefined(StudyCurve curve) {
    return "%s never reached the target with the smallest batch (%s), so it has no speedup"
        .formatted(curve.optimizer(), Figures.count(curve.base().batch()));
  }

  /**
   * @param first has the larger critical batch size
   * @param second of an optimizer that also has one
   */
  static List<String> between(StudyCurve first, StudyCurve second) {
    List<String> doubts = new ArrayList<>();
    CriticalBatch other = second.critical().orElseThrow();
    if (other.atLargest()) {
      doubts.add(
          "%s and %s are both still efficient with the largest batch measured (%s)"
              .formatted(first.optimizer(), second.optimizer(), Figures.count(other.batch())));
    } else if (other.undecided()) {
      doubts.add(
          "runs of %s with a batch above %s ended too early to tell whether it is efficient there, or are missing"
              .formatted(second.optimizer(), Figures.count(other.batch())));
    }
    for (StudyCurve curve : List.of(first, second)) {
      doubts.addAll(of(curve));
    }
    Optional<Interval> a = first.criticalInterval();
    Optional<Interval> b = second.criticalInterval();
    if (a.isPresent() && b.isPresent()) {
      String texts =
          "%s (%s) and %s (%s)"
              .formatted(first.optimizer(), text(a.get()), second.optimizer(), text(b.get()));
      if (!a.get().overlaps(b.get()) && a.get().low() < b.get().low()) {
        // Medians over seeds need not be in the order of the seed that tunes.
        doubts.add("the intervals over seeds of " + texts + " are the other way round");
      } else if (a.get().overlaps(b.get()) && !other.isLowerBound()) {
        doubts.add("the intervals over seeds of " + texts + " overlap");
      }
    }
    return doubts;
  }

  /** What makes one optimizer's critical batch size uncertain. */
  private static List<String> of(StudyCurve curve) {
    List<String> doubts = new ArrayList<>();
    if (curve.criticalInterval().isEmpty()) {
      doubts.add(
          curve.base().censoredSeeds() > 0
              ? "with the smallest batch, a seed of %s misses the target at the winning point"
                  .formatted(curve.optimizer())
              : "the winners of %s have a single seed in common".formatted(curve.optimizer()));
    }
    if (curve.critical().orElseThrow().dips()) {
      doubts.add(
          "the efficiency of %s does not fall monotonically: a batch below its critical one is inefficient or misses the target"
              .formatted(curve.optimizer()));
    }
    String unfinished =
        curve.cells().stream()
            .filter(cell -> !cell.isComplete())
            .map(cell -> Figures.count(cell.batch()))
            .collect(Collectors.joining(", "));
    if (!unfinished.isEmpty()) {
      doubts.add(
          "the grid of %s is not complete with batch %s".formatted(curve.optimizer(), unfinished));
    }
    Map<String, List<String>> batches = new TreeMap<>();
    for (StudyCell cell : entering(curve)) {
      cell.edges()
          .forEach(
              setting ->
                  batches
                      .computeIfAbsent(StudyRun.label(setting), key -> new ArrayList<>())
                      .add(Figures.count(cell.batch())));
    }
    String edges =
        batches.entrySet().stream()
            .map(edge -> edge.getKey() + " with batch " + String.join("; ", edge.getValue()))
            .collect(Collectors.joining(", "));
    if (!edges.isEmpty()) {
      doubts.add(
          "winners of %s are on the edge of the grid (%s), which has to be widened first"
              .formatted(curve.optimizer(), edges));
    }
    return doubts;
  }

  /** The cells that decide the critical batch size: the first, the critical one and the next. */
  private static List<StudyCell> entering(StudyCurve curve) {
    int critical = curve.critical().orElseThrow().batch();
    List<StudyCell> cells = new ArrayList<>();
    boolean previous = false;
    for (StudyCell cell : curve.cells()) {
      if (cell.batch() == curve.base().batch() || cell.batch() == critical || previous) {
        cells.add(cell);
      }
      previous = cell.batch() == critical;
    }
    return cells;
  }

  /** "1,024 – 2,900", "2,048", or with an open end "1,024 – 2,900 or more". */
  static String text(Interval interval) {
    String low = batch(interval.low());
    String high = batch(interval.high());
    return (low.equals(high) ? low : low + " – " + high) + (interval.open() ? " or more" : "");
  }

  /** To the nearest example. */
  static String batch(double batch) {
    return Figures.count(Math.round(batch));
  }
}
