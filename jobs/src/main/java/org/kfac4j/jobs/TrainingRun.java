package org.kfac4j.jobs;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.kfac4j.InvalidInputException;
import org.kfac4j.Settings;
import org.kfac4j.Snapshot;
import org.kfac4j.data.Storage;
import org.kfac4j.optimizer.Objective;
import org.kfac4j.optimizer.Optimizer;
import org.kfac4j.optimizer.Optimizers;
import org.kfac4j.spark.Devices;
import org.kfac4j.training.BatchSizes;
import org.kfac4j.training.Evaluator;
import org.kfac4j.training.RunInfo;
import org.kfac4j.training.Trainer;
import org.kfac4j.training.TrainingListener;
import org.kfac4j.training.TrainingSettings;

/**
 * The training that a conf file describes, with all of its settings checked.
 *
 * @param name of the run, for titles
 */
record TrainingRun(
    String name,
    Settings settings,
    TrainingSettings training,
    Optimizer optimizer,
    Problem problem,
    BatchSizes batchSizes) {

  /**
   * Checks the settings, reads the model and opens the data, on the driver.
   *
   * @throws InvalidInputException if any of them breaks a rule
   */
  static TrainingRun from(Settings settings, String name, Storage storage) throws IOException {
    TrainingSettings training = checked(() -> TrainingSettings.from(settings));
    Devices.check(settings);
    Optimizer optimizer = optimizer(settings);
    return of(settings, name, training, optimizer, Problem.from(settings, storage));
  }

  /**
   * A run on the same model and data with other settings of training and optimizer.
   *
   * @throws InvalidInputException if any of them breaks a rule
   */
  TrainingRun with(Settings other, String otherName) {
    return of(
        other,
        otherName,
        checked(() -> TrainingSettings.from(other)),
        optimizer(other),
        problem.withL2(other.nonNegative("optimizer.l2")));
  }

  /** The same from other weights. */
  TrainingRun from(double[] theta) {
    return new TrainingRun(name, settings, training, optimizer, problem.from(theta), batchSizes);
  }

  private static Optimizer optimizer(Settings settings) {
    return Optimizers.create(settings, Cluster.driver(Problem.precision(settings)));
  }

  private static TrainingRun of(
      Settings settings,
      String name,
      TrainingSettings training,
      Optimizer optimizer,
      Problem problem) {
    checked(
        () -> {
          optimizer.check(problem.network());
          return null;
        });
    BatchSizes sizes = checked(() -> BatchSizes.from(settings, problem.data().train().size()));
    InvalidInputException.require(
        !optimizer.needsAllExamples() || sizes.at(1) == problem.data().train().size(),
        "optimizer.name = %s needs training.batch-size = %d, all training examples, got %d",
        settings.text("optimizer.name"),
        problem.data().train().size(),
        sizes.at(1));
    return new TrainingRun(name, settings, training, optimizer, problem, sizes);
  }

  /**
   * Trains from the model's initial weights, or goes on from {@code saved} if given.
   *
   * @param train over the training examples
   * @param test over the test examples
   */
  Trainer.Result train(
      Objective train,
      Objective test,
      List<TrainingListener> listeners,
      Trainer.Checkpoints checkpoints,
      @Nullable Snapshot saved) {
    Evaluator evaluator = new Evaluator(test, problem.data().test().shape().classes());
    return new Trainer(
            training, batchSizes, problem.network(), train, evaluator, listeners, checkpoints)
        .train(optimizer, problem.model().theta(), saved);
  }

  /** Does the first iteration and forgets it: what only the first one costs is then paid. */
  void warmUp(Objective train) {
    TrainingSettings once =
        new TrainingSettings(
            1, training.seed(), 0, 0, 0, 0, null, false, training.divergenceFactor());
    new Trainer(
            once, batchSizes, problem.network(), train, null, List.of(), (iteration, state) -> {})
        .train(optimizer, problem.model().theta(), null);
  }

  /**
   * What listeners are told first.
   *
   * @param resumedFrom iteration that the run continues after, 0 for a fresh one
   * @param cluster what it runs on
   */
  RunInfo info(String outputDir, int resumedFrom, Map<String, String> cluster) {
    return new RunInfo(
        name,
        outputDir,
        training.iterations(),
        resumedFrom,
        problem.data().train().size(),
        problem.data().test().size(),
        settings.flat(),
        Cluster.versions(),
        cluster,
        LayerTable.rows(problem.network(), optimizer));
  }

  /** Rules that are checked where the settings are used. */
  private static <T> T checked(Supplier<T> settings) {
    try {
      return settings.get();
    } catch (IllegalArgumentException e) {
      throw new InvalidInputException(String.valueOf(e.getMessage()), e);
    }
  }
}
