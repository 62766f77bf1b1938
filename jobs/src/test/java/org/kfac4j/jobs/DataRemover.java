package org.kfac4j.jobs;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.spark.SparkConf;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerJobStart;

/**
 * A listener of Spark's ({@code spark.extraListeners}) that deletes the files of a folder in the
 * fifth iteration, and kills all executors: what they had cached cannot be read again.
 */
public final class DataRemover extends SparkListener {
  /** The setting of Spark's that names the folder. */
  static final String FOLDER = "spark.kfac4j.test.folder";

  private final Path folder;
  private boolean done;

  /** Called by Spark. */
  public DataRemover(SparkConf conf) {
    folder = Path.of(conf.get(FOLDER));
  }

  @Override
  public synchronized void onJobStart(SparkListenerJobStart start) {
    String description = String.valueOf(start.properties().get("spark.job.description"));
    if (done || !description.startsWith("kfac4j iteration 5:")) {
      return;
    }
    done = true;
    try (var files = Files.list(folder)) {
      for (Path file : List.copyOf(files.toList())) {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    ExecutorKiller.executors().forEach(ProcessHandle::destroyForcibly);
  }
}
