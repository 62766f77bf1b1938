package org.kfac4j.spark.ml;

import java.util.List;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.util.MLReader;
import org.kfac4j.InvalidInputException;

/** A trained regression. */
public final class KfacRegressionModel extends KfacModel<KfacRegressionModel> {
  private static final long serialVersionUID = 1L;

  private final Param<String> predictionCol;

  KfacRegressionModel(String uid, Trained trained) {
    super(uid, trained);
    predictionCol = new Param<>(this, "predictionCol", Texts.PREDICTION);
    setDefault(predictionCol, "prediction");
  }

  public static KfacRegressionModel load(String path) {
    return read().load(path);
  }

  public static MLReader<KfacRegressionModel> read() {
    return new ModelReader<>(KfacRegressionModel.class, KfacRegressionModel::new);
  }

  /**
   * The prediction for one row.
   *
   * @throws InvalidInputException if the network has several outputs, see {@link #predictVector}
   */
  public double predict(Vector features) {
    InvalidInputException.require(
        network().outputs() == 1,
        "predict is of networks with one output, this one has %d: predictVector",
        network().outputs());
    return outputOf(features)[0];
  }

  /** All outputs for one row. */
  public Vector predictVector(Vector features) {
    return Vectors.dense(outputOf(features));
  }

  @Override
  List<Output> outputs() {
    return List.of(Regression.of(getPredictionCol(), network()));
  }

  @Override
  KfacRegressionModel fresh() {
    return new KfacRegressionModel(uid(), trained());
  }

  public Param<String> predictionCol() {
    return predictionCol;
  }

  public String getPredictionCol() {
    return getOrDefault(predictionCol);
  }

  public KfacRegressionModel setPredictionCol(String value) {
    return with(predictionCol, value);
  }
}
