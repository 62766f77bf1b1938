package org.kfac4j.training;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.kfac4j.data.Storage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes {@code report.html}: after the first iteration, then at most every 30 s so that a running
 * job can be watched, and at the end. A report that cannot be written is logged as a warning and
 * does not end the run, whose numbers are in {@code metrics.jsonl}.
 */
public final class ReportWriter implements TrainingListener {
  public static final String FILE = "report.html";
  private static final Logger LOG = LoggerFactory.getLogger(ReportWriter.class);
  private static final long INTERVAL_NANOS = 30_000_000_000L;

  /** A report that takes long to write is written less often: it may cost 2 % of the run. */
  private static final long COST_RATIO = 50;

  private final Storage storage;
  private final LongSupplier nanos;
  private final List<IterationRecord> records = new ArrayList<>();
  private @Nullable RunInfo info;
  private boolean written;
  private long nextDue;

  public ReportWriter(Storage storage) {
    this(storage, System::nanoTime);
  }

  ReportWriter(Storage storage, LongSupplier nanos) {
    this.storage = storage;
    this.nanos = nanos;
  }

  @Override
  public void started(RunInfo run) {
    info = run;
  }

  @Override
  public void replayed(IterationRecord record) {
    records.add(record);
  }

  @Override
  public void iteration(IterationRecord record) {
    records.add(record);
    if (!written || nanos.getAsLong() - nextDue >= 0) {
      write(null);
    }
  }

  @Override
  public void finished(RunSummary summary) {
    write(summary);
  }

  private void write(@Nullable RunSummary summary) {
    if (info == null) {
      throw new IllegalStateException("started has not been called");
    }
    long begin = nanos.getAsLong();
    String file = Storage.resolve(info.outputDir(), FILE);
    try (OutputStream out = storage.create(file)) {
      out.write(new ReportPage(info, records, summary).html().getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      LOG.warn("{} could not be written: {}", file, e.toString());
    }
    written = true;
    long end = nanos.getAsLong();
    nextDue = end + Math.max(INTERVAL_NANOS, COST_RATIO * (end - begin));
  }
}
