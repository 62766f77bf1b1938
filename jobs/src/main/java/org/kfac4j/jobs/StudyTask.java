package org.kfac4j.jobs;

import java.util.Locale;
import java.util.SortedMap;
import org.kfac4j.study.Budget;

/**
 * A run that a study asks for.
 *
 * @param batch B
 * @param point of the optimizer's grid
 */
record StudyTask(
    OptimizerGrid optimizer, Budget budget, int batch, long seed, SortedMap<String, String> point) {
  /** Of the run's results, inside of the study's. */
  String folder() {
    String label = OptimizerGrid.label(point);
    return String.format(
        Locale.ROOT,
        "%s/%s-batch-%d-seed-%d%s",
        OptimizerGrid.folder(optimizer.name()),
        budget.label(),
        batch,
        seed,
        label.isEmpty() ? "" : "-" + OptimizerGrid.folder(label));
  }

  /** For people. */
  String title() {
    String label = OptimizerGrid.label(point);
    return "%s, batch %d, %s budget, %sseed %d"
        .formatted(
            optimizer.name(), batch, budget.label(), label.isEmpty() ? "" : label + ", ", seed);
  }
}
