package org.kfac4j.jobs;

import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkUserAppException;
import org.jspecify.annotations.Nullable;
import org.kfac4j.InvalidInputException;
import org.kfac4j.Settings;
import org.kfac4j.Snapshot;
import org.kfac4j.data.Storage;
import org.kfac4j.spark.SparkObjective;
import org.kfac4j.spark.TrainingMetrics;
import org.kfac4j.training.MetricsWriter;
import org.kfac4j.training.Progress;
import org.kfac4j.training.ReportWriter;
import org.kfac4j.training.RunInfo;
import org.kfac4j.training.SummaryWriter;
import org.kfac4j.training.Trainer;
import org.kfac4j.training.TrainingListener;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Trains a network as a conf file says. */
@Command(
    name = "train",
    description =
        "Trains a network as a conf file says, and writes model, metrics and report to output.dir.",
    footer = "Exit codes: 0 done, 2 bad configuration or input, 3 diverged, 1 anything else.")
public final class Train implements Callable<Integer> {
  @Mixin private JobOptions options = new JobOptions();

  @Option(
      names = "--resume",
      description = "Continue the run in output.dir from its newest intact checkpoint")
  private boolean resume;

  public static void main(String[] args) throws SparkUserAppException {
    Job.run(new Train(), args);
  }

  @Override
  public Integer call() throws IOException {
    Storage storage = Cluster.storage();
    Settings settings = options.settings(storage);
    if (options.printConfig) {
      System.out.print(settings.render());
      return 0;
    }
    TrainingRun run = TrainingRun.from(settings, options.name(), storage);
    RunPlan.of(run, new SparkConf()).requireFits();
    RunFolder folder = RunFolder.from(settings, options.name(), storage);
    folder.requireWritable();
    RunIdentity identity = RunIdentity.of(settings, run.problem().model().model());
    Snapshot saved = resume ? resumable(folder, run.problem(), identity) : null;
    if (saved == null) {
      folder.check(settings.flag("output.overwrite"));
    }
    try (Cluster cluster = Cluster.start(options.name())) {
      train(cluster, run, folder, identity, saved);
    }
    return 0;
  }

  private static Snapshot resumable(RunFolder folder, Problem problem, RunIdentity identity)
      throws IOException {
    Snapshot saved =
        folder
            .latest()
            .orElseThrow(
                () ->
                    new InvalidInputException(
                        "--resume: output.dir " + folder.dir() + " holds no intact checkpoint"));
    int parameters = saved.doubles("theta").length;
    InvalidInputException.require(
        parameters == problem.network().parameterCount(),
        "--resume: the checkpoint in %s has %d parameters, the model has %d",
        folder.dir(),
        parameters,
        problem.network().parameterCount());
    identity.check(saved, folder.dir());
    return saved;
  }

  private static void train(
      Cluster cluster,
      TrainingRun run,
      RunFolder folder,
      RunIdentity identity,
      @Nullable Snapshot saved)
      throws IOException {
    Settings settings = run.settings();
    Problem problem = run.problem();
    List<TrainingListener> listeners = listeners(folder.storage());
    try (SparkObjective train = cluster.trainingObjective(settings, problem);
        SparkObjective test = cluster.objective(settings, problem, problem.data().test())) {
      if (saved == null) {
        folder.clear(); // Not before: a run that cannot start replaces nothing.
      }
      int resumedFrom = saved == null ? 0 : Math.toIntExact(saved.longValue("iteration"));
      RunInfo info = run.info(folder.dir(), resumedFrom, cluster.describe(settings));
      listeners.forEach(listener -> listener.started(info));
      Trainer.Result result =
          run.train(
              train,
              test,
              listeners,
              (iteration, snapshot) -> folder.save(iteration, identity.addTo(snapshot)),
              saved);
      try (OutputStream out = folder.storage().create(folder.model())) {
        problem.model().model().write(result.theta(), out);
      }
      listeners.forEach(listener -> listener.finished(result.summary()));
    } finally {
      listeners.forEach(TrainingListener::close);
    }
  }

  private static List<TrainingListener> listeners(Storage storage) {
    List<TrainingListener> listeners = new ArrayList<>();
    listeners.add(Progress.forTerminal(Help.Ansi.AUTO.enabled(), System.out));
    listeners.add(new MetricsWriter(storage));
    listeners.add(new SummaryWriter(storage));
    listeners.add(new ReportWriter(storage));
    listeners.add(new TrainingMetrics());
    return listeners;
  }
}
