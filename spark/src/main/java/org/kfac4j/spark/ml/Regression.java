package org.kfac4j.spark.ml;

import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.sql.types.Metadata;
import org.apache.spark.sql.types.StructField;
import org.kfac4j.network.Network;

/** A regression's predictions: a number, or a vector of several outputs. */
record Regression(StructField field, int value, int outputs) implements KfacModel.Output {
  static Regression of(String column, Network network) {
    return new Regression(
        network.outputs() == 1
            ? Softmax.number(column, Metadata.empty())
            : Softmax.vectors(column, Metadata.empty()),
        network.layers().size(),
        network.outputs());
  }

  @Override
  public String parameter() {
    return "predictionCol";
  }

  @Override
  public Object cell(double[] values, float[] features, int row) {
    return outputs == 1 ? (Object) values[row] : Vectors.dense(KfacModel.row(values, row, outputs));
  }
}
