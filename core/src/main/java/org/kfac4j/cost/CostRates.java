package org.kfac4j.cost;

import java.util.List;
import java.util.Map;

/**
 * What the parts of iterations of one network and optimizer cost, of which {@link CostModel}
 * composes an iteration.
 *
 * @param passes of tasks, by kind
 * @param localJob seconds of a job with a local master beside its tasks; NaN if no run had one
 * @param localMergePerByte seconds per byte of a task's sums, merged with a local master; NaN like
 *     {@code localJob}
 * @param convert seconds to make one vector of θ's length ready to be sent, on the driver
 * @param average seconds to divide sums and move averages, on the driver, per iteration
 * @param inverse seconds to make all inverses once, on the driver
 * @param inverseThreads threads that it made them with, side by side
 * @param precondition seconds to precondition a gradient, on the driver
 * @param other seconds of the driver per iteration in no phase: directions, step, next weights
 * @param notes what the measurements could not tell, a sentence each
 */
public record CostRates(
    Map<PassKind, PassRate> passes,
    double localJob,
    double localMergePerByte,
    double convert,
    double average,
    double inverse,
    int inverseThreads,
    double precondition,
    double other,
    List<String> notes) {
  public CostRates {
    passes = Map.copyOf(passes);
    notes = List.copyOf(notes);
  }
}
