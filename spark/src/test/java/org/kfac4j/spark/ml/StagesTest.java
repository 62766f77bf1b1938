package org.kfac4j.spark.ml;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.ml.util.MLWritable;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.streaming.StreamingQuery;
import org.apache.spark.sql.types.StructType;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.kfac4j.InvalidInputException;
import org.kfac4j.Settings;

/** What every stage promises; stages are found, not listed. */
class StagesTest {
  private static final int COUNT = 60;

  private static SparkSession session;
  private static Dataset<Row> data;

  @TempDir Path folder;

  @BeforeAll
  static void start() {
    session = Stages.session();
    data = Stages.data(session, COUNT);
  }

  @AfterAll
  static void stop() {
    session.stop();
  }

  static Stream<KfacEstimator<?, ?>> estimators() {
    return Stages.estimators().stream();
  }

  @Test
  void allStagesAreFound() {
    assertThat(Stages.classes().stream().map(Class::getSimpleName))
        .containsExactlyInAnyOrder(
            "KfacClassifier",
            "KfacRegressor",
            "KfacAutoencoder",
            "KfacClassificationModel",
            "KfacRegressionModel",
            "KfacAutoencoderModel");
    assertThat(Stages.estimators()).hasSize(3);
  }

  private static List<PipelineStage> stages() {
    List<PipelineStage> stages = new ArrayList<>();
    for (KfacEstimator<?, ?> each : Stages.estimators()) {
      stages.add(each);
      stages.add(each.fit(data));
    }
    return stages;
  }

  @Test
  void everyParameterHasDocumentationGetterAndSetterAndIsCopied() throws Exception {
    for (PipelineStage stage : stages()) {
      for (Param<?> param : stage.params()) {
        String name =
            param.name().substring(0, 1).toUpperCase(java.util.Locale.ROOT)
                + param.name().substring(1);
        assertThat(param.doc()).as(param.toString()).isNotBlank();
        assertThat(param.parent()).isEqualTo(stage.uid());
        assertThat(stage.hasDefault(param) || param.name().equals("initialWeights")).isTrue();
        Method get = stage.getClass().getMethod("get" + name);
        if (!stage.isDefined(param)) {
          continue;
        }
        Object value = get.invoke(stage);
        boolean derived =
            param.name().equals("labels")
                || (stage instanceof KfacModel<?> && param.name().equals("inputShape"));
        if (!derived) {
          Object same =
              Arrays.stream(stage.getClass().getMethods())
                  .filter(each -> each.getName().equals("set" + name))
                  .findFirst()
                  .orElseThrow(() -> new AssertionError("no setter for " + param))
                  .invoke(stage, value);
          assertThat(same).isSameAs(stage);
        }
      }
      PipelineStage copy = stage.copy(ParamMap.empty());
      assertThat(copy).isNotSameAs(stage).isInstanceOf(stage.getClass());
      assertThat(copy.uid()).isEqualTo(stage.uid());
      assertThat(values(copy)).isEqualTo(values(stage));
    }
  }

  private static List<String> values(PipelineStage stage) {
    List<String> values = new ArrayList<>();
    for (Param<?> param : stage.params()) {
      values.add(
          param.name() + "=" + (stage.isDefined(param) ? encoded(stage, param) : "undefined"));
    }
    return values;
  }

  private static <T> String encoded(PipelineStage stage, Param<T> param) {
    return param.jsonEncode(stage.getOrDefault(param));
  }

  @Test
  void defaultsAreTheJobsDefaults() {
    for (KfacEstimator<?, ?> each :
        List.of(new KfacClassifier(), new KfacRegressor(), new KfacAutoencoder())) {
      Settings jobs = Settings.load("jobs", "", List.of());
      assertThat(each.getMaxIter()).isEqualTo(jobs.positiveInt("training.iterations"));
      assertThat(each.getBatchSize()).isEqualTo(jobs.positiveInt("training.batch-size"));
      assertThat(each.getRegParam()).isEqualTo(jobs.doubleValue("optimizer.l2"));
      assertThat(each.getPreconditioner()).isEqualTo("kfac");
      boolean autoencoder = each instanceof KfacAutoencoder;
      assertThat(each.getDamping()).isEqualTo(autoencoder ? 150 : 0.1);
      assertThat(each.getInit()).isEqualTo(autoencoder ? "sparse" : "xavier");
    }
  }

