package org.kfac4j.jobs;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.stream.Collectors;
import org.kfac4j.InvalidInputException;
import org.kfac4j.Settings;
import org.kfac4j.study.Budget;
import org.kfac4j.study.StudyResults;
import org.kfac4j.study.StudyRun;
import org.kfac4j.study.Target;

/**
 * What the block {@code study} of a conf file asks for.
 *
 * @param batchSizes ascending
 * @param seeds the first one tunes
 * @param examples of training
 */
record StudyPlan(
    Settings shared,
    List<OptimizerGrid> optimizers,
    List<Target> targets,
    List<Integer> batchSizes,
    List<Budget> budgets,
    List<Long> seeds,
    long examples) {
  private static final String OPTIMIZERS = "study.optimizers";
  private static final String PERIOD = "optimizer.learning-rate.period";
  private static final String WARM_UP = "optimizer.learning-rate.warmup";

  /** Of what optimizers may have of their own, what a study sets. */
  private static final List<String> SET =
      List.of(
          "training.batch-size",
          "training.batch-growth",
          "training.batch-growth-iterations",
          PERIOD);

  /** A run ends when a study says so: with its budget, with all targets, or without hope. */
  private static final List<String> WHOLE_BUDGET =
      List.of(
          "training.batch-growth=constant",
          "training.target=\"\"",
          "training.patience=0",
          "training.seconds=0");

  /** What the learning rate of a point is multiplied by. */
  enum Scaling {
    NONE(0),
    LINEAR(1),
    SQRT(0.5);

    /** p of (B / B₀)^p. */
    private final double power;

    Scaling(double power) {
      this.power = power;
    }
  }

  /**
   * @throws InvalidInputException naming key, rule and value of what does not fit
   */
  static StudyPlan of(Settings shared, long examples) {
    List<OptimizerGrid> optimizers = OptimizerGrid.of(shared, OPTIMIZERS);
    requireEqualGrids(shared, optimizers);
    requireOwnFolders(optimizers);
    optimizers.forEach(each -> requireOwnKeys(shared, each));
    List<Target> targets = shared.texts("study.targets").stream().map(Target::parse).toList();
    InvalidInputException.require(!targets.isEmpty(), "study.targets must name at least one");
    InvalidInputException.require(
        targets.stream().distinct().count() == targets.size(),
        "study.targets must be different ones, got %s",
        shared.texts("study.targets"));
    List<Integer> sizes = shared.positiveInts("study.batch-sizes").stream().sorted().toList();
    InvalidInputException.require(
        !sizes.isEmpty() && sizes.stream().distinct().count() == sizes.size(),
        "study.batch-sizes must be different numbers, at least one, got %s",
        sizes);
    int largest = sizes.get(sizes.size() - 1);
    InvalidInputException.require(
        largest <= examples,
        "study.batch-sizes must be at most the number of training examples (%d), got %d",
        examples,
        largest);
    List<Budget> budgets = shared.choices("study.budgets", Budget.class);
    InvalidInputException.require(!budgets.isEmpty(), "study.budgets must name at least one");
    List<Long> seeds = shared.positiveInts("study.seeds").stream().map(Long::valueOf).toList();
    InvalidInputException.require(
        !seeds.isEmpty() && seeds.stream().distinct().count() == seeds.size(),
        "study.seeds must be different numbers, at least one, got %s",
        seeds);
    shared.positive("study.epochs");
    shared.nonNegativeInt("study.evaluations");
    shared.choice("study.learning-rate-scaling", Scaling.class);
    shared.between("study.warm-up", 0, 1, true, true);
    shared.between("study.decay-share", 0, 1, false, true);
    shared.between("study.hopeless-after", 0, 1, false, true);
    shared.between("study.efficiency", 0, 1, false, true);
    shared.positiveInt("study.parallel-runs");
    ForecastPlan.of(shared);
    return new StudyPlan(shared, optimizers, targets, sizes, budgets, seeds, examples);
  }

  /** Names and points of a grid, but for what folders' names leave out of them, are different. */
  private static void requireOwnFolders(List<OptimizerGrid> optimizers) {
    Set<String> folders = new HashSet<>();
    for (OptimizerGrid optimizer : optimizers) {
      for (SortedMap<String, String> point : optimizer.points()) {
        String folder = new StudyTask(optimizer, Budget.NORMAL, 1, 1, point).folder();
        InvalidInputException.require(
            folders.add(folder),
            "%s: runs of \"%s\" and of another would have the folder %s",
            OPTIMIZERS,
            optimizer.name(),
            folder);
      }
    }
  }

  /** What the study itself sets is nobody's own. */
  private static void requireOwnKeys(Settings shared, OptimizerGrid optimizer) {
    List<String> taken = new ArrayList<>(SET);
    if (shared.doubleValue("study.warm-up") > 0) {
      taken.add(WARM_UP);
    }
    for (String key : taken) {
      InvalidInputException.require(
          !optimizer.grid().containsKey(key) && !optimizer.settings().containsKey(key),
          "%s \"%s\": a study sets %s itself, for every batch size",
          OPTIMIZERS,
          optimizer.name(),
          key);
    }
  }

  private static void requireEqualGrids(Settings shared, List<OptimizerGrid> optimizers) {
    boolean equal = optimizers.stream().map(each -> each.points().size()).distinct().count() == 1;
    InvalidInputException.require(
        equal || shared.flag("study.unequal-grids"),
        "%s must have grids of equal size, or study.unequal-grids = true, got %s",
        OPTIMIZERS,
        optimizers.stream()
            .map(each -> each.name() + ": " + each.points().size())
            .collect(Collectors.joining(", ")));
  }

  ForecastPlan forecast() {
    return ForecastPlan.of(shared);
  }

  long tuningSeed() {
    return seeds.get(0);
  }

  /** Every point of every grid, with the seed that tunes; small batches first. */
  List<StudyTask> tuning() {
    List<StudyTask> tasks = new ArrayList<>();
    for (Budget budget : budgets) {
      for (int batch : batchSizes) {
        if (budget == Budget.ADJUSTED
            && batch == batchSizes.get(0)
            && budgets.contains(Budget.NORMAL)) {
          continue; // The same steps: the normal budget's runs count for both.
        }
        for (OptimizerGrid optimizer : optimizers) {
          for (SortedMap<String, String> point : optimizer.points()) {
            tasks.add(new StudyTask(optimizer, budget, batch, tuningSeed(), point));
          }
        }
      }
    }
    return tasks;
  }

  /** The winners among runs that have ended, with the other seeds. */
  List<StudyTask> confirmation(List<StudyRun> runs) {
    List<StudyTask> tasks = new ArrayList<>();
    for (StudyRun winner : results("", runs).winners()) {
      for (OptimizerGrid optimizer : optimizers) {
        for (long seed : seeds.subList(1, seeds.size())) {
          if (optimizer.name().equals(winner.optimizer())) {
            tasks.add(
                new StudyTask(
                    optimizer, winner.budget(), winner.batchSize(), seed, winner.point()));
          }
        }
      }
    }
    return tasks;
  }

  /** What all runs have, of their settings; each optimizer's own are in its block. */
  Map<String, String> sharedSettings() {
    return OptimizerGrid.common(expected().stream().map(this::settings).toList());
  }

  /** What a run was asked for as. */
  StudyTask task(StudyRun run) {
    OptimizerGrid optimizer =
        optimizers.stream()
            .filter(each -> each.name().equals(run.optimizer()))
            .findFirst()
            .orElseThrow();
    return new StudyTask(optimizer, run.budget(), run.batchSize(), run.seed(), run.point());
  }

  /**
   * Runs to come: those that tune, and the other seeds of winners as if every optimizer had one,
   * its grid's first point, for each batch size and budget.
   */
  List<StudyTask> expected() {
    List<StudyTask> tasks = new ArrayList<>(tuning());
    for (Budget budget : budgets) {
      for (int batch : batchSizes) {
        for (OptimizerGrid optimizer : optimizers) {
          for (long seed : seeds.subList(1, seeds.size())) {
            tasks.add(new StudyTask(optimizer, budget, batch, seed, optimizer.points().get(0)));
          }
        }
      }
    }
    return tasks;
  }

  StudyResults results(String name, List<StudyRun> runs) {
    Map<String, SortedMap<String, List<String>>> grids = new LinkedHashMap<>();
    optimizers.forEach(each -> grids.put(each.name(), each.grid()));
    return new StudyResults(
        name,
        examples,
        batchSizes,
        targets,
        budgets,
        grids,
        tuningSeed(),
        shared.doubleValue("study.efficiency"),
        runs);
  }

  /** Steps of an epoch, at least 1. */
  int stepsPerEpoch(int batch) {
    return (int) Math.max(1, Math.round((double) examples / batch));
  }

  /** Steps that a run may take. */
  int steps(StudyTask task) {
    double normal = shared.positive("study.epochs") * examples / task.batch();
    long steps = task.budget().steps(normal, task.batch(), batchSizes.get(0));
    InvalidInputException.require(
        steps <= Integer.MAX_VALUE,
        "study.epochs: a run has at most %d steps, but %s epochs are %d with batch %d",
        Integer.MAX_VALUE,
        shared.positive("study.epochs"),
        steps,
        task.batch());
    return (int) steps;
  }

  /** All settings of a run. */
  Settings settings(StudyTask task) {
    Settings own = task.optimizer().at(shared, task.point());
    int steps = steps(task);
    double growth = (double) task.batch() / batchSizes.get(0);
    double rate =
        own.positive("optimizer.learning-rate.initial")
            * Math.pow(growth, shared.choice("study.learning-rate-scaling", Scaling.class).power);
    List<String> overrides = new ArrayList<>(WHOLE_BUDGET);
    overrides.add("training.batch-size=" + task.batch());
    overrides.add("training.iterations=" + steps);
    overrides.add("training.seed=" + task.seed());
    int evaluations = shared.nonNegativeInt("study.evaluations");
    overrides.add(
        "training.evaluate-every="
            + (evaluations == 0
                ? stepsPerEpoch(task.batch())
                : Math.max(1, Math.round((double) steps / evaluations))));
    overrides.add(String.format(Locale.ROOT, "optimizer.learning-rate.initial=%s", rate));
    overrides.add(
        PERIOD + "=" + Math.max(1, Math.round(shared.doubleValue("study.decay-share") * steps)));
    double warmUp = shared.doubleValue("study.warm-up");
    if (warmUp > 0) {
      overrides.add(WARM_UP + "=" + Math.min(steps, Math.round(warmUp * steps)));
    }
    try {
      return own.with(overrides);
    } catch (InvalidInputException e) {
      throw new InvalidInputException(
          OPTIMIZERS + " \"" + task.optimizer().name() + "\": " + e.getMessage(), e);
    }
  }
}
