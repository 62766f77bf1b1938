package org.kfac4j.spark.ml;

import org.apache.spark.ml.linalg.DenseVector;
import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.Metadata;
import org.apache.spark.sql.types.StructField;
import org.kfac4j.network.Loss;

/** A classifier's columns, with the meanings that Spark ML's have. */
final class Softmax {
  private Softmax() {}

  /** The outputs before softmax. */
  record Raw(StructField field, int value, int classes) implements KfacModel.Output {
    @Override
    public String parameter() {
      return "rawPredictionCol";
    }

    @Override
    public Object cell(double[] values, float[] features, int row) {
      return Vectors.dense(KfacModel.row(values, row, classes));
    }
  }

  /** The classes' probabilities. */
  record Probability(StructField field, int value, Loss loss) implements KfacModel.Output {
    @Override
    public String parameter() {
      return "probabilityCol";
    }

    @Override
    public Object cell(double[] values, float[] features, int row) {
      return Vectors.dense(probabilities(KfacModel.row(values, row, loss.outputs()), loss));
    }
  }

  /** The class that is most likely for its threshold. */
  record Prediction(StructField field, int value, Loss loss, double[] thresholds)
      implements KfacModel.Output {
    @Override
    public String parameter() {
      return "predictionCol";
    }

    @Override
    public Object cell(double[] values, float[] features, int row) {
      return predicted(KfacModel.row(values, row, loss.outputs()), loss, thresholds);
    }
  }

  static double[] probabilities(double[] z, Loss loss) {
    loss.predict(z, 1);
    return z;
  }

  /** The index of the largest z, or of the largest p / threshold. */
  static double predicted(double[] z, Loss loss, double[] thresholds) {
    if (thresholds.length == 0) {
      return new DenseVector(z).argmax();
    }
    double[] scaled = probabilities(z, loss);
    for (int i = 0; i < scaled.length; i++) {
      scaled[i] =
          thresholds[i] > 0
              ? scaled[i] / thresholds[i]
              : scaled[i] > 0 ? Double.POSITIVE_INFINITY : 0;
    }
    return new DenseVector(scaled).argmax();
  }

  static StructField vectors(String name, Metadata metadata) {
    return new StructField(name, SQLDataTypes.VectorType(), false, metadata);
  }

  static StructField number(String name, Metadata metadata) {
    return new StructField(name, DataTypes.DoubleType, false, metadata);
  }
}
