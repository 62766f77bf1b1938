package org.kfac4j.study;

import static org.kfac4j.InvalidInputException.require;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.kfac4j.InvalidInputException;

/**
 * What a study measured: the finished runs and what they are runs of. Runs may be missing while it
 * goes on; figures that need them say so or are absent.
 *
 * @param name for titles
 * @param examples |D|, of one epoch
 * @param batchSizes kept in ascending order
 * @param grids optimizer → setting → its values in order; optimizers are shown in the map's order
 * @param tuningSeed every point of every grid ran with it, winners also with other seeds
 * @param efficiencyThreshold what a batch size must have to count as efficient, in (0, 1]
 */
public record StudyResults(
    String name,
    long examples,
    List<Integer> batchSizes,
    List<Target> targets,
    List<Budget> budgets,
    Map<String, SortedMap<String, List<String>>> grids,
    long tuningSeed,
    double efficiencyThreshold,
    List<StudyRun> runs) {
  /**
   * @throws InvalidInputException if the study has no batch size, target, budget or optimizer, a
   *     grid a setting without values, or a run is not one of the study's or there twice
   */
  public StudyResults {
    require(examples >= 1, "study %s must have at least 1 example, got %d", name, examples);
    batchSizes = batchSizes.stream().distinct().sorted().toList();
    targets = List.copyOf(new LinkedHashSet<>(targets));
    budgets = List.copyOf(new LinkedHashSet<>(budgets));
    require(!batchSizes.isEmpty(), "study %s must have at least 1 batch size, got none", name);
    require(
        batchSizes.get(0) >= 1,
        "batch sizes of study %s must be positive, got %d",
        name,
        batchSizes.get(0));
    require(!targets.isEmpty(), "study %s must have at least 1 target, got none", name);
    require(!budgets.isEmpty(), "study %s must have at least 1 budget, got none", name);
    require(!grids.isEmpty(), "study %s must have at least 1 optimizer, got none", name);
    require(
        efficiencyThreshold > 0 && efficiencyThreshold <= 1,
        "the efficiency threshold of study %s must be in (0, 1], got %s",
        name,
        efficiencyThreshold);
    grids = copied(grids);
    runs = List.copyOf(runs);
    checkRuns(name, batchSizes, budgets, grids, runs);
  }

  private static Map<String, SortedMap<String, List<String>>> copied(
      Map<String, SortedMap<String, List<String>>> grids) {
    Map<String, SortedMap<String, List<String>>> copy = new LinkedHashMap<>();
    grids.forEach(
        (optimizer, grid) -> {
          SortedMap<String, List<String>> axes = new TreeMap<>();
          grid.forEach(
              (setting, values) -> {
                require(
                    !values.isEmpty(),
                    "the grid of %s must have at least 1 value of %s, got none",
                    optimizer,
                    setting);
                axes.put(setting, List.copyOf(values));
              });
          copy.put(optimizer, Collections.unmodifiableSortedMap(axes));
        });
    return Collections.unmodifiableMap(copy);
  }

  private static void checkRuns(
      String name,
      List<Integer> batchSizes,
      List<Budget> budgets,
      Map<String, SortedMap<String, List<String>>> grids,
      List<StudyRun> runs) {
    Set<List<Object>> seen = new HashSet<>();
    for (StudyRun run : runs) {
      SortedMap<String, List<String>> grid = grids.get(run.optimizer());
      boolean belongs =
          grid != null
              && batchSizes.contains(run.batchSize())
              && budgets.contains(run.budget())
              && grid.keySet().equals(run.point().keySet())
              && run.point().entrySet().stream()
                  .allMatch(
                      setting ->
                          grid.getOrDefault(setting.getKey(), List.of())
                              .contains(setting.getValue()));
      require(
          belongs,
          "runs must have an optimizer, batch size, budget and grid point of study %s, got %s",
          name,
          describe(run));
      require(
          seen.add(
              List.of(run.optimizer(), run.budget(), run.batchSize(), run.seed(), run.point())),
          "study %s must have each run once, got twice %s",
          name,
          describe(run));
    }
  }

  private static String describe(StudyRun run) {
    return "%s, %s budget, batch %d, seed %d, %s"
        .formatted(
            run.optimizer(), run.budget().label(), run.batchSize(), run.seed(), run.pointText());
  }

  /** B₀. */
  public int smallestBatch() {
    return batchSizes.get(0);
  }

  public int largestBatch() {
    return batchSizes.get(batchSizes.size() - 1);
  }

  public List<String> optimizers() {
    return List.copyOf(grids.keySet());
  }

  /** Setting → its values, of one optimizer. */
  public SortedMap<String, List<String>> grid(String optimizer) {
    SortedMap<String, List<String>> grid = grids.get(optimizer);
    require(
        grid != null,
        "an optimizer of study %s must be one of %s, got %s",
        name,
        grids.keySet(),
        optimizer);
    return grid == null ? Collections.emptySortedMap() : grid;
  }

  /**
   * Runs of one cell. With the smallest batch both budgets are the same number of steps, so that a
   * run of either counts for both; where both were run, those of the budget asked for.
   */
  public List<StudyRun> runs(String optimizer, Budget budget, int batch) {
    List<StudyRun> own = new ArrayList<>();
    List<StudyRun> shared = new ArrayList<>();
    for (StudyRun run : runs) {
      if (run.optimizer().equals(optimizer) && run.batchSize() == batch) {
        (run.budget() == budget ? own : shared).add(run);
      }
    }
    if (batch == smallestBatch()) {
      Set<List<Object>> have = new HashSet<>();
      own.forEach(run -> have.add(List.of(run.seed(), run.point())));
      shared.stream()
          .filter(run -> !have.contains(List.<Object>of(run.seed(), run.point())))
          .forEach(own::add);
    }
    return own;
  }

  /** One optimizer's cells under one budget for one target. */
  public StudyCurve curve(String optimizer, Budget budget, Target target) {
    List<StudyCell> cells = new ArrayList<>();
    for (int batch : batchSizes) {
      cells.add(
          new StudyCell(
              target,
              batch,
              examples,
              grid(optimizer),
              tuningSeed,
              runs(optimizer, budget, batch)));
    }
    return new StudyCurve(optimizer, budget, target, efficiencyThreshold, cells);
  }

  /** Curves of all optimizers, in their order. */
  public List<StudyCurve> curves(Budget budget, Target target) {
    return grids.keySet().stream().map(optimizer -> curve(optimizer, budget, target)).toList();
  }

  /** Median seconds of an iteration, over all runs of an optimizer with one batch size. */
  public OptionalDouble iterationSeconds(String optimizer, int batch) {
    double[] measured =
        runs.stream()
            .filter(run -> run.optimizer().equals(optimizer) && run.batchSize() == batch)
            .mapToDouble(StudyRun::medianIterationSeconds)
            .filter(value -> value > 0 && Double.isFinite(value))
            .toArray();
    return measured.length == 0
        ? OptionalDouble.empty()
        : OptionalDouble.of(Order.median(measured));
  }

  /**
   * The winning runs of all cells and targets, each once: those whose points are to be run with
   * other seeds too.
   */
  public List<StudyRun> winners() {
    Set<StudyRun> winners = new LinkedHashSet<>();
    for (Budget budget : budgets) {
      for (Target target : targets) {
        curves(budget, target).stream()
            .flatMap(curve -> curve.cells().stream())
            .flatMap(cell -> cell.winner().stream())
            .forEach(winners::add);
      }
    }
    return List.copyOf(winners);
  }

  /** A paragraph for each target and budget. */
  public List<Conclusion> conclusions() {
    List<Conclusion> all = new ArrayList<>();
    for (Target target : targets) {
      for (Budget budget : budgets) {
        all.add(Conclusion.of(this, target, budget));
      }
    }
    return List.copyOf(all);
  }

  /**
   * Tables for programs, by name: {@code summary}, and for each target and budget its cells and
   * {@code robustness-…}; see {@link StudyCsv}.
   */
  public Map<String, List<List<String>>> csv() {
    Map<String, List<List<String>>> tables = new LinkedHashMap<>();
    tables.put("summary", StudyCsv.summary(this));
    for (Target target : targets) {
      for (Budget budget : budgets) {
        String name = "%s-%s-%s".formatted(target.metric().key(), target.value(), budget.label());
        tables.put(name, StudyCsv.cells(this, target, budget));
        tables.put("robustness-" + name, StudyCsv.robustness(this, target, budget));
      }
    }
    return tables;
  }

  /** Headings, then a line for each optimizer and batch size; see {@link StudyTables}. */
  public List<List<String>> table(Target target, Budget budget) {
    return StudyTables.cells(this, target, budget);
  }

  /** Headings, then how much depends on the grid for each optimizer and batch size. */
  public List<List<String>> robustness(Target target, Budget budget) {
    return StudyTables.robustness(this, target, budget);
  }

  /** Headings, then a line for each target, budget and optimizer; see {@link StudyTables}. */
  public List<List<String>> summary() {
    return StudyTables.summary(this);
  }
}
