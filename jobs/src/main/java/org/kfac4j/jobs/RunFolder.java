package org.kfac4j.jobs;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Optional;
import org.kfac4j.InvalidInputException;
import org.kfac4j.Settings;
import org.kfac4j.Snapshot;
import org.kfac4j.data.Storage;
import org.kfac4j.training.CheckpointStore;
import org.kfac4j.training.MetricsWriter;
import org.kfac4j.training.ReportWriter;
import org.kfac4j.training.SummaryWriter;

/** The folder that a run's results go to. */
record RunFolder(Storage storage, String dir, int checkpointsKept) {
  static final String MODEL = "model.zip";
  static final String COMPARISON = "comparison.json";
  private static final String CHECKPOINTS = "checkpoint";
  private static final String PROBE = ".kfac4j-can-write";
  private static final List<String> CONTENT =
      List.of(MODEL, MetricsWriter.FILE, SummaryWriter.FILE, ReportWriter.FILE, CHECKPOINTS);

  static RunFolder from(Settings settings, String name, Storage storage) {
    String dir = settings.optionalText("output.dir").orElse("runs/" + name);
    return new RunFolder(storage, dir, settings.positiveInt("training.checkpoints-kept"));
  }

  /**
   * Makes sure that there is somewhere for results to go before any are computed.
   *
   * @throws InvalidInputException if nothing can be written to the folder
   */
  void requireWritable() {
    String probe = Storage.resolve(dir, PROBE);
    try {
      storage.create(probe).close();
      storage.delete(probe);
    } catch (IOException | IllegalArgumentException e) {
      String reason = String.valueOf(e.getMessage()).lines().findFirst().orElse("unknown reason");
      throw new InvalidInputException(
          "output.dir must be a folder that can be written to, got %s (%s)".formatted(dir, reason),
          e);
    }
  }

  /**
   * Makes sure that a fresh run replaces nothing that was not meant to be replaced.
   *
   * @throws InvalidInputException if there is a run in the folder and {@code overwrite} is false
   */
  void check(boolean overwrite) throws IOException {
    for (String name : CONTENT) {
      check(name, overwrite, "a run (%s): choose another, --resume it".formatted(name));
    }
  }

  /** Deletes the run that is in the folder, and nothing else. */
  void clear() throws IOException {
    for (String name : CONTENT) {
      storage.delete(Storage.resolve(dir, name));
    }
  }

  /**
   * The same for a comparison with Spark MLlib.
   *
   * @throws InvalidInputException if there is one in the folder and {@code overwrite} is false
   */
  void checkComparison(boolean overwrite) throws IOException {
    check(COMPARISON, overwrite, "a comparison (%s): choose another".formatted(COMPARISON));
  }

  private void check(String name, boolean overwrite, String held) throws IOException {
    InvalidInputException.require(
        overwrite || !storage.exists(Storage.resolve(dir, name)),
        "output.dir %s already holds %s, or --set output.overwrite=true",
        dir,
        held);
  }

  CheckpointStore checkpoints() {
    return new CheckpointStore(storage, Storage.resolve(dir, CHECKPOINTS), checkpointsKept);
  }

  /** The newest intact checkpoint; damaged ones are reported on standard error. */
  Optional<Snapshot> latest() throws IOException {
    return checkpoints()
        .latest(warning -> System.err.println("warning: " + warning))
        .map(CheckpointStore.Loaded::snapshot);
  }

  void save(int iteration, Snapshot snapshot) {
    try {
      checkpoints().save(iteration, snapshot);
    } catch (IOException e) {
      throw new UncheckedIOException(
          "the checkpoint of iteration " + iteration + " could not be written to " + dir, e);
    }
  }

  String model() {
    return Storage.resolve(dir, MODEL);
  }

  String comparison() {
    return Storage.resolve(dir, COMPARISON);
  }
}
