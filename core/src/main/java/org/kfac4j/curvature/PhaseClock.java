package org.kfac4j.curvature;

import java.util.Map;
import java.util.TreeMap;

/** Adds up the time that passes between calls, by phase. */
final class PhaseClock {
  private final Map<String, Double> seconds = new TreeMap<>();
  private long last = System.nanoTime();

  /** Charges the time since the last call to {@code phase}. */
  void charge(String phase) {
    long now = System.nanoTime();
    seconds.merge(phase, (now - last) * 1e-9, Double::sum);
    last = now;
  }

  /** Charges the time since the last call to nobody. */
  void skip() {
    last = System.nanoTime();
  }

  Map<String, Double> seconds() {
    return seconds;
  }
}
