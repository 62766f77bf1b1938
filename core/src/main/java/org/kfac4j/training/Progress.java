package org.kfac4j.training;

import java.io.PrintStream;

/** How a run is shown while it goes on. */
public final class Progress {
  private Progress() {}

  /**
   * A line that is written over on {@code out} if that is a terminal, else lines of log at level
   * INFO.
   *
   * @param isTerminal whether a person sees {@code out}, for example {@code System.console() !=
   *     null}
   */
  public static TrainingListener forTerminal(boolean isTerminal, PrintStream out) {
    return isTerminal ? new ProgressListener(out) : new LogListener();
  }
}
