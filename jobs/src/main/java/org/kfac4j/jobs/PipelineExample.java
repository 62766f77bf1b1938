package org.kfac4j.jobs;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.apache.spark.SparkUserAppException;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.ml.evaluation.MulticlassClassificationEvaluator;
import org.apache.spark.ml.feature.MinMaxScaler;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.sql.AnalysisException;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.kfac4j.InvalidInputException;
import org.kfac4j.spark.ml.KfacClassifier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** A Spark ML pipeline as users write them: scaled features, a KfacClassifier, saved and loaded. */
@Command(
    name = "pipeline-example",
    description = {
      "An example to read and to start from: fits a Spark ML pipeline (MinMaxScaler, KfacClassifier) to a table with columns",
      "label and features, LibSVM or Parquet, saves it if asked, and prints its accuracy on rows that it has not seen."
    },
    footer = "Exit codes: 0 done, 2 bad configuration or input, 3 diverged, 1 anything else.")
public final class PipelineExample implements Callable<Integer> {
  private static final double HELD_OUT = 0.2;

  @Option(
      names = "--data",
      required = true,
      paramLabel = "URI",
      description = "The table; any Hadoop URI")
  private String data = "";

  @Option(
      names = "--format",
      paramLabel = "NAME",
      description = "libsvm or parquet (default: ${DEFAULT-VALUE})")
  private String format = "libsvm";

  @Option(
      names = "--hidden",
      split = ",",
      paramLabel = "N",
      description = "Widths of the hidden layers, with commas (default: ${DEFAULT-VALUE})")
  private int[] hidden = {100, 50};

  @Option(
      names = "--iterations",
      paramLabel = "N",
      description = "Iterations at most (default: ${DEFAULT-VALUE})")
  private int iterations = 100;

  @Option(
      names = "--save",
      paramLabel = "URI",
      description = "Where the fitted pipeline is saved; a folder that does not exist")
  private String save = "";

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help, and exit")
  boolean help;

  public static void main(String[] args) throws SparkUserAppException {
    Job.run(new PipelineExample(), args);
  }

  @Override
  public Integer call() throws Exception {
    InvalidInputException.require(
        List.of("libsvm", "parquet").contains(format),
        "--format must be libsvm or parquet, got %s",
        format);
    try (Cluster cluster = Cluster.start("pipeline-example")) {
      SparkSession session =
          SparkSession.builder().sparkContext(cluster.spark().sc()).getOrCreate();
      Dataset<Row>[] parts = split(read(session));
      Dataset<Row> training = parts[0];
      Dataset<Row> testing = parts[1];
      int[] layers = layers(training);
      Pipeline pipeline =
          new Pipeline()
              .setStages(
                  new PipelineStage[] {
                    new MinMaxScaler().setInputCol("features").setOutputCol("scaled"),
                    new KfacClassifier()
                        .setLayers(layers)
                        .setFeaturesCol("scaled")
                        .setMaxIter(iterations)
                  });
      PipelineModel model = pipeline.fit(training);
      if (!save.isEmpty()) {
        model.write().save(save);
        model = PipelineModel.load(save);
      }
      double accuracy =
          new MulticlassClassificationEvaluator()
              .setMetricName("accuracy")
              .evaluate(model.transform(testing));
      System.out.printf(
          Locale.ROOT,
          "layers %s: accuracy %.2f %% on %,d rows held out%n",
          Arrays.toString(layers),
          100 * accuracy,
          testing.count());
    }
    return 0;
  }

  private Dataset<Row> read(SparkSession session) {
    try {
      return session.read().format(format).load(data);
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      // Spark's Scala code throws AnalysisException without declaring it.
      String line = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
      throw e instanceof AnalysisException
          ? new InvalidInputException("--data: " + line, e)
          : new IllegalStateException(e);
    }
  }

  private static Dataset<Row>[] split(Dataset<Row> table) {
    return table.randomSplit(new double[] {1 - HELD_OUT, HELD_OUT}, 1);
  }

  /** As many inputs as features, as many outputs as labels. */
  private int[] layers(Dataset<Row> training) {
    Vector features = training.select("features").first().getAs(0);
    double largest = training.selectExpr("max(double(label))").first().getDouble(0);
    int[] layers = new int[hidden.length + 2];
    layers[0] = features.size();
    System.arraycopy(hidden, 0, layers, 1, hidden.length);
    layers[layers.length - 1] = (int) largest + 1;
    return layers;
  }
}
