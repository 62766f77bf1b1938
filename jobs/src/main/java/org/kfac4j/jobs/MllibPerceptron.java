package org.kfac4j.jobs;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.ml.classification.MultilayerPerceptronClassificationModel;
import org.apache.spark.ml.classification.MultilayerPerceptronClassifier;
import org.apache.spark.ml.evaluation.MulticlassClassificationEvaluator;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.kfac4j.InvalidInputException;
import org.kfac4j.data.DataSource;
import org.kfac4j.network.ActivationLayer;
import org.kfac4j.network.DenseLayer;
import org.kfac4j.network.Layer;
import org.kfac4j.network.Network;

/**
 * Spark MLlib's multilayer perceptron: sigmoid hidden units, softmax output, batch L-BFGS.
 *
 * @param widths of the layers, from input to output
 * @param iterations of L-BFGS at most
 * @param seed of the initial weights
 */
record MllibPerceptron(int[] widths, int iterations, long seed) {
  /**
   * How training went.
   *
   * @param seconds that {@code fit} took
   * @param iterations done
   * @param testAccuracy of the trained model
   */
  record Outcome(double seconds, int iterations, double testAccuracy) {}

  /**
   * The layers' widths of a network that MLlib has a counterpart of.
   *
   * @throws InvalidInputException naming what it has no counterpart of
   */
  static int[] widths(Network network, boolean classes) {
    InvalidInputException.require(
        classes,
        "MLlib's perceptron only classifies: data.task must be classifier, got autoencoder");
    List<Integer> widths = new ArrayList<>(List.of(network.inputs()));
    for (Layer layer : network.layers()) {
      if (layer instanceof DenseLayer dense) {
        InvalidInputException.require(
            dense.hasBias(),
            "MLlib's layers have a bias, the model's layer %s has none",
            dense.name());
        widths.add(dense.outputs());
      } else {
        InvalidInputException.require(
            layer instanceof ActivationLayer,
            "MLlib only has fully connected layers, the model's layer %s is something else",
            layer.name());
      }
    }
    return widths.stream().mapToInt(Integer::intValue).toArray();
  }

  /**
   * What MLlib multiplies matrices with, for example {@code JNIBLAS} (native) or {@code VectorBLAS}
   * (Java).
   */
  static String blas() {
    return org.apache.spark.ml.linalg.BLAS$.MODULE$.nativeBLAS().getClass().getSimpleName();
  }

  /**
   * Trains once for a single iteration that is not counted, and then for the time that counts. Both
   * read examples that are cached as MLlib takes them.
   */
  Outcome train(Cluster cluster, int partitions, DataSource train, DataSource test) {
    SparkSession session = SparkSession.builder().sparkContext(cluster.spark().sc()).getOrCreate();
    Dataset<Row> training = Frames.cached(session, cluster, partitions, train);
    Dataset<Row> testing = Frames.cached(session, cluster, partitions, test);
    try {
      classifier(1).fit(training);
      long begin = System.nanoTime();
      MultilayerPerceptronClassificationModel model = classifier(iterations).fit(training);
      double seconds = (System.nanoTime() - begin) * 1e-9;
      double accuracy =
          new MulticlassClassificationEvaluator()
              .setMetricName("accuracy")
              .evaluate(model.transform(testing));
      return new Outcome(seconds, model.summary().totalIterations(), accuracy);
    } finally {
      training.unpersist();
      testing.unpersist();
    }
  }

  /** All parameters but these have MLlib's defaults. */
  private MultilayerPerceptronClassifier classifier(int maximum) {
    return new MultilayerPerceptronClassifier().setLayers(widths).setMaxIter(maximum).setSeed(seed);
  }
}
