package org.kfac4j.spark.ml;

import java.util.List;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.ml.param.DoubleArrayParam;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.StringArrayParam;
import org.apache.spark.ml.util.MLReader;

/** A trained classifier. */
public final class KfacClassificationModel extends KfacModel<KfacClassificationModel> {
  private static final long serialVersionUID = 1L;

  private final Param<String> predictionCol;
  private final Param<String> rawPredictionCol;
  private final Param<String> probabilityCol;
  private final DoubleArrayParam thresholds;
  private final StringArrayParam labels;

  KfacClassificationModel(String uid, Trained trained) {
    super(uid, trained);
    predictionCol = new Param<>(this, "predictionCol", Texts.PREDICTION);
    rawPredictionCol = new Param<>(this, "rawPredictionCol", Texts.RAW);
    probabilityCol = new Param<>(this, "probabilityCol", Texts.PROBABILITY);
    thresholds = new DoubleArrayParam(this, "thresholds", Texts.THRESHOLDS);
    labels = new StringArrayParam(this, "labels", "names of the classes, if known");
    setDefault(predictionCol, "prediction");
    setDefault(rawPredictionCol, "rawPrediction");
    setDefault(probabilityCol, "probability");
    setDefault(thresholds, new double[0]);
    setDefault(labels, new String[0]);
  }

  public static KfacClassificationModel load(String path) {
    return read().load(path);
  }

  public static MLReader<KfacClassificationModel> read() {
    return new ModelReader<>(KfacClassificationModel.class, KfacClassificationModel::new);
  }

  KfacClassificationModel withLabels(String[] names) {
    return names.length == 0 ? this : with(labels, names);
  }

  public int numClasses() {
    return network().outputs();
  }

  /** The class of one row. */
  public double predict(Vector features) {
    return Softmax.predicted(outputOf(features), network().loss(), getThresholds());
  }

  /** The outputs for one row, before softmax. */
  public Vector predictRaw(Vector features) {
    return Vectors.dense(outputOf(features));
  }

  /** The classes' probabilities for one row. */
  public Vector predictProbability(Vector features) {
    return Vectors.dense(Softmax.probabilities(outputOf(features), network().loss()));
  }

  @Override
  List<Output> outputs() {
    KfacClassifier.checkThresholds(getThresholds(), numClasses());
    return new ClassColumns(
            getRawPredictionCol(),
            getProbabilityCol(),
            getPredictionCol(),
            getLabels(),
            getThresholds())
        .outputs(network());
  }

  @Override
  KfacClassificationModel fresh() {
    return new KfacClassificationModel(uid(), trained());
  }

  public Param<String> predictionCol() {
    return predictionCol;
  }

  public String getPredictionCol() {
    return getOrDefault(predictionCol);
  }

  public KfacClassificationModel setPredictionCol(String value) {
    return with(predictionCol, value);
  }

  public Param<String> rawPredictionCol() {
    return rawPredictionCol;
  }

  public String getRawPredictionCol() {
    return getOrDefault(rawPredictionCol);
  }

  public KfacClassificationModel setRawPredictionCol(String value) {
    return with(rawPredictionCol, value);
  }

  public Param<String> probabilityCol() {
    return probabilityCol;
  }

  public String getProbabilityCol() {
    return getOrDefault(probabilityCol);
  }

  public KfacClassificationModel setProbabilityCol(String value) {
    return with(probabilityCol, value);
  }

  public DoubleArrayParam thresholds() {
    return thresholds;
  }

  public double[] getThresholds() {
    return getOrDefault(thresholds).clone();
  }

  public KfacClassificationModel setThresholds(double[] value) {
    return with(thresholds, value.clone());
  }

  public StringArrayParam labels() {
    return labels;
  }

  public String[] getLabels() {
    return getOrDefault(labels).clone();
  }
}
