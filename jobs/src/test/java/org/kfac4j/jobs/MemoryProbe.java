package org.kfac4j.jobs;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.kfac4j.Settings;
import org.kfac4j.data.Storage;
import org.kfac4j.spark.HadoopStorage;
import org.kfac4j.spark.SparkObjective;
import org.kfac4j.training.IterationRecord;
import org.kfac4j.training.MetricsWriter;
import org.kfac4j.training.ReportWriter;
import org.kfac4j.training.RunInfo;
import org.kfac4j.training.TrainingListener;

/**
 * A main class: trains as {@link Train} does, and prints what memory is in use every so many
 * iterations.
 */
final class MemoryProbe {
  static final int EVERY = 500;

  private MemoryProbe() {}

  /**
   * Bytes in use.
   *
   * @param heap after garbage collection
   * @param resident of the whole process, 0 if the system does not say
   */
  record Usage(int iteration, long heap, long resident) {
    private static final String PREFIX = "memory";

    String line() {
      return "%s %d %d %d".formatted(PREFIX, iteration, heap, resident);
    }

    static List<Usage> parse(String output) {
      return output
          .lines()
          .filter(line -> line.startsWith(PREFIX + " "))
          .map(line -> line.split(" "))
          .map(
              parts ->
                  new Usage(
                      Integer.parseInt(parts[1]),
                      Long.parseLong(parts[2]),
                      Long.parseLong(parts[3])))
          .toList();
    }

    static Usage now(int iteration) {
      // Spark and JavaCPP give memory back when they see that an object is garbage, in the
      // background.
      for (int i = 0; i < 3; i++) {
        System.gc();
        pause();
      }
      long heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
      return new Usage(iteration, heap, residentBytes());
    }

    private static void pause() {
      try {
        Thread.sleep(200);
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }

    private static long residentBytes() {
      Path status = Path.of("/proc/self/status");
      if (!Files.exists(status)) {
        return 0;
      }
      try (Stream<String> lines = Files.lines(status)) {
        return lines
            .filter(line -> line.startsWith("VmRSS:"))
            .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("\\D", "")))
            .sum();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** Argument: the conf file. */
  public static void main(String[] args) throws IOException {
    Storage storage = new HadoopStorage(new Configuration());
    Settings settings = Settings.load("probe", Files.readString(Path.of(args[0])), List.of());
    TrainingRun run = TrainingRun.from(settings, "probe", storage);
    RunFolder folder = RunFolder.from(settings, "probe", storage);
    List<TrainingListener> listeners =
        List.of(new MetricsWriter(storage), new ReportWriter(storage), new Printer());
    try (Cluster cluster = Cluster.start("probe");
        SparkObjective train =
            cluster.objective(settings, run.problem(), run.problem().data().train());
        SparkObjective test =
            cluster.objective(settings, run.problem(), run.problem().data().test())) {
      RunInfo info = run.info(folder.dir(), 0, cluster.describe(settings));
      listeners.forEach(listener -> listener.started(info));
      run.train(train, test, listeners, folder::save, null);
    } finally {
      listeners.forEach(TrainingListener::close);
    }
  }

  private static final class Printer implements TrainingListener {
    @Override
    public void iteration(IterationRecord record) {
      if (record.iteration() % EVERY == 0) {
        System.out.println(Usage.now(record.iteration()).line());
      }
    }
  }
}
