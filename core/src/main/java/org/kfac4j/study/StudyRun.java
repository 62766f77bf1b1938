package org.kfac4j.study;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * One finished run of a study.
 *
 * @param point grid coordinates: setting → value as the grid has it, before the learning rate is
 *     scaled with the batch
 * @param stepBudget steps that it was allowed
 * @param steps that it took
 * @param seconds of training, evaluation excluded
 * @param outcome "targets met", "budget spent", "hopeless: …" or "diverged: …"
 * @param reached targets that it reached; an absent one is censored
 * @param best the best value of each metric that was measured
 * @param last the last value of each metric that was measured
 * @param medianIterationSeconds of its iterations; NaN without any
 */
public record StudyRun(
    String optimizer,
    Budget budget,
    int batchSize,
    long seed,
    SortedMap<String, String> point,
    long stepBudget,
    long steps,
    double seconds,
    String outcome,
    Map<Target, Reached> reached,
    Map<Target.Metric, Double> best,
    Map<Target.Metric, Double> last,
    double medianIterationSeconds) {
  public StudyRun {
    point = Collections.unmodifiableSortedMap(new TreeMap<>(point));
    reached = Collections.unmodifiableMap(new LinkedHashMap<>(reached));
    best = Collections.unmodifiableMap(new TreeMap<>(best));
    last = Collections.unmodifiableMap(new TreeMap<>(last));
  }

  /** When it reached a target; empty if it is censored there. */
  public Optional<Reached> reached(Target target) {
    return Optional.ofNullable(reached.get(target));
  }

  public boolean diverged() {
    return outcome.startsWith("diverged");
  }

  /** A setting without its block: "damping.initial" of "optimizer.damping.initial". */
  public static String label(String setting) {
    return setting.substring(setting.indexOf('.') + 1);
  }

  /** "damping.initial=0.01, l2=0.1", or "–" for a grid without settings. */
  public String pointText() {
    return point.isEmpty()
        ? "–"
        : point.entrySet().stream()
            .map(setting -> label(setting.getKey()) + "=" + setting.getValue())
            .collect(Collectors.joining(", "));
  }
}
