package org.kfac4j.training;

import org.jspecify.annotations.Nullable;

/** Told what happens in a run, in order, on the driver's thread. An exception ends the run. */
public interface TrainingListener extends AutoCloseable {
  default void started(RunInfo info) {}

  /**
   * Called for records of iterations that an earlier process did, oldest first, when a run is
   * resumed.
   */
  default void replayed(IterationRecord record) {}

  default void iteration(IterationRecord record) {}

  /**
   * Asked after each iteration, and after those of an earlier process: why the run should end now,
   * or null. The answer is the run's {@link RunSummary#reason}.
   */
  default @Nullable String enough() {
    return null;
  }

  default void finished(RunSummary summary) {}

  @Override
  default void close() {}
}
