package org.kfac4j.optimizer;

import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;

/** Seconds spent by phase of an iteration. Not thread-safe. */
public final class Phases {
  private final Map<String, Double> seconds = new TreeMap<>();

  public void add(String phase, double spent) {
    seconds.merge(phase, spent, Double::sum);
  }

  /** Runs {@code work} and charges its time to {@code phase}. */
  public <T> T time(String phase, Supplier<T> work) {
    long begin = System.nanoTime();
    try {
      return work.get();
    } finally {
      add(phase, (System.nanoTime() - begin) * 1e-9);
    }
  }

  /** What was noted since the last call. */
  public Map<String, Double> drain() {
    Map<String, Double> drained = Map.copyOf(seconds);
    seconds.clear();
    return drained;
  }
}
