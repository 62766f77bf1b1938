package org.kfac4j.training;

import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/**
 * Shows a run in a log: the model and curvature table, a line per evaluation and at least every ten
 * seconds, and how it ended.
 */
public final class LogListener implements TrainingListener {
  private static final long QUIET_NANOS = 10_000_000_000L;

  private final Consumer<String> log;
  private final LongSupplier nanos;
  private @Nullable RunInfo info;
  private @Nullable Pace pace;
  private @Nullable Evaluation evaluation;
  private long lastLine;

  public LogListener() {
    this(LoggerFactory.getLogger("org.kfac4j.training")::info, System::nanoTime);
  }

  LogListener(Consumer<String> log, LongSupplier nanos) {
    this.log = log;
    this.nanos = nanos;
  }

  @Override
  public void started(RunInfo run) {
    info = run;
    pace = new Pace(nanos);
    lastLine = nanos.getAsLong();
    log(RunText.start(run));
  }

  @Override
  public void replayed(IterationRecord record) {
    evaluation = record.evaluation() != null ? record.evaluation() : evaluation;
  }

  @Override
  public void iteration(IterationRecord record) {
    if (info == null || pace == null) {
      throw new IllegalStateException("started has not been called");
    }
    replayed(record);
    double seconds = pace.iteration();
    long now = nanos.getAsLong();
    if (record.evaluation() != null
        || now - lastLine >= QUIET_NANOS
        || record.iteration() == info.iterations()) {
      lastLine = now;
      String text =
          RunText.iteration(record, evaluation, seconds, info.iterations() - record.iteration());
      log.accept(
          "iteration %d/%d: %s"
              .formatted(record.iteration(), info.iterations(), text.replace("  ", ", ")));
    }
  }

  @Override
  public void finished(RunSummary summary) {
    if (info != null) {
      log(RunText.end(info, summary));
    }
  }

  private void log(Iterable<String> lines) {
    for (String line : lines) {
      if (!line.isBlank()) {
        log.accept(line);
      }
    }
  }
}
