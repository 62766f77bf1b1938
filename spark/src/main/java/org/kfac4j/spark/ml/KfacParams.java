package org.kfac4j.spark.ml;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.ml.Estimator;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.ml.param.DoubleParam;
import org.apache.spark.ml.param.IntArrayParam;
import org.apache.spark.ml.param.IntParam;
import org.apache.spark.ml.param.LongParam;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamValidators;
import org.apache.spark.ml.param.StringArrayParam;
import org.apache.spark.ml.util.DefaultParamsWritable;
import org.kfac4j.Settings;
import org.kfac4j.network.ModelSettings;
import org.kfac4j.optimizer.DefaultDamping;

/**
 * Parameters that all Estimators have: of network, optimizer and training, each with the default of
 * the setting of the job {@code train} that it stands for; any other setting by {@link #settings}.
 *
 * @param <E> the kind of Estimator
 * @param <M> the kind of Model that it makes
 */
public abstract class KfacParams<E extends KfacParams<E, M>, M extends KfacModel<M>>
    extends Estimator<M> implements DefaultParamsWritable {
  private static final long serialVersionUID = 1L;

  private final String uid;
  private final List<SettingParam> translated = new ArrayList<>();

  private final Param<String> featuresCol;
  private final Param<String> weightCol;
  private final Param<String> validationIndicatorCol;
  private final IntArrayParam layers;
  private final Param<String> activation;
  private final Param<String> init;
  private final Param<String> model;
  private final IntArrayParam inputShape;
  private final Param<Vector> initialWeights;
  private final Param<String> optimizer;
  private final Param<String> preconditioner;
  private final DoubleParam damping;
  private final DoubleParam learningRate;
  private final DoubleParam regParam;
  private final IntParam statisticsPeriod;
  private final IntParam inversePeriod;
  private final IntParam maxIter;
  private final IntParam batchSize;
  private final IntParam blockSize;
  private final LongParam seed;
  private final DoubleParam averaging;
  private final IntParam evaluateEvery;
  private final IntParam patience;
  private final IntParam numPartitions;
  private final StringArrayParam settings;

  /** A parameter and the setting that it stands for. */
  private record SettingParam(Param<?> param, String key) implements java.io.Serializable {}

  /**
   * @param uid first of all: every parameter notes its owner's
   */
  KfacParams(String uid) {
    this.uid = uid;
    Settings defaults = Settings.load(getClass().getSimpleName(), "", preset());
    featuresCol = column("featuresCol", Texts.FEATURES, "features");
    weightCol = column("weightCol", "column of weights of rows; all 1 if empty", "");
    validationIndicatorCol =
        column(
            "validationIndicatorCol",
            "boolean column that is true for rows to evaluate with, not to train on; none if empty",
            "");
    layers =
        new IntArrayParam(
            this, "layers", "widths of dense layers from input to output; empty with model");
    setDefault(layers, new int[0]);
    model =
        column(
            "model",
            "a network instead of layers: DL4J's MultiLayerConfiguration or ComputationGraphConfiguration as JSON",
            "");
    inputShape = new IntArrayParam(this, "inputShape", Texts.SHAPE);
    setDefault(inputShape, new int[0]);
    initialWeights =
        new Param<>(this, "initialWeights", "weights to start from, as a model's weights() gives");
    settings =
        new StringArrayParam(
            this,
            "settings",
            "any settings of the job train, each key=value; they win over other parameters");
    setDefault(settings, new String[0]);
    activation =
        text(
            "activation",
            "model.activation",
            "of the hidden layers of layers, DL4J's name",
            defaults);
    init = text("init", "model.init", "scheme of initial weights, of layers", defaults);
    setDefault(init, ModelSettings.defaultInit(defaults));
    optimizer = text("optimizer", "optimizer.name", "kfac or a first-order method", defaults);
    preconditioner =
        text("preconditioner", "optimizer.preconditioner", "member of the K-FAC family", defaults);
    damping = new DoubleParam(this, "damping", "λ at the start (> 0)", ParamValidators.gt(0));
    setDefault(damping, DefaultDamping.of(defaults));
    translated.add(new SettingParam(damping, "optimizer.damping.initial"));
    learningRate =
        number(
            "learningRate",
            "optimizer.learning-rate.initial",
            "of first-order methods and scheduled steps (> 0)",
            false,
            defaults);
    regParam = number("regParam", "optimizer.l2", "η of every parameter, L2 (≥ 0)", true, defaults);
    averaging =
        number(
            "averaging", "training.averaging", "ξ of averaged weights, in [0, 1)", true, defaults);
    statisticsPeriod =
        integer(
            "statisticsPeriod",
            "curvature.statistics-period",
            "iterations between statistics (≥ 1)",
            1,
            defaults);
    inversePeriod =
        integer(
            "inversePeriod",
            "curvature.inverse-period",
            "iterations between inverses (≥ 1)",
            1,
            defaults);
    maxIter = integer("maxIter", "training.iterations", "iterations at most (≥ 1)", 1, defaults);
    batchSize =
        integer(
            "batchSize",
            "training.batch-size",
            "rows of an iteration (≥ 1); all rows if there are fewer",
            1,
            defaults);
    blockSize =
        integer("blockSize", "training.block-rows", "rows computed at a time (≥ 1)", 1, defaults);
    evaluateEvery =
        integer(
            "evaluateEvery",
            "training.evaluate-every",
            "iterations between evaluations on the validation rows, 0 for the end only",
            0,
            defaults);
    patience =
        integer(
            "patience",
            "training.patience",
            "evaluations without improvement until training stops, 0 for never",
            0,
            defaults);
    numPartitions =
        integer(
            "numPartitions",
            "data.partitions",
            "partitions of the rows, 0 for as many as tasks run at a time",
            0,
            defaults);
    seed = new LongParam(this, "seed", "of initial weights, batches and sampled targets");
    setDefault(seed, defaults.longValue("training.seed"));
    translated.add(new SettingParam(seed, "training.seed"));
  }

  final Param<String> column(String name, String doc, String otherwise) {
    Param<String> param = new Param<>(this, name, doc);
    setDefault(param, otherwise);
    return param;
  }

  private Param<String> text(String name, String key, String doc, Settings defaults) {
    Param<String> param = column(name, doc, defaults.text(key));
    translated.add(new SettingParam(param, key));
    return param;
  }

  /** Has a parameter stand for a setting, with its default. */
  final void translate(Param<String> param, String key) {
    setDefault(param, Settings.load(uid, "", List.of()).text(key));
    translated.add(new SettingParam(param, key));
  }

  private DoubleParam number(String name, String key, String doc, boolean zero, Settings defaults) {
    DoubleParam param =
        new DoubleParam(this, name, doc, zero ? ParamValidators.gtEq(0) : ParamValidators.gt(0));
    setDefault(param, defaults.doubleValue(key));
    translated.add(new SettingParam(param, key));
    return param;
  }

  private IntParam integer(String name, String key, String doc, int least, Settings defaults) {
    IntParam param = new IntParam(this, name, doc, ParamValidators.gtEq(least));
    setDefault(param, (int) defaults.longValue(key));
    translated.add(new SettingParam(param, key));
    return param;
  }

  @SuppressWarnings("unchecked")
  final <T> E with(Param<T> param, T value) {
    set(param, value);
    return (E) this;
  }

  @SuppressWarnings("unchecked")
  private E withNumber(Param<Object> param, Object value) {
    set(param, value);
    return (E) this;
  }

  @Override
  public String uid() {
    return uid;
  }

  /** All settings of the job {@code train}, as the parameters say. */
  final Settings resolved() {
    List<String> overrides = new ArrayList<>(preset());
    int[] widths = getLayers();
    if (widths.length > 0) {
      overrides.add("model.layers=" + Arrays.toString(widths));
    }
    for (SettingParam each : translated) {
      if (isSet(each.param)) {
        overrides.add(each.key + "=" + getOrDefault(each.param));
      }
    }
    overrides.addAll(List.of(getSettings()));
    return Settings.load(uid, "", overrides);
  }

  /** Settings that the kind of Estimator decides; asked for before it has any fields. */
  abstract List<String> preset();

  // Parameters: accessor, value, setter.

  public Param<String> featuresCol() {
    return featuresCol;
  }

  public String getFeaturesCol() {
    return getOrDefault(featuresCol);
  }

  public E setFeaturesCol(String value) {
    return with(featuresCol, value);
  }

  public Param<String> weightCol() {
    return weightCol;
  }

  public String getWeightCol() {
    return getOrDefault(weightCol);
  }

  public E setWeightCol(String value) {
    return with(weightCol, value);
  }

  public Param<String> validationIndicatorCol() {
    return validationIndicatorCol;
  }

  public String getValidationIndicatorCol() {
    return getOrDefault(validationIndicatorCol);
  }

  public E setValidationIndicatorCol(String value) {
    return with(validationIndicatorCol, value);
  }

  public IntArrayParam layers() {
    return layers;
  }

  public int[] getLayers() {
    return getOrDefault(layers).clone();
  }

  public E setLayers(int[] value) {
    return with(layers, value.clone());
  }

  public Param<String> activation() {
    return activation;
  }

  public String getActivation() {
    return getOrDefault(activation);
  }

  public E setActivation(String value) {
    return with(activation, value);
  }

  public Param<String> init() {
    return init;
  }

  public String getInit() {
    return getOrDefault(init);
  }

  public E setInit(String value) {
    return with(init, value);
  }

  public Param<String> model() {
    return model;
  }

  public String getModel() {
    return getOrDefault(model);
  }

  public E setModel(String value) {
    return with(model, value);
  }

  public IntArrayParam inputShape() {
    return inputShape;
  }

  public int[] getInputShape() {
    return getOrDefault(inputShape).clone();
  }

  public E setInputShape(int[] value) {
    return with(inputShape, value.clone());
  }

  public Param<Vector> initialWeights() {
    return initialWeights;
  }

  public Vector getInitialWeights() {
    return getOrDefault(initialWeights);
  }

  public E setInitialWeights(Vector value) {
    return with(initialWeights, value);
  }

  public Param<String> optimizer() {
    return optimizer;
  }

  public String getOptimizer() {
    return getOrDefault(optimizer);
  }

  public E setOptimizer(String value) {
    return with(optimizer, value);
  }

  public Param<String> preconditioner() {
    return preconditioner;
  }

  public String getPreconditioner() {
    return getOrDefault(preconditioner);
  }

  public E setPreconditioner(String value) {
    return with(preconditioner, value);
  }

  public DoubleParam damping() {
    return damping;
  }

  public double getDamping() {
    return (double) getOrDefault(damping);
  }

  public E setDamping(double value) {
    return withNumber(damping, value);
  }

  public DoubleParam learningRate() {
    return learningRate;
  }

  public double getLearningRate() {
    return (double) getOrDefault(learningRate);
  }

  public E setLearningRate(double value) {
    return withNumber(learningRate, value);
  }

  public DoubleParam regParam() {
    return regParam;
  }

  public double getRegParam() {
    return (double) getOrDefault(regParam);
  }

  public E setRegParam(double value) {
    return withNumber(regParam, value);
  }

  public DoubleParam averaging() {
    return averaging;
  }

  public double getAveraging() {
    return (double) getOrDefault(averaging);
  }

  public E setAveraging(double value) {
    return withNumber(averaging, value);
  }

  public IntParam statisticsPeriod() {
    return statisticsPeriod;
  }

  public int getStatisticsPeriod() {
    return (int) getOrDefault(statisticsPeriod);
  }

  public E setStatisticsPeriod(int value) {
    return withNumber(statisticsPeriod, value);
  }

  public IntParam inversePeriod() {
    return inversePeriod;
  }

  public int getInversePeriod() {
    return (int) getOrDefault(inversePeriod);
  }

  public E setInversePeriod(int value) {
    return withNumber(inversePeriod, value);
  }

  public IntParam maxIter() {
    return maxIter;
  }

  public int getMaxIter() {
    return (int) getOrDefault(maxIter);
  }

  public E setMaxIter(int value) {
    return withNumber(maxIter, value);
  }

  public IntParam batchSize() {
    return batchSize;
  }

  public int getBatchSize() {
    return (int) getOrDefault(batchSize);
  }

  public E setBatchSize(int value) {
    return withNumber(batchSize, value);
  }

  public IntParam blockSize() {
    return blockSize;
  }

  public int getBlockSize() {
    return (int) getOrDefault(blockSize);
  }

  public E setBlockSize(int value) {
    return withNumber(blockSize, value);
  }

  public LongParam seed() {
    return seed;
  }

  public long getSeed() {
    return (long) getOrDefault(seed);
  }

  public E setSeed(long value) {
    return withNumber(seed, value);
  }

  public IntParam evaluateEvery() {
    return evaluateEvery;
  }

  public int getEvaluateEvery() {
    return (int) getOrDefault(evaluateEvery);
  }

  public E setEvaluateEvery(int value) {
    return withNumber(evaluateEvery, value);
  }

  public IntParam patience() {
    return patience;
  }

  public int getPatience() {
    return (int) getOrDefault(patience);
  }

  public E setPatience(int value) {
    return withNumber(patience, value);
  }

  public IntParam numPartitions() {
    return numPartitions;
  }

  public int getNumPartitions() {
    return (int) getOrDefault(numPartitions);
  }

  public E setNumPartitions(int value) {
    return withNumber(numPartitions, value);
  }

  public StringArrayParam settings() {
    return settings;
  }

  public String[] getSettings() {
    return getOrDefault(settings).clone();
  }

  public E setSettings(String[] value) {
    return with(settings, value.clone());
  }
}
