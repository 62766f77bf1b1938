package org.kfac4j.study;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;

/** Synthetic studies: steps to targets follow a law that a test states. */
final class StudySamples {
  static final long EXAMPLES = 60_000;
  static final long TUNING_SEED = 1;
  static final long BUDGET = 1_000_000_000_000L;
  static final Target ACCURACY = new Target(Target.Metric.TEST_ACCURACY, 0.95);
  static final Target LOSS = new Target(Target.Metric.TRAIN_LOSS, 0.1);
  static final SortedMap<String, List<String>> ONE_POINT = new TreeMap<>();

  private StudySamples() {}

  /** Steps of a run of one optimizer; empty if it is censored. */
  interface Law {
    OptionalLong steps(int batch, long seed);
  }

  /** 64, 128, … */
  static List<Integer> batches(int number) {
    return IntStream.range(0, number).mapToObj(i -> 64 << i).toList();
  }

  static SortedMap<String, List<String>> grid(String setting, String... values) {
    SortedMap<String, List<String>> grid = new TreeMap<>();
    grid.put(setting, List.of(values));
    return grid;
  }

  static SortedMap<String, String> point(String... settingsAndValues) {
    SortedMap<String, String> point = new TreeMap<>();
    for (int i = 0; i < settingsAndValues.length; i += 2) {
      point.put(settingsAndValues[i], settingsAndValues[i + 1]);
    }
    return point;
  }

  /** A run with a second for each hundred steps. */
  static StudyRun run(
      String optimizer,
      int batch,
      long seed,
      SortedMap<String, String> point,
      long budget,
      OptionalLong steps) {
    Map<Target, Reached> reached = new LinkedHashMap<>();
    steps.ifPresent(k -> reached.put(ACCURACY, new Reached(k, 0.01 * k)));
    long taken = steps.orElse(budget);
    double accuracy = steps.isPresent() ? 0.96 : 0.9;
    return new StudyRun(
        optimizer,
        Budget.NORMAL,
        batch,
        seed,
        point,
        budget,
        taken,
        0.01 * taken,
        steps.isPresent() ? "targets met" : "budget spent",
        reached,
        Map.of(Target.Metric.TEST_ACCURACY, accuracy),
        Map.of(Target.Metric.TEST_ACCURACY, accuracy),
        0.01);
  }

  static StudyResults study(
      Map<String, SortedMap<String, List<String>>> grids,
      List<Integer> batches,
      List<StudyRun> runs) {
    return new StudyResults(
        "synthetic",
        EXAMPLES,
        batches,
        List.of(ACCURACY),
        List.of(Budget.NORMAL),
        grids,
        TUNING_SEED,
        0.5,
        runs);
  }

  /** A study of grids of one point. */
  static StudyResults study(List<Integer> batches, long seeds, Map<String, Law> laws, long budget) {
    Map<String, SortedMap<String, List<String>>> grids = new LinkedHashMap<>();
    List<StudyRun> runs = new ArrayList<>();
    laws.forEach(
        (optimizer, law) -> {
          grids.put(optimizer, ONE_POINT);
          for (int batch : batches) {
            for (long seed = TUNING_SEED; seed < TUNING_SEED + seeds; seed++) {
              runs.add(run(optimizer, batch, seed, point(), budget, law.steps(batch, seed)));
            }
          }
        });
    return study(grids, batches, runs);
  }

  static StudyResults study(List<Integer> batches, long seeds, Map<String, Law> laws) {
    return study(batches, seeds, laws, BUDGET);
  }

  /** The curve of the only optimizer, with one seed. */
  static StudyCurve curve(List<Integer> batches, Law law) {
    return study(batches, 1, Map.of("sgd", law)).curve("sgd", Budget.NORMAL, ACCURACY);
  }

  static Law twoTerms(long fewest, long examples) {
    return (batch, seed) -> OptionalLong.of(fewest + examples / batch);
  }
}