  @ParameterizedTest
  @MethodSource("estimators")
  void wrongParametersAreRefused(KfacEstimator<?, ?> estimator) {
    assertThatThrownBy(() -> estimator.setMaxIter(0)).hasMessageContaining("maxIter");
    assertThatThrownBy(() -> estimator.setDamping(0)).hasMessageContaining("damping");
    assertThatThrownBy(() -> estimator.setBatchSize(-1)).hasMessageContaining("batchSize");
    estimator.setOptimizer("newton");
    assertRefused(() -> estimator.fit(data), "optimizer.name", "newton");
    estimator.setOptimizer("kfac").setPreconditioner("ekfax");
    assertRefused(() -> estimator.transformSchema(data.schema()), "ekfax", "ekfac");
    estimator.setPreconditioner("kfac");
    estimator.setSettings(new String[] {"training.iterationz=3"});
    assertRefused(() -> estimator.fit(data), "training.iterationz", "training.iterations");
    estimator.setSettings(new String[0]);
    estimator.setModel("{}");
    assertRefused(() -> estimator.fit(data), "exactly one of layers and model");
    estimator.setLayers(new int[0]);
    assertRefused(() -> estimator.fit(data), estimator.uid() + ".model");
    estimator.setModel("");
    assertRefused(() -> estimator.fit(data), "exactly one of layers and model");
    estimator.setLayers(new int[] {5, 3, 5});
    assertRefused(() -> estimator.fit(data), "5");
  }

  private static void assertRefused(
      org.assertj.core.api.ThrowableAssert.ThrowingCallable call, String... parts) {
    assertThatThrownBy(call)
        .isInstanceOf(InvalidInputException.class)
        .satisfies(e -> assertThat(e.getMessage().lines()).as(e.getMessage()).hasSize(1))
        .satisfies(e -> assertThat(e.getMessage()).contains(parts));
  }

  /** Before anything is read. */
  @ParameterizedTest
  @MethodSource("estimators")
  void wrongSchemasAreRefusedByColumn(KfacEstimator<?, ?> estimator) {
    assertRefused(() -> estimator.transformSchema(data.drop("features").schema()), "features");
    assertRefused(
        () ->
            estimator.transformSchema(data.withColumn("features", functions.lit("text")).schema()),
        "features",
        "string");
    if (!(estimator instanceof KfacAutoencoder)) {
      assertRefused(() -> estimator.transformSchema(data.drop("label").schema()), "label");
      assertRefused(
          () -> estimator.transformSchema(data.withColumn("label", functions.lit("a")).schema()),
          "label");
    }
    for (String added : added(estimator)) {
      Dataset<Row> taken = data.withColumn(added, functions.lit(1));
      assertRefused(() -> estimator.transformSchema(taken.schema()), added, "already");
    }
    estimator.setWeightCol("nothing");
    assertRefused(() -> estimator.transformSchema(data.schema()), "weightCol", "nothing");
    estimator.setWeightCol("").setValidationIndicatorCol("weight");
    assertRefused(() -> estimator.transformSchema(data.schema()), "validationIndicatorCol");
    Dataset<Row> wide = vectors(data.drop("validation"), "wide", 7);
    estimator.setValidationIndicatorCol("").setFeaturesCol("wide");
    assertRefused(() -> estimator.fit(wide), "wide", "4 numbers", "7");
  }

  private static Dataset<Row> vectors(Dataset<Row> of, String name, int size) {
    return of.withColumn(
        name,
        functions
            .udf(
                (Object ignored) -> org.apache.spark.ml.linalg.Vectors.dense(new double[size]),
                org.apache.spark.ml.linalg.SQLDataTypes.VectorType())
            .apply(functions.lit(1)));
  }

  private static List<String> added(KfacEstimator<?, ?> estimator) {
    List<String> names =
        new ArrayList<>(List.of(estimator.transformSchema(data.schema()).fieldNames()));
    names.removeAll(List.of(data.schema().fieldNames()));
    assertThat(names).isNotEmpty();
    return names;
  }

  @ParameterizedTest
  @MethodSource("estimators")
  void aModelAddsTheColumnsThatTheEstimatorSaid(KfacEstimator<?, ?> estimator) {
    KfacModel<?> model = estimator.fit(data);
    StructType said = estimator.transformSchema(data.schema());
    assertThat(model.transformSchema(data.schema())).isEqualTo(said);
    Dataset<Row> scored = model.transform(data);
    assertThat(scored.schema().fieldNames()).isEqualTo(said.fieldNames());
    for (String name : said.fieldNames()) {
      assertThat(scored.schema().apply(name).dataType()).isEqualTo(said.apply(name).dataType());
      assertThat(scored.schema().apply(name).metadata()).isEqualTo(said.apply(name).metadata());
    }
    assertThat(scored.drop(added(estimator).toArray(String[]::new)).collectAsList())
        .isEqualTo(data.collectAsList());
    assertThat(model.hasSummary()).isTrue();
    assertThat(model.summary().objectiveHistory()).hasSize(3);
    assertThat(model.summary().totalIterations()).isEqualTo(3);
    assertThat(model.getFeaturesCol()).isEqualTo("features");
    assertThat(model.parent()).isSameAs(estimator);
  }

