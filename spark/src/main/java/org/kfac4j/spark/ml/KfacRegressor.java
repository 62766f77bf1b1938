package org.kfac4j.spark.ml;

import java.util.List;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.util.DefaultParamsReader;
import org.apache.spark.ml.util.Identifiable$;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.sql.types.NumericType;
import org.apache.spark.sql.types.StructType;
import org.kfac4j.InvalidInputException;
import org.kfac4j.network.Network;
import org.kfac4j.network.SquaredError;

/**
 * Trains a regression by second-order steps, on labels that are numbers or, for a network with
 * several outputs, vectors.
 */
public final class KfacRegressor extends KfacEstimator<KfacRegressor, KfacRegressionModel> {
  private static final long serialVersionUID = 1L;

  private final Param<String> labelCol;
  private final Param<String> predictionCol;

  public KfacRegressor() {
    this(Identifiable$.MODULE$.randomUID("kfacRegressor"));
  }

  public KfacRegressor(String uid) {
    super(uid);
    labelCol = column("labelCol", "column of numbers or, for several outputs, vectors", "label");
    predictionCol = column("predictionCol", Texts.PREDICTION, "prediction");
  }

  public static KfacRegressor load(String path) {
    return read().load(path);
  }

  public static MLReader<KfacRegressor> read() {
    return new DefaultParamsReader<>();
  }

  @Override
  List<String> preset() {
    return List.of("data.task=regression", "model.loss=mse");
  }

  @Override
  void checkNetwork(Network network) {
    InvalidInputException.require(
        network.loss() instanceof SquaredError,
        "a regression needs a squared error (MSE or L2), got %s",
        network.loss().name());
  }

  @Override
  Target target(StructType schema, Network network) {
    boolean numeric =
        Columns.require(schema, "labelCol", getLabelCol()).dataType() instanceof NumericType;
    if (numeric) {
      InvalidInputException.require(
          network.outputs() == 1,
          "column %s holds one number, but the network has %d outputs",
          getLabelCol(),
          network.outputs());
      return new Target.Value(getLabelCol());
    }
    return new Target.Values(
        FeatureColumn.of(schema, "labelCol", getLabelCol(), new int[0]), network.outputs());
  }

  @Override
  StructType appended(StructType schema, Network network) {
    return getPredictionCol().isEmpty()
        ? schema
        : Columns.append(
            schema, "predictionCol", Regression.of(getPredictionCol(), network).field());
  }

  @Override
  KfacRegressionModel make(KfacModel.Trained trained, StructType schema) {
    return new KfacRegressionModel(uid(), trained);
  }

  public Param<String> labelCol() {
    return labelCol;
  }

  public String getLabelCol() {
    return getOrDefault(labelCol);
  }

  public KfacRegressor setLabelCol(String value) {
    return with(labelCol, value);
  }

  public Param<String> predictionCol() {
    return predictionCol;
  }

  public String getPredictionCol() {
    return getOrDefault(predictionCol);
  }

  public KfacRegressor setPredictionCol(String value) {
    return with(predictionCol, value);
  }
}
