package org.kfac4j.spark.ml;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.jspecify.annotations.Nullable;
import org.kfac4j.InvalidInputException;
import org.kfac4j.Settings;
import org.kfac4j.curvature.Nd4jBackend;
import org.kfac4j.linalg.LapackFactorizations;
import org.kfac4j.linalg.Precision;
import org.kfac4j.network.Dl4jModel;
import org.kfac4j.network.Network;
import org.kfac4j.optimizer.DenseMachine;
import org.kfac4j.optimizer.Optimizer;
import org.kfac4j.optimizer.Optimizers;
import org.kfac4j.spark.Devices;
import org.kfac4j.spark.Reading;
import org.kfac4j.spark.SparkExamples;
import org.kfac4j.spark.SparkObjective;
import org.kfac4j.training.BatchSizes;
import org.kfac4j.training.Evaluator;
import org.kfac4j.training.IterationRecord;
import org.kfac4j.training.Trainer;
import org.kfac4j.training.TrainingListener;
import org.kfac4j.training.TrainingSettings;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * One training of a network on rows of a Dataset, with all settings checked.
 *
 * @param start configuration and initial weights
 * @param network the configuration's, with the settings' l2 added
 * @param name of cached data, as Spark's UI shows it
 */
record Fit(
    Settings settings,
    Dl4jModel.Loaded start,
    Network network,
    Optimizer optimizer,
    Precision precision,
    String name) {
  /** Levels of the aggregation tree. */
  private static final int TREE_DEPTH = 2;

  /** Trained weights, rounded as the configuration's data type has them. */
  record Fitted(Dl4jModel model, double[] theta, TrainingSummary summary) {}

  /**
   * @throws InvalidInputException if a setting breaks a rule, or does not go with the network
   */
  static Fit of(Settings settings, Dl4jModel.Loaded start, String name) {
    Network network = start.model().network().withMoreL2(settings.nonNegative("optimizer.l2"));
    Precision precision = settings.choice("training.precision", Precision.class);
    Optimizer optimizer =
        Optimizers.create(
            settings,
            new DenseMachine(
                new LapackFactorizations(), precision, Runtime.getRuntime().availableProcessors()));
    try {
      TrainingSettings.from(settings);
      optimizer.check(network);
    } catch (InvalidInputException e) {
      throw e;
    } catch (IllegalArgumentException e) {
      throw new InvalidInputException(String.valueOf(e.getMessage()), e);
    }
    Devices.check(settings);
    Fit fit = new Fit(settings, start, network, optimizer, precision, name);
    fit.backend(1);
    return fit;
  }

  int partitions(JavaSparkContext spark) {
    return Devices.partitions(settings, spark);
  }

  /**
   * Reads the rows and trains. Nothing of it stays on the cluster.
   *
   * @param validation rows to evaluate with, or null
   * @param classes whether targets are classes
   * @throws InvalidInputException if a row breaks a rule
   */
  Fitted run(
      JavaSparkContext spark,
      JavaRDD<Reading> training,
      @Nullable JavaRDD<Reading> validation,
      boolean classes,
      List<TrainingListener> listeners) {
    Devices devices = Devices.survey(spark, settings);
    try (SparkObjective train = objective(spark, devices, training, "training");
        SparkObjective test =
            validation == null ? train : objective(spark, devices, validation, "validation")) {
      List<IterationRecord> history = new ArrayList<>();
      List<TrainingListener> all = new ArrayList<>(listeners);
      all.add(
          new TrainingListener() {
            @Override
            public void iteration(IterationRecord record) {
              history.add(record);
            }
          });
      Settings here = adapted(train.size(), validation != null);
      Trainer.Result result =
          new Trainer(
                  TrainingSettings.from(here),
                  BatchSizes.from(here, train.size()),
                  network,
                  train,
                  new Evaluator(test, classes),
                  all,
                  (iteration, state) -> {})
              .train(optimizer, start.theta(), null);
      listeners.forEach(listener -> listener.finished(result.summary()));
      return new Fitted(
          start.model(), rounded(result.theta()), new TrainingSummary(history, result.summary()));
    }
  }

  /**
   * A batch is never larger than the data, and training rows are evaluated at the end only, for the
   * choice between the last and the averaged weights.
   */
  private Settings adapted(long size, boolean validation) {
    // Nobody takes checkpoints.
    List<String> overrides = new ArrayList<>(List.of("training.checkpoint-every=0"));
    if (optimizer.needsAllExamples() || settings.positiveInt("training.batch-size") > size) {
      overrides.add("training.batch-size=" + size);
    }
    if (!validation) {
      overrides.add("training.evaluate-every=0");
    }
    return settings.with(overrides);
  }

  private SparkObjective objective(
      JavaSparkContext spark, Devices devices, JavaRDD<Reading> readings, String kind) {
    Nd4jBackend backend = backend(Devices.threadsPerTask(settings, spark));
    SparkExamples examples = SparkExamples.of(readings, name + " " + kind);
    if (examples.size() == 0) {
      examples.close();
      throw new InvalidInputException(name + ": there are no rows for " + kind);
    }
    return new SparkObjective(spark, network, backend, precision, examples, devices, TREE_DEPTH);
  }

  private Nd4jBackend backend(int threads) {
    return new Nd4jBackend(
        precision,
        settings.positiveInt("training.block-rows"),
        settings.positiveInt("training.batch-normalization-rows"),
        threads);
  }

  private double[] rounded(double[] theta) {
    boolean full = start.model().dataType() == DataType.DOUBLE;
    double[] rounded = theta.clone();
    for (int i = 0; !full && i < rounded.length; i++) {
      rounded[i] = (float) rounded[i];
    }
    return rounded;
  }
}
