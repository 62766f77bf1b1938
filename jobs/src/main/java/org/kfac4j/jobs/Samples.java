package org.kfac4j.jobs;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Measurements of one thing. */
final class Samples {
  private final List<Double> values = new ArrayList<>();

  void add(double value) {
    values.add(value);
  }

  boolean isEmpty() {
    return values.isEmpty();
  }

  /** The median, NaN of nothing. */
  double median() {
    if (values.isEmpty()) {
      return Double.NaN;
    }
    List<Double> sorted = new ArrayList<>(values);
    Collections.sort(sorted);
    int middle = sorted.size() / 2;
    return sorted.size() % 2 == 1
        ? sorted.get(middle)
        : 0.5 * (sorted.get(middle - 1) + sorted.get(middle));
  }
}
