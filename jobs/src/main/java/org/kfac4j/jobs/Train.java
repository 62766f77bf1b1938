package org.kfac4j.jobs;

import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkUserAppException;
import org.jspecify.annotations.Nullable;
import org.kfac4j.InvalidInputException;
import org.kfac4j.Settings;
import org.kfac4j.Snapshot;
import org.kfac4j.curvature.Nd4jBackend;
import org.kfac4j.data.DataSource;
import org.kfac4j.data.Storage;
import org.kfac4j.optimizer.Optimizer;
import org.kfac4j.optimizer.Optimizers;
import org.kfac4j.spark.HadoopStorage;
import org.kfac4j.spark.SparkExamples;
import org.kfac4j.spark.SparkObjective;
import org.kfac4j.training.BatchSizes;
import org.kfac4j.training.Evaluator;
import org.kfac4j.training.MetricsWriter;
import org.kfac4j.training.Progress;
import org.kfac4j.training.ReportWriter;
import org.kfac4j.training.RunInfo;
import org.kfac4j.training.SummaryWriter;
import org.kfac4j.training.Trainer;
import org.kfac4j.training.TrainingListener;
import org.kfac4j.training.TrainingSettings;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Trains a network as a conf file says. */
@Command(
    name = "train",
    description = "Trains a network as a conf file says, and writes model, metrics and report to output.dir.",
    footer = "Exit codes: 0 done, 2 bad configuration or input, 3 diverged, 1 anything else.")
public final class Train implements Callable<Integer> {
  /** Levels of the aggregation tree. */
  private static final int TREE_DEPTH = 2;

  @Mixin private JobOptions options = new JobOptions();

  @Option(names = "--resume", description = "Continue the run in output.dir from its newest intact checkpoint")
  private boolean resume;

  public static void main(String[] args) throws SparkUserAppException {
    Job.run(new Train(), args);
  }

  @Override
  public Integer call() throws IOException {
    Storage storage = new HadoopStorage(new Configuration());
    Settings settings = options.settings(storage);
    if (options.printConfig) {
      System.out.print(settings.render());
      return 0;
    }
    TrainingSettings training = trainingSettings(settings);
    Optimizer optimizer = Optimizers.create(settings, Cluster.driver(precision(settings)));
    Problem problem = Problem.from(settings, storage);
    BatchSizes sizes = batchSizes(settings, problem.data().train());
    RunFolder folder = RunFolder.from(settings, options.name(), storage);
    Snapshot saved = resume ? resumable(folder, problem) : null;
    if (saved == null) {
      folder.prepare(settings.flag("output.overwrite"));
    }
    try (Cluster cluster = Cluster.start(options.name())) {
      train(cluster, settings, training, optimizer, problem, sizes, folder, saved);
    }
    return 0;
  }

  private static org.kfac4j.linalg.Precision precision(Settings settings) {
    return settings.choice("training.precision", org.kfac4j.linalg.Precision.class);
  }

  private static Snapshot resumable(RunFolder folder, Problem problem) throws IOException {
    Snapshot saved =
        folder
            .latest()
            .orElseThrow(
                () -> new InvalidInputException("--resume: output.dir " + folder.dir() + " holds no intact checkpoint"));
    int parameters = saved.doubles("theta").length;
    InvalidInputException.require(
        parameters == problem.network().parameterCount(),
        "--resume: the checkpoint in %s has %d parameters, the model has %d",
        folder.dir(),
        parameters,
        problem.network().parameterCount());
    return saved;
  }

  private void train(
      Cluster cluster,
      Settings settings,
      TrainingSettings training,
      Optimizer optimizer,
      Problem problem,
      BatchSizes sizes,
      RunFolder folder,
      @Nullable Snapshot saved)
      throws IOException {
    int partitions = cluster.partitions(settings);
    Nd4jBackend backend = cluster.backend(settings, problem.precision());
    List<TrainingListener> listeners = listeners(folder.storage());
    try (SparkObjective train = objective(cluster, problem, backend, problem.data().train(), partitions);
        SparkObjective test = objective(cluster, problem, backend, problem.data().test(), partitions)) {
      RunInfo info = info(cluster, settings, training, optimizer, problem, folder, saved, partitions);
      listeners.forEach(listener -> listener.started(info));
      Evaluator evaluator = new Evaluator(test, problem.data().test().shape().classes());
      Trainer.Result result =
          new Trainer(training, sizes, problem.network(), train, evaluator, listeners, folder::save)
              .train(optimizer, problem.model().theta(), saved);
      try (OutputStream out = folder.storage().create(folder.model())) {
        problem.model().model().write(result.theta(), out);
      }
      listeners.forEach(listener -> listener.finished(result.summary()));
    } finally {
      listeners.forEach(TrainingListener::close);
    }
  }

  private static SparkObjective objective(
      Cluster cluster, Problem problem, Nd4jBackend backend, DataSource source, int partitions) {
    SparkExamples examples = SparkExamples.load(cluster.spark(), source, partitions);
    return new SparkObjective(
        cluster.spark(), problem.network(), backend, problem.precision(), examples, TREE_DEPTH);
  }

  private static List<TrainingListener> listeners(Storage storage) {
    List<TrainingListener> listeners = new ArrayList<>();
    listeners.add(Progress.forTerminal(Help.Ansi.AUTO.enabled(), System.out));
    listeners.add(new MetricsWriter(storage));
    listeners.add(new SummaryWriter(storage));
    listeners.add(new ReportWriter(storage));
    return listeners;
  }

  private RunInfo info(
      Cluster cluster,
      Settings settings,
      TrainingSettings training,
      Optimizer optimizer,
      Problem problem,
      RunFolder folder,
      @Nullable Snapshot saved,
      int partitions) {
    return new RunInfo(
        options.name(),
        folder.dir(),
        training.iterations(),
        saved == null ? 0 : Math.toIntExact(saved.longValue("iteration")),
        problem.data().train().size(),
        problem.data().test().size(),
        settings.flat(),
        Cluster.versions(),
        cluster.describe(partitions),
        LayerTable.rows(problem.network(), optimizer));
  }

  static TrainingSettings trainingSettings(Settings settings) {
    return new TrainingSettings(
        settings.positiveInt("training.iterations"),
        settings.longValue("training.seed"),
        settings.between("training.averaging", 0, 1, true, false),
        settings.nonNegativeInt("training.evaluate-every"),
        settings.nonNegativeInt("training.checkpoint-every"),
        settings.nonNegativeInt("training.patience"),
        settings.optionalNumber("training.target").isPresent()
            ? (Double) settings.optionalNumber("training.target").getAsDouble()
            : null,
        settings.flag("training.restore-best"),
        settings.positive("training.divergence-factor"));
  }

  private enum Growth {
    CONSTANT,
    EXPONENTIAL
  }

  static BatchSizes batchSizes(Settings settings, DataSource train) {
    Growth growth = settings.choice("training.batch-growth", Growth.class);
    int first = settings.positiveInt("training.batch-size");
    InvalidInputException.require(
        first <= train.size(),
        "training.batch-size must be at most the number of training examples (%d), got %d",
        train.size(),
        first);
    int fullAt = growth == Growth.CONSTANT ? 0 : settings.positiveInt("training.batch-growth-iterations");
    return new BatchSizes(first, train.size(), fullAt);
  }
}
