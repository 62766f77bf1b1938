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
  private static final String CHECKPOINTS = "checkpoint";
  private static final List<String> CONTENT =
      List.of(MODEL, MetricsWriter.FILE, SummaryWriter.FILE, ReportWriter.FILE, CHECKPOINTS);

  static RunFolder from(Settings settings, String name, Storage storage) {
    String dir = settings.optionalText("output.dir").orElse("runs/" + name);
    return new RunFolder(storage, dir, settings.positiveInt("training.checkpoints-kept"));
  }

  /**
   * Makes sure that a fresh run replaces nothing that was not meant to be replaced.
   *
   * @throws InvalidInputException if there is a run in the folder and {@code overwrite} is false
   */
  void prepare(boolean overwrite) throws IOException {
    for (String name : CONTENT) {
      String path = Storage.resolve(dir, name);
      if (storage.exists(path)) {
        InvalidInputException.require(
            overwrite,
            "output.dir %s already holds a run (%s): choose another, --resume it, or --set output.overwrite=true",
            dir,
            name);
        storage.delete(path);
      }
    }
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
      throw new UncheckedIOException("the checkpoint of iteration " + iteration + " could not be written to " + dir, e);
    }
  }

  String model() {
    return Storage.resolve(dir, MODEL);
  }
}
