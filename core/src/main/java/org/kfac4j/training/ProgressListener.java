package org.kfac4j.training;

import java.io.PrintStream;
import java.util.function.LongSupplier;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import org.jspecify.annotations.Nullable;

/**
 * Shows a run on a terminal: the model and curvature table, one line that is written over and over,
 * and how it ended.
 */
final class ProgressListener implements TrainingListener {
  private static final int BAR = 16;

  private final PrintStream out;
  private final int width;
  private final LongSupplier nanos;
  private @Nullable RunInfo info;
  private @Nullable Pace pace;
  private @Nullable Evaluation evaluation;
  private @Nullable ProgressBar bar;

  /** What the bar's own thread shows next. */
  private volatile String line = "";

  ProgressListener(PrintStream out) {
    this(out, new ConsoleProgressBarConsumer(out).getMaxRenderedLength(), System::nanoTime);
  }

  /**
   * @param width columns of the terminal
   */
  ProgressListener(PrintStream out, int width, LongSupplier nanos) {
    this.out = out;
    this.width = Math.min(width, RunText.WIDTH);
    this.nanos = nanos;
  }

  @Override
  public void started(RunInfo run) {
    RunText.start(run).forEach(out::println);
    info = run;
    pace = new Pace(nanos);
    line = progress(run.resumedFrom(), run.iterations()) + "  starting";
    bar =
        new ProgressBarBuilder()
            .setInitialMax(run.iterations())
            .setConsumer(new ConsoleProgressBarConsumer(out, width))
            .setRenderer((state, length) -> padded(line, length))
            .build();
  }

  @Override
  public void replayed(IterationRecord record) {
    remember(record);
  }

  @Override
  public void iteration(IterationRecord record) {
    remember(record);
    if (info != null && pace != null && bar != null) {
      int left = info.iterations() - record.iteration();
      line =
          progress(record.iteration(), info.iterations())
              + "  "
              + RunText.iteration(record, evaluation, pace.iteration(), left);
      bar.stepTo(record.iteration());
    }
  }

  private void remember(IterationRecord record) {
    evaluation = record.evaluation() != null ? record.evaluation() : evaluation;
  }

  @Override
  public void finished(RunSummary summary) {
    close();
    if (info != null) {
      RunText.end(info, summary).forEach(out::println);
      out.flush();
    }
  }

  /** Leaves the line as it last was. */
  @Override
  public void close() {
    if (bar != null) {
      bar.close();
      bar = null;
    }
  }

  private static String progress(int done, int planned) {
    int filled = planned <= 0 ? 0 : (int) Math.min(BAR, (long) BAR * done / planned);
    return "[" + "#".repeat(filled) + " ".repeat(BAR - filled) + "] " + done + "/" + planned;
  }

  /** Blanks cover what a longer line left behind. */
  private static String padded(String line, int width) {
    String cut = RunText.cut(line, width);
    return cut + " ".repeat(width - cut.length());
  }
}