  @ParameterizedTest
  @MethodSource("estimators")
  void whatIsSavedIsLoaded(KfacEstimator<?, ?> estimator) throws Exception {
    String at = folder.resolve("estimator").toString();
    estimator.write().save(at);
    KfacEstimator<?, ?> again = (KfacEstimator<?, ?>) load(estimator, at);
    assertThat(values(again)).isEqualTo(values(estimator));
    KfacModel<?> model = estimator.fit(data);
    assertThat(again.fit(data).weights()).isEqualTo(model.weights());
    String there = folder.resolve("model").toString();
    model.write().save(there);
    assertThatThrownBy(() -> model.write().save(there)).hasMessageContaining("already exists");
    model.write().overwrite().save(there);
    KfacModel<?> loaded = (KfacModel<?>) load(model, there);
    assertThat(values(loaded)).isEqualTo(values(model));
    assertThat(loaded.weights()).isEqualTo(model.weights());
    assertThat(loaded.hasSummary()).isFalse();
    assertThatThrownBy(loaded::summary).hasMessageContaining(loaded.uid());
    assertThat(loaded.transform(data).collectAsList())
        .isEqualTo(model.transform(data).collectAsList());
    // DL4J reads the network without Spark.
    assertThat(
            ModelSerializer.restoreMultiLayerNetwork(Path.of(there, "model.zip").toFile())
                .numParams())
        .isEqualTo(model.weights().size());
    PipelineModel pipeline = new Pipeline().setStages(new PipelineStage[] {estimator}).fit(data);
    String pipelineAt = folder.resolve("pipeline").toString();
    pipeline.write().save(pipelineAt);
    assertThat(PipelineModel.load(pipelineAt).transform(data).collectAsList())
        .isEqualTo(pipeline.transform(data).collectAsList());
  }

  private static Object load(MLWritable stage, String path) throws Exception {
    return ((MLReader<?>) stage.getClass().getMethod("read").invoke(null)).load(path);
  }

  @ParameterizedTest
  @MethodSource("estimators")
  void aDamagedOrForeignDirectoryIsRefused(KfacEstimator<?, ?> estimator) throws Exception {
    KfacModel<?> model = estimator.fit(data);
    Path good = folder.resolve("good");
    model.write().save(good.toString());
    MLReader<?> reader = (MLReader<?>) model.getClass().getMethod("read").invoke(null);
    assertRefused(() -> reader.load(folder.resolve("nothing").toString()), "no metadata");
    Path network = good.resolve("model.zip");
    byte[] bytes = Files.readAllBytes(network);
    Files.write(network, Arrays.copyOf(bytes, bytes.length / 2));
    assertRefused(() -> reader.load(good.toString()), "model.zip");
    Files.delete(network);
    assertRefused(() -> reader.load(good.toString()), "model.zip");
    Path foreign = folder.resolve("foreign");
    estimator.write().save(foreign.toString());
    assertRefused(
        () -> reader.load(foreign.toString()),
        estimator.getClass().getSimpleName(),
        model.getClass().getSimpleName());
    try (Stream<Path> parts = Files.list(good.resolve("metadata"))) {
      for (Path part :
          parts.filter(each -> each.getFileName().toString().startsWith("part")).toList()) {
        Files.deleteIfExists(part.resolveSibling("." + part.getFileName() + ".crc"));
        Files.writeString(part, "{ not json");
      }
    }
    assertRefused(() -> reader.load(good.toString()), "damaged metadata");
  }

  /** Dense, sparse, array<double> and array<float>. */
  @ParameterizedTest
  @MethodSource("estimators")
  void kindsOfFeaturesDoNotMatter(KfacEstimator<?, ?> estimator) {
    Vector expected = estimator.fit(data).weights();
    Dataset<Row> sparse =
        Stages.data(
            session,
            Stages.rows(COUNT).stream()
                .map(
                    row ->
                        RowFactory.create(
                            row.get(0),
                            ((Vector) row.get(1)).toSparse(),
                            row.get(2),
                            row.get(3),
                            row.get(4)))
                .toList());
    assertThat(estimator.fit(sparse).weights()).isEqualTo(expected);
    for (String type : List.of("float64", "float32")) {
      Dataset<Row> arrays =
          data.withColumn(
              "features",
              org.apache.spark.ml.functions.vector_to_array(functions.col("features"), type));
      KfacModel<?> model = estimator.fit(arrays);
      assertThat(model.weights()).as(type).isEqualTo(expected);
      String last = added(estimator).get(added(estimator).size() - 1);
      assertThat(model.transform(arrays).select(last).collectAsList())
          .isEqualTo(model.transform(sparse).select(last).collectAsList());
    }
  }

