package org.kfac4j.spark;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.api.java.JavaSparkContext;
import org.kfac4j.Settings;
import org.kfac4j.Snapshot;
import org.kfac4j.curvature.Nd4jBackend;
import org.kfac4j.data.DataSource;
import org.kfac4j.data.LocalStorage;
import org.kfac4j.linalg.LapackFactorizations;
import org.kfac4j.linalg.Precision;
import org.kfac4j.network.Dl4jModel;
import org.kfac4j.network.ModelSettings;
import org.kfac4j.network.Network;
import org.kfac4j.optimizer.DenseMachine;
import org.kfac4j.optimizer.Objective;
import org.kfac4j.optimizer.Optimizer;
import org.kfac4j.optimizer.Optimizers;
import org.kfac4j.training.BatchSizes;
import org.kfac4j.training.IterationRecord;
import org.kfac4j.training.LocalObjective;
import org.kfac4j.training.Trainer;
import org.kfac4j.training.TrainingListener;
import org.kfac4j.training.TrainingSettings;

/** A training that runs on any objective over the same examples. */
record Training(Settings settings, DataSource source, Network network, double[] initial) {
  static final int TREE_DEPTH = 2;

  static Training of(String hocon, DataSource source) {
    Settings settings = Settings.load("test", hocon, List.of());
    Dl4jModel.Loaded model =
        ModelSettings.from(settings)
            .create(new LocalStorage(), settings.longValue("training.seed"));
    Network network = model.model().network().withMoreL2(settings.nonNegative("optimizer.l2"));
    return new Training(settings, source, network, model.theta());
  }

  /** What came of it: weights, and the loss of each iteration. */
  record Outcome(double[] theta, double[] losses) {
    /**
     * The largest relative distance to another outcome: of the losses, or of the way that the
     * weights went.
     */
    double distance(Outcome other, double[] initial) {
      double worst = norm(minus(theta, other.theta)) / norm(minus(other.theta, initial));
      for (int i = 0; i < losses.length; i++) {
        worst = Math.max(worst, Math.abs(losses[i] - other.losses[i]) / Math.abs(other.losses[i]));
      }
      return worst;
    }

    private static double[] minus(double[] a, double[] b) {
      double[] difference = new double[a.length];
      Arrays.setAll(difference, i -> a[i] - b[i]);
      return difference;
    }

    private static double norm(double[] vector) {
      return Math.sqrt(Arrays.stream(vector).map(value -> value * value).sum());
    }
  }

  Outcome local() {
    return run(new LocalObjective(network, backend(), precision(), partitions()));
  }

  private List<List<org.kfac4j.data.Examples>> partitions() {
    try {
      return List.of(List.of(source.read(0, source.size())));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  Outcome on(JavaSparkContext spark, int partitions) {
    return run(objective(spark, partitions));
  }

  SparkObjective objective(JavaSparkContext spark, int partitions) {
    SparkExamples examples = SparkExamples.load(spark, source, partitions);
    return new SparkObjective(
        spark, network, backend(), precision(), examples, Devices.given(), TREE_DEPTH);
  }

  private Outcome run(Objective objective) {
    int iterations = settings.positiveInt("training.iterations");
    TrainingSettings training =
        new TrainingSettings(
            iterations, settings.longValue("training.seed"), 0, 0, 0, 0, null, false, 1000);
    int batch = settings.positiveInt("training.batch-size");
    Optimizer optimizer =
        Optimizers.create(settings, new DenseMachine(new LapackFactorizations(), precision(), 2));
    List<Double> losses = new ArrayList<>();
    TrainingListener listener =
        new TrainingListener() {
          @Override
          public void iteration(IterationRecord record) {
            losses.add(record.loss());
          }
        };
    try (objective) {
      Trainer trainer =
          new Trainer(
              training,
              new BatchSizes(batch, objective.size(), 0),
              network,
              objective,
              null,
              List.of(listener),
              Training::keepNothing);
      double[] theta = trainer.train(optimizer, initial, null).theta();
      return new Outcome(theta.clone(), losses.stream().mapToDouble(Double::doubleValue).toArray());
    }
  }

  private static void keepNothing(int iteration, Snapshot snapshot) {}

  private Nd4jBackend backend() {
    return new Nd4jBackend(precision(), settings.positiveInt("training.block-rows"), 128, 1);
  }

  private Precision precision() {
    return settings.choice("training.precision", Precision.class);
  }
}
