package org.kfac4j.training;

/** Told what happens in a run, in order, on the driver's thread. An exception ends the run. */
public interface TrainingListener extends AutoCloseable {
  default void started(RunInfo info) {}

  /**
   * Called for records of iterations that an earlier process did, oldest first, when a run is
   * resumed.
   */
  default void replayed(IterationRecord record) {}

  default void iteration(IterationRecord record) {}

  default void finished(RunSummary summary) {}

  @Override
  default void close() {}
}
