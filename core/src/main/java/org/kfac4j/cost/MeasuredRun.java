package org.kfac4j.cost;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Function;
import org.kfac4j.InvalidInputException;
import org.kfac4j.training.IterationRecord;

/**
 * A run that was made, with one batch size, on one cluster.
 *
 * @param name for messages, such as its folder
 * @param driverThreads that the driver made inverses with
 * @param records of its iterations, from the first one on
 */
public record MeasuredRun(
    String name, ClusterSpec cluster, int driverThreads, List<IterationRecord> records) {
  /** Iterations at the start that compilers and caches warm up in; they are not counted. */
  static final int WARM_UP = 4;

  /** Iterations that a run needs. */
  public static final int LEAST = WARM_UP + 4;

  public MeasuredRun {
    records = List.copyOf(records);
    InvalidInputException.require(
        records.size() >= LEAST,
        "%s: a cost model needs runs of at least %d iterations, of which the first %d are not counted, got %d",
        name,
        LEAST,
        WARM_UP,
        records.size());
    InvalidInputException.require(
        records.stream().allMatch(each -> !each.passSeconds().isEmpty()),
        "%s: its iterations have no passSeconds, which a cost model is fitted to: an earlier version wrote them",
        name);
    long batch = records.get(0).batchSize();
    InvalidInputException.require(
        records.stream().allMatch(each -> each.batchSize() == batch),
        "%s: a cost model needs runs with one batch size, this one's grows",
        name);
  }

  public long batch() {
    return records.get(0).batchSize();
  }

  private List<IterationRecord> counted() {
    return records.subList(WARM_UP, records.size());
  }

  /** Of every iteration after the first ones that has it. */
  List<Double> pass(String key) {
    return each(counted(), key);
  }

  /** What jobs of a pass took beside their tasks, of those with statistics or of those without. */
  List<Double> rests(PassKind kind, boolean statistics) {
    List<IterationRecord> some =
        counted().stream()
            .filter(
                record -> record.passSeconds().containsKey(PassKind.STATISTICS.key()) == statistics)
            .toList();
    return each(some, kind.restKey());
  }

  private static List<Double> each(List<IterationRecord> records, String key) {
    List<Double> all = new ArrayList<>();
    for (IterationRecord record : records) {
      Double seconds = record.passSeconds().get(key);
      if (seconds != null) {
        all.add(seconds);
      }
    }
    return all;
  }

  /** Of every counted iteration, 0 where it has no such phase. */
  List<Double> phase(String key) {
    return counted().stream().map(each -> each.phaseSeconds().getOrDefault(key, 0.0)).toList();
  }

  /** Seconds of making all inverses once; also in the first iterations if there are no others. */
  List<Double> inverses(IterationWork work) {
    List<Double> late = inverses(counted(), work);
    return late.isEmpty() ? inverses(records, work) : late;
  }

  private static List<Double> inverses(List<IterationRecord> records, IterationWork work) {
    return records.stream()
        .filter(each -> each.phaseSeconds().containsKey("inverse"))
        .map(
            each ->
                each.phaseSeconds().getOrDefault("inverse", 0.0)
                    / work.candidates(each.iteration()))
        .toList();
  }

  /** Seconds of whole iterations. */
  public List<Double> iterations() {
    List<Double> all = new ArrayList<>();
    for (int i = WARM_UP; i < records.size(); i++) {
      all.add(records.get(i).seconds() - records.get(i - 1).seconds());
    }
    return all;
  }

  /** Seconds of each iteration that are in no phase. */
  List<Double> others() {
    List<Double> all = new ArrayList<>(iterations());
    for (int i = 0; i < all.size(); i++) {
      double phases =
          counted().get(i).phaseSeconds().values().stream().mapToDouble(each -> each).sum();
      all.set(i, Math.max(0, all.get(i) - phases));
    }
    return all;
  }

  /** The median of what all runs have, 0 of nothing. */
  static double median(List<MeasuredRun> runs, Function<MeasuredRun, List<Double>> of) {
    return median(runs.stream().flatMap(run -> of.apply(run).stream()).toList());
  }

  /** The median, 0 of nothing. */
  public static double median(List<Double> values) {
    List<Double> sorted = new ArrayList<>(values);
    Collections.sort(sorted);
    int n = sorted.size();
    return n == 0 ? 0 : 0.5 * (sorted.get((n - 1) / 2) + sorted.get(n / 2));
  }
}
