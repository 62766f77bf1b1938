package org.kfac4j.training;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/**
 * Runs of several optimizers on one problem: the same network, initial weights, data, order of
 * examples and budget. A run that did not reach a target is censored there: it is neither left out
 * nor given a number.
 *
 * @param name for titles
 * @param targets values of the test metric
 * @param runs in the order in which optimizers are to be shown
 */
public record Comparison(String name, List<Double> targets, List<ComparedRun> runs) {
  public Comparison {
    targets = List.copyOf(targets);
    runs = List.copyOf(runs);
  }

  /**
   * The best run of each optimizer: that which reaches the most targets, the last of them in the
   * shortest time; of equals, the one with the best evaluation.
   */
  public List<ComparedRun> best() {
    Map<String, ComparedRun> best = new LinkedHashMap<>();
    Comparator<ComparedRun> order =
        Comparator.comparingInt((ComparedRun run) -> -targetsReached(run))
            .thenComparingDouble(this::secondsToLastTarget)
            .thenComparingDouble(Comparison::bestScore);
    for (ComparedRun run : runs) {
      best.merge(run.optimizer(), run, (old, other) -> order.compare(other, old) < 0 ? other : old);
    }
    return List.copyOf(best.values());
  }

  private int targetsReached(ComparedRun run) {
    return (int) targets.stream().filter(target -> run.reached(target).isPresent()).count();
  }

  private double secondsToLastTarget(ComparedRun run) {
    return targets.stream()
        .flatMap(target -> run.reached(target).stream())
        .mapToDouble(IterationRecord::seconds)
        .max()
        .orElse(Double.POSITIVE_INFINITY);
  }

  private static double bestScore(ComparedRun run) {
    return run.best()
        .map(IterationRecord::evaluation)
        .map(Evaluation::score)
        .orElse(Double.POSITIVE_INFINITY);
  }

  /**
   * The runs that reach a target after the fewest seconds, of all points of all grids; none if no
   * run does.
   */
  public List<ComparedRun> fastest(double target) {
    return winners(target, IterationRecord::seconds);
  }

  /**
   * The runs that reach a target after the fewest iterations, of all points of all grids: several
   * where they are found there by the same evaluation; none if no run does.
   */
  public List<ComparedRun> fewestIterations(double target) {
    return winners(target, IterationRecord::iteration);
  }

  private List<ComparedRun> winners(double target, ToDoubleFunction<IterationRecord> cost) {
    List<ComparedRun> there = runs.stream().filter(run -> run.reached(target).isPresent()).toList();
    ToDoubleFunction<ComparedRun> of = run -> cost.applyAsDouble(run.reached(target).orElseThrow());
    double least = there.stream().mapToDouble(of).min().orElse(Double.NaN);
    return there.stream().filter(run -> of.applyAsDouble(run) == least).toList();
  }

  /** A line for each target, with the winners of all grids, be they in {@link #table} or not. */
  public List<String> winners() {
    return targets.stream()
        .map(
            target ->
                fastest(target).isEmpty()
                    ? "%s: no run got there".formatted(Figures.number(target))
                    : "%s: fewest iterations %s; fewest seconds %s"
                        .formatted(
                            Figures.number(target),
                            names(fewestIterations(target)),
                            names(fastest(target))))
        .toList();
  }

  /** For people. */
  static String names(List<ComparedRun> runs) {
    return runs.stream().map(ComparedRun::name).collect(Collectors.joining(", "));
  }

  /** Headings, then a line for the best run of each optimizer; winners have an asterisk. */
  public List<List<String>> table() {
    List<List<String>> rows = new ArrayList<>();
    List<String> header =
        new ArrayList<>(List.of("optimizer", "iterations", "seconds", "s / iteration", metric()));
    for (double target : targets) {
      header.add("iterations to " + Figures.number(target));
      header.add("s to " + Figures.number(target));
    }
    rows.add(header);
    for (ComparedRun run : best()) {
      List<String> row = new ArrayList<>();
      row.add(run.name());
      row.add(run.iterations() + (run.diverged() ? " (diverged)" : ""));
      row.add(seconds(run.seconds()));
      row.add(
          run.medianSeconds().isPresent()
              ? Figures.number(run.medianSeconds().getAsDouble())
              : "–");
      row.add(run.best().map(IterationRecord::evaluation).map(Figures::metric).orElse("–"));
      for (double target : targets) {
        Optional<IterationRecord> there = run.reached(target);
        row.add(
            there
                .map(record -> record.iteration() + mark(fewestIterations(target), run))
                .orElse("> " + run.iterations()));
        row.add(
            there
                .map(record -> seconds(record.seconds()) + mark(fastest(target), run))
                .orElse("> " + seconds(run.seconds())));
      }
      rows.add(row);
    }
    return rows;
  }

  private static String mark(List<ComparedRun> winners, ComparedRun run) {
    return winners.contains(run) ? " *" : "";
  }

  private static String seconds(double value) {
    return String.format(java.util.Locale.ROOT, "%.1f", value);
  }

  /** "best test error" or what else is compared. */
  String metric() {
    return runs.stream()
        .flatMap(run -> run.evaluated().stream())
        .map(IterationRecord::evaluation)
        .findFirst()
        .map(evaluation -> "best " + Figures.metricName(evaluation))
        .orElse("best");
  }
}
