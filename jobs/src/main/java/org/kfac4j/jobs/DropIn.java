package org.kfac4j.jobs;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.apache.spark.SparkUserAppException;
import org.apache.spark.ml.Estimator;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.ml.classification.MultilayerPerceptronClassifier;
import org.apache.spark.ml.evaluation.MulticlassClassificationEvaluator;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.kfac4j.InvalidInputException;
import org.kfac4j.Settings;
import org.kfac4j.data.Storage;
import org.kfac4j.spark.ml.KfacClassifier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * A Spark ML pipeline with MLlib's perceptron, and the same with it replaced by a KfacClassifier.
 */
@Command(
    name = "drop-in",
    description = {
      "Fits a Spark ML pipeline with MLlib's MultilayerPerceptronClassifier and the same pipeline with KfacClassifier in its",
      "place, with the same layers, block size, seed and iterations, on the data and layer widths of CONF, and compares seconds",
      "of fit(), test accuracy, and seconds of scoring the training rows. Nothing else of CONF is used. Rows are cached, and",
      "each is fitted for one iteration first that is not counted."
    },
    footer = "Exit codes: 0 done, 2 bad configuration or input, 3 diverged, 1 anything else.")
public final class DropIn implements Callable<Integer> {
  private static final int BLOCK_SIZE = 128;
  private static final int SCORINGS = 5;

  @Mixin private JobOptions options = new JobOptions();

  @Option(
      names = "--iterations",
      paramLabel = "N",
      description = "maxIter of both (default: ${DEFAULT-VALUE})")
  private int iterations = 100;

  public static void main(String[] args) throws SparkUserAppException {
    Job.run(new DropIn(), args);
  }

  private record Outcome(double seconds, double accuracy, double scoring) {}

  @Override
  public Integer call() throws IOException {
    Storage storage = Cluster.storage();
    Settings settings = options.settings(storage);
    if (options.printConfig) {
      System.out.print(settings.render());
      return 0;
    }
    InvalidInputException.require(
        iterations >= 1, "--iterations must be at least 1, got %d", iterations);
    Problem problem = Problem.from(settings, storage);
    int[] widths =
        MllibPerceptron.widths(problem.network(), problem.data().train().shape().classes());
    try (Cluster cluster = Cluster.start(options.name())) {
      SparkSession session =
          SparkSession.builder().sparkContext(cluster.spark().sc()).getOrCreate();
      int partitions = cluster.partitions(settings);
      Dataset<Row> training = Frames.cached(session, cluster, partitions, problem.data().train());
      Dataset<Row> testing = Frames.cached(session, cluster, partitions, problem.data().test());
      Outcome kfac4j = measure(training, testing, n -> kfac4j(widths, n));
      Outcome mllib = measure(training, testing, n -> mllib(widths, n));
      System.out.printf(
          Locale.ROOT,
          "%nlayers %s, %,d training and %,d test rows, %d iterations, %s; MLlib computes with %s%n%n",
          Arrays.stream(widths).mapToObj(String::valueOf).collect(Collectors.joining("-")),
          training.count(),
          testing.count(),
          iterations,
          cluster.spark().master(),
          MllibPerceptron.blas());
      print(kfac4j, mllib);
    }
    return 0;
  }

  private interface Classifier {
    Estimator<?> of(int iterations);
  }

  private static KfacClassifier kfac4j(int[] widths, int n) {
    return new KfacClassifier()
        .setLayers(widths)
        .setBlockSize(BLOCK_SIZE)
        .setSeed(1L)
        .setMaxIter(n);
  }

  private static MultilayerPerceptronClassifier mllib(int[] widths, int n) {
    return new MultilayerPerceptronClassifier()
        .setLayers(widths)
        .setBlockSize(BLOCK_SIZE)
        .setSeed(1L)
        .setMaxIter(n);
  }

  private Outcome measure(Dataset<Row> training, Dataset<Row> testing, Classifier classifier) {
    pipeline(classifier.of(1)).fit(training);
    long begin = System.nanoTime();
    PipelineModel model = pipeline(classifier.of(iterations)).fit(training);
    double seconds = (System.nanoTime() - begin) * 1e-9;
    double accuracy =
        new MulticlassClassificationEvaluator()
            .setMetricName("accuracy")
            .evaluate(model.transform(testing));
    Samples scoring = new Samples();
    for (int i = 0; i < SCORINGS; i++) {
      long start = System.nanoTime();
      model.transform(training).agg(functions.sum("prediction")).collect();
      scoring.add((System.nanoTime() - start) * 1e-9);
    }
    System.out.printf(
        Locale.ROOT,
        "%s: fit %.2f s, test accuracy %.2f %%, scoring %.2f s%n",
        classifier.of(1).getClass().getSimpleName(),
        seconds,
        100 * accuracy,
        scoring.median());
    return new Outcome(seconds, accuracy, scoring.median());
  }

  private static Pipeline pipeline(Estimator<?> classifier) {
    return new Pipeline().setStages(new PipelineStage[] {classifier});
  }

  private static void print(Outcome kfac4j, Outcome mllib) {
    TextTable.lines(
            List.of(
                List.of("", "KfacClassifier", "MLlib", "MLlib / kfac4j"),
                List.of(
                    "fit, seconds",
                    two(kfac4j.seconds),
                    two(mllib.seconds),
                    two(mllib.seconds / kfac4j.seconds)),
                List.of(
                    "test accuracy",
                    two(100 * kfac4j.accuracy) + " %",
                    two(100 * mllib.accuracy) + " %",
                    ""),
                List.of(
                    "scoring the training rows, seconds",
                    two(kfac4j.scoring),
                    two(mllib.scoring),
                    two(mllib.scoring / kfac4j.scoring))))
        .forEach(System.out::println);
  }

  private static String two(double number) {
    return String.format(Locale.ROOT, "%.2f", number);
  }
}
