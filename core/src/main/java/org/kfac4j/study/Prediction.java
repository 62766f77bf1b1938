package org.kfac4j.study;

import java.util.Collections;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A line that a cost model predicts.
 *
 * @param name for the key
 * @param optimizer whose colour it has against batch sizes
 * @param target to which it predicts seconds; null for seconds per iteration
 * @param budget under which; null for seconds per iteration, or for every budget
 * @param seconds batch size or executors, at least 1 → predicted seconds
 * @param measured of the same, what was measured; against batch sizes the study's own runs are
 *     shown in any case
 */
public record Prediction(
    String name,
    String optimizer,
    Against against,
    @Nullable Target target,
    @Nullable Budget budget,
    SortedMap<Integer, Double> seconds,
    SortedMap<Integer, Double> measured) {

  /** What a predicted line is drawn against. */
  public enum Against {
    /** Beside the measured seconds of the same optimizer. */
    BATCH,
    /** In charts of their own. */
    EXECUTORS
  }

  public Prediction {
    seconds = Collections.unmodifiableSortedMap(new TreeMap<>(seconds));
    measured = Collections.unmodifiableSortedMap(new TreeMap<>(measured));
  }

  /** Of seconds per iteration, without measured points of its own. */
  public static Prediction ofIteration(
      String name, String optimizer, Against against, SortedMap<Integer, Double> seconds) {
    return new Prediction(name, optimizer, against, null, null, seconds, new TreeMap<>());
  }

  /** Of seconds to a target, without measured points of its own. */
  public static Prediction ofTarget(
      String name,
      String optimizer,
      Against against,
      Target target,
      Budget budget,
      SortedMap<Integer, Double> seconds) {
    return new Prediction(name, optimizer, against, target, budget, seconds, new TreeMap<>());
  }

  boolean isFor(Against where, @Nullable Target what, @Nullable Budget which) {
    return against == where
        && Objects.equals(target, what)
        && (budget == null || which == null || budget == which);
  }
}
