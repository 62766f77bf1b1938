package org.kfac4j.spark.ml;

import java.io.Serializable;
import java.util.List;
import org.kfac4j.training.IterationRecord;
import org.kfac4j.training.RunSummary;

/**
 * How a training went.
 *
 * @param history of all iterations, from the first on
 * @param run how it ended
 */
public record TrainingSummary(List<IterationRecord> history, RunSummary run)
    implements Serializable {
  public TrainingSummary {
    history = List.copyOf(history);
  }

  /** Mean loss of each iteration's batch before its update, nats per example, without l2. */
  public double[] objectiveHistory() {
    return history.stream().mapToDouble(IterationRecord::loss).toArray();
  }

  public int totalIterations() {
    return run.iterations();
  }

  /** Seconds of training, without evaluations. */
  public double seconds() {
    return run.seconds();
  }

  /** Why it ended: iterations, target, patience or seconds. */
  public String reason() {
    return run.reason();
  }
}