  @ParameterizedTest
  @MethodSource("estimators")
  void weightsAreRepeatedRows(KfacEstimator<?, ?> estimator) {
    estimator
        .setBatchSize(1000)
        .setSettings(
            new String[] {
              "training.precision=double",
              "curvature.fisher=exact",
              "curvature.statistics-fraction=1",
              "curvature.products-fraction=1"
            });
    List<Row> repeated = new ArrayList<>();
    for (Row row : Stages.rows(COUNT)) {
      for (int copy = 0; copy < row.getDouble(3); copy++) {
        repeated.add(row);
      }
    }
    double[] expected = estimator.fit(Stages.data(session, repeated)).weights().toArray();
    estimator.setWeightCol("weight");
    double[] actual = estimator.fit(data).weights().toArray();
    for (int i = 0; i < expected.length; i++) {
      assertThat(actual[i]).isCloseTo(expected[i], within(2e-6));
    }
    estimator.setWeightCol("");
    assertThat(estimator.fit(data).weights().toArray()).isNotEqualTo(actual);
    Dataset<Row> none = data.withColumn("weight", functions.expr("if(id < 30, 0.0, 1.0)"));
    estimator.setWeightCol("weight");
    Vector half = estimator.fit(none).weights();
    estimator.setWeightCol("");
    assertThat(estimator.fit(data.filter("id >= 30")).weights().toArray())
        .usingComparatorWithPrecision(2e-6)
        .containsExactly(half.toArray());
  }

  @ParameterizedTest
  @MethodSource("estimators")
  void streamingIsScoredAsBatchesAre(KfacEstimator<?, ?> estimator) throws Exception {
    KfacModel<?> model = estimator.fit(data);
    Path in = folder.resolve("in");
    data.repartition(3).write().parquet(in.toString());
    Dataset<Row> stream = session.readStream().schema(data.schema()).parquet(in.toString());
    StreamingQuery query =
        model
            .transform(stream)
            .writeStream()
            .format("memory")
            .queryName("scored_" + estimator.uid())
            .start();
    query.processAllAvailable();
    query.stop();
    assertThat(session.table("scored_" + estimator.uid()).orderBy("id").collectAsList())
        .isEqualTo(model.transform(data).orderBy("id").collectAsList());
  }

  @ParameterizedTest
  @MethodSource("estimators")
  void validationRowsAreEvaluatedNotTrainedOn(KfacEstimator<?, ?> estimator) {
    estimator.setValidationIndicatorCol("validation").setEvaluateEvery(1);
    KfacModel<?> model = estimator.fit(data);
    assertThat(model.summary().history()).allMatch(each -> each.evaluation() != null);
    // Without the choice of the best evaluation's weights, those rows have no influence.
    estimator.setAveraging(0).setSettings(new String[] {"training.restore-best=false"});
    Vector expected = estimator.fit(data).weights();
    estimator.setValidationIndicatorCol("");
    assertThat(estimator.fit(data.filter("not validation")).weights()).isEqualTo(expected);
  }

  @ParameterizedTest
  @MethodSource("estimators")
  void wrongRowsAreRefusedByColumnAndRule(KfacEstimator<?, ?> estimator) {
    Dataset<Row> nan = data.withColumn("features", feature("if(id = 17, double('NaN'), 0.5)"));
    assertRefused(() -> estimator.fit(nan), "column features", "element 1", "finite", "NaN");
    Dataset<Row> absent =
        data.withColumn("features", functions.expr("if(id = 17, null, features)"));
    assertRefused(() -> estimator.fit(absent), "column features must not be null");
    Dataset<Row> empty = data.filter("id < 0");
    assertRefused(() -> estimator.fit(empty), "no rows");
    estimator.setWeightCol("weight");
    Dataset<Row> negative = data.withColumn("weight", functions.expr("if(id = 5, -1.0, 1.0)"));
    assertRefused(() -> estimator.fit(negative), "column weight", "-1.0");
    estimator.setWeightCol("");
    if (estimator instanceof KfacClassifier) {
      for (String wrong : List.of("1.5", "3.0", "-1.0", "double('NaN')", "null")) {
        Dataset<Row> labels =
            data.withColumn("label", functions.expr("if(id = 40, " + wrong + ", label)"));
        assertRefused(() -> estimator.fit(labels), "column label");
      }
    }
    // The context lives, and nothing is left in it.
    KfacModel<?> model = estimator.fit(data.repartition(7).filter("id % 7 < 2"));
    assertThat(JavaSparkContext.fromSparkContext(session.sparkContext()).getPersistentRDDs())
        .isEmpty();
    assertThatThrownBy(() -> model.transform(nan).collectAsList())
        .hasStackTraceContaining("column features: element 1 must be a finite number");
  }

