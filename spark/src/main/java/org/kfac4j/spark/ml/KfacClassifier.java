package org.kfac4j.spark.ml;

import java.util.Arrays;
import java.util.List;
import org.apache.spark.ml.attribute.Attribute;
import org.apache.spark.ml.attribute.BinaryAttribute;
import org.apache.spark.ml.attribute.NominalAttribute;
import org.apache.spark.ml.param.DoubleArrayParam;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.util.DefaultParamsReader;
import org.apache.spark.ml.util.Identifiable$;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.kfac4j.InvalidInputException;
import org.kfac4j.network.Network;
import org.kfac4j.network.SoftmaxCrossEntropy;

/**
 * Trains a classifier by second-order steps. Takes the place of Spark's {@code
 * MultilayerPerceptronClassifier}: layers, blockSize, seed, maxIter and the columns mean the same;
 * hidden layers are {@code activation}, not always sigmoid, and the network may be any.
 */
public final class KfacClassifier extends KfacEstimator<KfacClassifier, KfacClassificationModel> {
  private static final long serialVersionUID = 1L;

  private final Param<String> labelCol;
  private final Param<String> predictionCol;
  private final Param<String> rawPredictionCol;
  private final Param<String> probabilityCol;
  private final DoubleArrayParam thresholds;

  public KfacClassifier() {
    this(Identifiable$.MODULE$.randomUID("kfacClassifier"));
  }

  public KfacClassifier(String uid) {
    super(uid);
    labelCol = column("labelCol", "column of classes, numbered from 0", "label");
    predictionCol = column("predictionCol", Texts.PREDICTION, "prediction");
    rawPredictionCol = column("rawPredictionCol", Texts.RAW, "rawPrediction");
    probabilityCol = column("probabilityCol", Texts.PROBABILITY, "probability");
    thresholds = new DoubleArrayParam(this, "thresholds", Texts.THRESHOLDS);
    setDefault(thresholds, new double[0]);
  }

  public static KfacClassifier load(String path) {
    return read().load(path);
  }

  public static MLReader<KfacClassifier> read() {
    return new DefaultParamsReader<>();
  }

  @Override
  List<String> preset() {
    return List.of("data.task=classifier", "model.loss=mcxent");
  }

  @Override
  void checkNetwork(Network network) {
    InvalidInputException.require(
        network.loss() instanceof SoftmaxCrossEntropy && network.outputs() >= 2,
        "a classifier needs softmax with cross-entropy (MCXENT) and at least 2 outputs, got %s and %d",
        network.loss().name(),
        network.outputs());
    checkThresholds(getThresholds(), network.outputs());
  }

  static void checkThresholds(double[] values, int classes) {
    InvalidInputException.require(
        values.length == 0
            || (values.length == classes
                && Arrays.stream(values).allMatch(each -> each >= 0)
                && Arrays.stream(values).filter(each -> each == 0).count() <= 1),
        "thresholds must be %d numbers of at least 0, at most one of them 0, got %s",
        classes,
        Arrays.toString(values));
  }

  @Override
  Target target(StructType schema, Network network) {
    StructField label = Columns.requireNumeric(schema, "labelCol", getLabelCol());
    int declared = declaredClasses(label);
    InvalidInputException.require(
        declared < 0 || declared == network.outputs(),
        "column %s has %d classes, but the network has %d outputs",
        getLabelCol(),
        declared,
        network.outputs());
    return new Target.Label(getLabelCol(), network.outputs());
  }

  private static int declaredClasses(StructField label) {
    Attribute attribute = Attribute.fromStructField(label);
    if (attribute instanceof BinaryAttribute) {
      return 2;
    }
    if (attribute instanceof NominalAttribute nominal) {
      scala.Option<Object> count = nominal.getNumValues();
      return count.isDefined() ? (int) count.get() : -1;
    }
    return -1;
  }

  /** Names of classes that the label column has, or empty. */
  private static String[] labels(StructField label) {
    Attribute attribute = Attribute.fromStructField(label);
    if (attribute instanceof NominalAttribute nominal && nominal.values().isDefined()) {
      return nominal.values().get();
    }
    return new String[0];
  }

  @Override
  StructType appended(StructType schema, Network network) {
    StructType result = schema;
    ClassColumns columns =
        new ClassColumns(
            getRawPredictionCol(),
            getProbabilityCol(),
            getPredictionCol(),
            labels(schema.apply(getLabelCol())),
            getThresholds());
    for (KfacModel.Output output : columns.outputs(network)) {
      if (!output.field().name().isEmpty()) {
        result = Columns.append(result, output.parameter(), output.field());
      }
    }
    return result;
  }

  @Override
  KfacClassificationModel make(KfacModel.Trained trained, StructType schema) {
    return new KfacClassificationModel(uid(), trained)
        .withLabels(labels(schema.apply(getLabelCol())));
  }

  public Param<String> labelCol() {
    return labelCol;
  }

  public String getLabelCol() {
    return getOrDefault(labelCol);
  }

  public KfacClassifier setLabelCol(String value) {
    return with(labelCol, value);
  }

  public Param<String> predictionCol() {
    return predictionCol;
  }

  public String getPredictionCol() {
    return getOrDefault(predictionCol);
  }

  public KfacClassifier setPredictionCol(String value) {
    return with(predictionCol, value);
  }

  public Param<String> rawPredictionCol() {
    return rawPredictionCol;
  }

  public String getRawPredictionCol() {
    return getOrDefault(rawPredictionCol);
  }

  public KfacClassifier setRawPredictionCol(String value) {
    return with(rawPredictionCol, value);
  }

  public Param<String> probabilityCol() {
    return probabilityCol;
  }

  public String getProbabilityCol() {
    return getOrDefault(probabilityCol);
  }

  public KfacClassifier setProbabilityCol(String value) {
    return with(probabilityCol, value);
  }

  public DoubleArrayParam thresholds() {
    return thresholds;
  }

  public double[] getThresholds() {
    return getOrDefault(thresholds).clone();
  }

  public KfacClassifier setThresholds(double[] value) {
    return with(thresholds, value.clone());
  }
}