  private static org.apache.spark.sql.Column feature(String second) {
    return org.apache.spark.ml.functions.array_to_vector(
        functions.expr("array(0.5D, double(" + second + "), 0.5D, 0.5D)"));
  }

  /** For functions that users write around a model. */
  @ParameterizedTest
  @MethodSource("estimators")
  void aFreshModelCanBeSent(KfacEstimator<?, ?> estimator) throws Exception {
    KfacModel<?> model = estimator.fit(data);
    java.io.ByteArrayOutputStream bytes = new java.io.ByteArrayOutputStream();
    new java.io.ObjectOutputStream(bytes).writeObject(model);
    KfacModel<?> sent =
        (KfacModel<?>)
            new java.io.ObjectInputStream(new java.io.ByteArrayInputStream(bytes.toByteArray()))
                .readObject();
    assertThat(sent.weights()).isEqualTo(model.weights());
    assertThat(sent.transform(data).collectAsList())
        .isEqualTo(model.transform(data).collectAsList());
  }

  @ParameterizedTest
  @MethodSource("estimators")
  void settingsThatDoNotServeAreRefusedBeforeRowsAreRead(KfacEstimator<?, ?> estimator) {
    for (String wrong : List.of("training.block-rows=0", "training.device=tpu")) {
      estimator.setSettings(new String[] {wrong});
      assertRefused(() -> estimator.transformSchema(data.schema()), wrong.split("=")[0]);
    }
    estimator.setSettings(new String[] {"training.device=gpu"});
    assertRefused(() -> estimator.fit(data), "training.device = gpu", "was given no GPU");
    assertThat(JavaSparkContext.fromSparkContext(session.sparkContext()).getPersistentRDDs())
        .isEmpty();
  }

  @ParameterizedTest
  @MethodSource("estimators")
  void oneRowIsPredictedAsATableIs(KfacEstimator<?, ?> estimator) {
    KfacModel<?> model = estimator.fit(data);
    Row first = model.transform(data).first();
    Vector features = first.getAs("features");
    if (model instanceof KfacClassificationModel classifier) {
      assertThat(classifier.predict(features)).isEqualTo((double) first.getAs("prediction"));
      assertClose(classifier.predictRaw(features), first.getAs("rawPrediction"));
      assertClose(classifier.predictProbability(features), first.getAs("probability"));
      assertThat(Arrays.stream(classifier.predictProbability(features).toArray()).sum())
          .isCloseTo(1, within(1e-12));
    } else if (model instanceof KfacRegressionModel regression) {
      assertThat(regression.predict(features))
          .isCloseTo((double) first.getAs("prediction"), within(1e-6));
    } else {
      Vector reconstruction = ((KfacAutoencoderModel) model).predict(features);
      assertClose(reconstruction, first.getAs("reconstruction"));
      double error = 0;
      for (int i = 0; i < features.size(); i++) {
        error += Math.pow(reconstruction.apply(i) - features.apply(i), 2);
      }
      assertThat((double) first.getAs("reconstructionError")).isCloseTo(error, within(1e-6));
      assertThat(((Vector) first.getAs("encoding")).size()).isEqualTo(2);
    }
  }

  private static void assertClose(Vector actual, Vector expected) {
    assertThat(actual.toArray())
        .usingComparatorWithPrecision(1e-6)
        .containsExactly(expected.toArray());
  }

  @ParameterizedTest
  @MethodSource("estimators")
  void trainingGoesOnFromAModelsWeights(KfacEstimator<?, ?> estimator) {
    KfacModel<?> first = estimator.setMaxIter(20).fit(data);
    estimator.setInitialWeights(first.weights()).setMaxIter(1);
    double[] history = estimator.fit(data).summary().objectiveHistory();
    assertThat(history[0]).isLessThan(first.summary().objectiveHistory()[0]);
    estimator.setInitialWeights(org.apache.spark.ml.linalg.Vectors.dense(1, 2));
    assertRefused(() -> estimator.fit(data), "initialWeights", "got 2");
  }
}
