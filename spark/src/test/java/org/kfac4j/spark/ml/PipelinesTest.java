package org.kfac4j.spark.ml;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.ml.attribute.Attribute;
import org.apache.spark.ml.attribute.NominalAttribute;
import org.apache.spark.ml.evaluation.MulticlassClassificationEvaluator;
import org.apache.spark.ml.feature.IndexToString;
import org.apache.spark.ml.feature.StringIndexer;
import org.apache.spark.ml.feature.VectorAssembler;
import org.apache.spark.ml.image.ImageSchema;
import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.tuning.CrossValidator;
import org.apache.spark.ml.tuning.CrossValidatorModel;
import org.apache.spark.ml.tuning.ParamGridBuilder;
import org.apache.spark.ml.tuning.TrainValidationSplit;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.kfac4j.InvalidInputException;
import org.kfac4j.training.IterationRecord;
import org.kfac4j.training.TrainingListener;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;

/** The Estimators among Spark ML's own stages, and what each kind of them does. */
class PipelinesTest {
  private static SparkSession session;
  private static Dataset<Row> data;

  @BeforeAll
  static void start() {
    session = Stages.session();
    data = Stages.data(session, 150);
  }

  @AfterAll
  static void stop() {
    session.stop();
  }

  private static KfacClassifier classifier() {
    return new KfacClassifier().setLayers(new int[] {4, 6, 3}).setMaxIter(30);
  }

  private static double accuracy(Dataset<Row> scored) {
    return new MulticlassClassificationEvaluator().setMetricName("accuracy").evaluate(scored);
  }

  /** Names of labels go through to the prediction. */
  @Test
  void aPipelineOfIndexedLabelsAndAssembledFeatures() {
    Dataset<Row> table =
        data.withColumn(
                "kind", functions.expr("element_at(array('ant', 'bee', 'cat'), int(label) + 1)"))
            .withColumn(
                "array",
                org.apache.spark.ml.functions.vector_to_array(
                    functions.col("features"), "float64"));
    for (int i = 0; i < 4; i++) {
      table = table.withColumn("x." + i, functions.col("array").getItem(i));
    }
    table = table.drop("label", "features", "array");
    for (String name : table.columns()) {
      table = table.withColumnRenamed(name, name.replace('.', '_'));
    }
    PipelineModel model =
        new Pipeline()
            .setStages(
                new PipelineStage[] {
                  new StringIndexer()
                      .setInputCol("kind")
                      .setOutputCol("label")
                      .setStringOrderType("alphabetDesc"),
                  new VectorAssembler()
                      .setInputCols(new String[] {"x_0", "x_1", "x_2", "x_3"})
                      .setOutputCol("features"),
                  classifier(),
                  new IndexToString().setInputCol("prediction").setOutputCol("said")
                })
            .fit(table);
    Dataset<Row> scored = model.transform(table);
    assertThat(accuracy(scored)).isGreaterThan(0.85);
    assertThat(scored.filter("said = kind").count() / 150.0).isEqualTo(accuracy(scored));
    NominalAttribute attribute =
        (NominalAttribute) Attribute.fromStructField(scored.schema().apply("prediction"));
    assertThat(attribute.values().get()).containsExactly("cat", "bee", "ant");
    // Two classes in the metadata do not go with three outputs.
    Dataset<Row> two = table.filter("kind != 'cat'");
    assertThatThrownBy(
            () ->
                new Pipeline()
                    .setStages(
                        new PipelineStage[] {
                          new StringIndexer().setInputCol("kind").setOutputCol("label"),
                          new VectorAssembler()
                              .setInputCols(new String[] {"x_0", "x_1", "x_2", "x_3"})
                              .setOutputCol("features"),
                          classifier()
                        })
                    .fit(two))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("column label has 2 classes, but the network has 3 outputs");
  }

  @Test
  void parametersAreTunedSideBySide() {
    KfacClassifier classifier = classifier().setMaxIter(10);
    ParamMap[] grid =
        new ParamGridBuilder()
            .addGrid(classifier.damping(), new double[] {1e4, 0.1})
            .addGrid(classifier.preconditioner(), ofScala(List.of("kfac", "tkfac")))
            .build();
    CrossValidatorModel validated =
        new CrossValidator()
            .setEstimator(classifier)
            .setEvaluator(new MulticlassClassificationEvaluator().setMetricName("accuracy"))
            .setEstimatorParamMaps(grid)
            .setNumFolds(2)
            .setParallelism(3)
            .setSeed(1)
            .fit(data);
    double[] metrics = validated.avgMetrics();
    assertThat(metrics).hasSize(4);
    // With that much damping nothing is learned.
    for (int i = 0; i < 4; i++) {
      for (int j = 0; j < 4; j++) {
        if (isDamped(grid[i], classifier) && !isDamped(grid[j], classifier)) {
          assertThat(metrics[i]).isLessThan(metrics[j]);
        }
      }
    }
    assertThat(accuracy(validated.transform(data))).isGreaterThan(0.7);
    assertThat(
            new TrainValidationSplit()
                .setEstimator(classifier)
                .setEvaluator(new MulticlassClassificationEvaluator().setMetricName("accuracy"))
                .setEstimatorParamMaps(grid)
                .setParallelism(2)
                .setSeed(1)
                .fit(data)
                .validationMetrics())
        .hasSize(4);
  }

  private static boolean isDamped(ParamMap map, KfacClassifier classifier) {
    return map.get(classifier.damping()).get().equals(1e4);
  }

  private static scala.collection.Iterable<String> ofScala(List<String> values) {
    return scala.collection.JavaConverters.collectionAsScalaIterable(values);
  }

  @Test
  void thresholdsMoveTheBorder() {
    KfacClassificationModel model = classifier().fit(data);
    long zeros = model.transform(data).filter("prediction = 0").count();
    model.setThresholds(new double[] {1e-9, 1, 1});
    assertThat(model.transform(data).filter("prediction = 0").count()).isEqualTo(150);
    assertThat(zeros).isBetween(30L, 70L);
    model.setThresholds(new double[] {1, 1});
    assertThatThrownBy(() -> model.transform(data)).hasMessageContaining("thresholds must be 3");
    model.setThresholds(new double[0]).setRawPredictionCol("").setProbabilityCol("");
    assertThat(model.transform(data).columns()).contains("prediction").hasSize(6);
  }

  @Test
  void aRegressionFitsNumbersAndVectors() {
    Dataset<Row> numbers =
        data.withColumn(
                "array",
                org.apache.spark.ml.functions.vector_to_array(functions.col("features"), "float64"))
            .withColumn("label", functions.expr("2 * array[0] - array[1] + 0.5"))
            .withColumn("both", functions.expr("array(label, 3 * array[2])"))
            .drop("array");
    KfacRegressor regressor =
        new KfacRegressor().setLayers(new int[] {4, 1}).setMaxIter(30).setRegParam(0);
    Dataset<Row> scored = regressor.fit(numbers).transform(numbers);
    assertThat(
            (double) scored.select(functions.expr("max(abs(prediction - label))")).first().get(0))
        .isLessThan(1e-3);
    regressor.setLabelCol("both");
    assertThatThrownBy(() -> regressor.fit(numbers))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("column both: every row must have 1 numbers, got 2");
    KfacRegressionModel model = regressor.setLayers(new int[] {4, 2}).fit(numbers);
    Row first = model.transform(numbers).first();
    Vector prediction = first.getAs("prediction");
    assertThat(prediction.size()).isEqualTo(2);
    assertThat(prediction.apply(0)).isCloseTo((double) first.getAs("label"), within(1e-2));
    assertThatThrownBy(() -> model.predict(first.getAs("features")))
        .hasMessageContaining("predictVector");
    assertThat(model.predictVector(first.getAs("features")).toArray())
        .usingComparatorWithPrecision(1e-6)
        .containsExactly(prediction.toArray());
    KfacRegressor one = new KfacRegressor().setLayers(new int[] {4, 2});
    assertThatThrownBy(() -> one.transformSchema(numbers.schema()))
        .hasMessage("column label holds one number, but the network has 2 outputs");
  }

  /** Rows unlike those it was trained on have large errors. */
  @Test
  void anAutoencoderTellsUnusualRows() {
    KfacAutoencoder autoencoder =
        new KfacAutoencoder()
            .setLayers(new int[] {4, 8, 2, 8, 4})
            .setInit("xavier")
            .setDamping(0.1)
            .setMaxIter(60)
            .setBatchSize(150)
            .setLoss("mse")
            .setErrorCol("error");
    KfacAutoencoderModel model = autoencoder.fit(data);
    double usual = (double) model.transform(data).select(functions.max("error")).first().get(0);
    Row strange = RowFactory.create(1L, Vectors.dense(-3, 3, -3, 3), 0.0, 1.0, false);
    assertThat(
            (double) model.transform(Stages.data(session, List.of(strange))).first().getAs("error"))
        .isGreaterThan(10 * usual);
    assertThatThrownBy(
            () ->
                new KfacAutoencoder(autoencoder.uid())
                    .setLayers(new int[] {4, 2, 4})
                    .fit(Stages.data(session, List.of(strange))))
        .hasMessageContaining("loss = xent needs numbers in [0, 1], got -3.0");
    autoencoder.setEncodingLayer("layer7");
    assertThatThrownBy(() -> autoencoder.transformSchema(data.schema()))
        .hasMessageContaining("no hidden layer layer7, only layer0");
    KfacAutoencoderModel softplus =
        new KfacAutoencoder()
            .setLayers(new int[] {4, 2, 4})
            .setActivation("softplus")
            .setInit("xavier")
            .setMaxIter(2)
            .fit(data);
    List<Row> narrowest = softplus.transform(data).select("encoding").collectAsList();
    assertThat(
            softplus.setEncodingLayer("layer0").transform(data).select("encoding").collectAsList())
        .isEqualTo(narrowest)
        .allMatch(row -> Arrays.stream(((Vector) row.get(0)).toArray()).allMatch(x -> x > 0));
    model.setEncodingLayer("layer0").setEncodingCol("code");
    assertThat(((Vector) model.transform(data).first().getAs("code")).size()).isEqualTo(8);
    assertThatThrownBy(() -> new KfacAutoencoder().setLayers(new int[] {4, 2, 5}).fit(data))
        .hasMessage("an autoencoder needs as many outputs as inputs, got 5 and 4");
  }

  /** A DL4J convolution on images as Spark reads them equals the same on vectors. */
  @Test
  void imagesAreReadChannelByChannel() {
    int rows = 4;
    int columns = 5;
    int channels = 3;
    List<Row> images = new ArrayList<>();
    List<Row> vectors = new ArrayList<>();
    for (int n = 0; n < 40; n++) {
      byte[] bytes = new byte[rows * columns * channels];
      double[] numbers = new double[bytes.length];
      for (int i = 0; i < bytes.length; i++) {
        int value = (i * 37 + n * 11 * (1 + n % 2)) % 256;
        bytes[i] = (byte) value;
        int position = i / channels;
        numbers[i % channels * rows * columns + position] = value / 255f;
      }
      Row image = RowFactory.create("", rows, columns, channels, 16, bytes);
      images.add(RowFactory.create(image, (double) (n % 2)));
      vectors.add(RowFactory.create(Vectors.dense(numbers), (double) (n % 2)));
    }
    Dataset<Row> ofImages =
        session.createDataFrame(
            images,
            new StructType()
                .add("image", ImageSchema.columnSchema())
                .add("label", DataTypes.DoubleType));
    Dataset<Row> ofVectors =
        session.createDataFrame(
            vectors,
            new StructType()
                .add("image", SQLDataTypes.VectorType())
                .add("label", DataTypes.DoubleType));
    String json =
        new NeuralNetConfiguration.Builder()
            .seed(1)
            .list()
            .layer(new ConvolutionLayer.Builder(2, 2).nOut(3).activation(Activation.TANH).build())
            .layer(
                new OutputLayer.Builder(new LossMCXENT())
                    .nOut(2)
                    .activation(Activation.SOFTMAX)
                    .build())
            .setInputType(InputType.convolutional(rows, columns, channels))
            .build()
            .toJson();
    KfacClassifier classifier =
        new KfacClassifier()
            .setModel(json)
            .setInputShape(new int[] {channels, rows, columns})
            .setFeaturesCol("image")
            .setMaxIter(3);
    KfacClassificationModel model = classifier.fit(ofImages);
    assertThat(model.weights()).isEqualTo(classifier.fit(ofVectors).weights());
    assertThat(model.transform(ofImages).select("probability").collectAsList())
        .isEqualTo(model.transform(ofVectors).select("probability").collectAsList());
    classifier.setInputShape(new int[] {1, 6, 10});
    assertThatThrownBy(() -> classifier.fit(ofImages)).isInstanceOf(InvalidInputException.class);
    classifier.setInputShape(new int[0]);
    assertThatThrownBy(() -> classifier.fit(ofImages))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("inputShape");
  }

  @Test
  void listenersAreTold() {
    List<Integer> iterations = new ArrayList<>();
    classifier()
        .setMaxIter(4)
        .setListeners(
            List.of(
                new TrainingListener() {
                  @Override
                  public void iteration(IterationRecord record) {
                    iterations.add(record.iteration());
                  }
                }))
        .fit(data);
    assertThat(iterations).containsExactly(1, 2, 3, 4);
  }

  @Test
  void anyOptimizerAndSettingServes() {
    for (String optimizer : List.of("adam", "lamb", "lbfgs")) {
      double[] history =
          classifier()
              .setOptimizer(optimizer)
              .setLearningRate(0.05)
              .setBatchSize(150)
              .setMaxIter(15)
              .fit(data)
              .summary()
              .objectiveHistory();
      assertThat(history[history.length - 1]).as(optimizer).isLessThan(history[0]);
    }
    classifier()
        .setPreconditioner("ekfac")
        .setSettings(new String[] {"curvature.scalings.source=mean-gradient"})
        .setMaxIter(2)
        .fit(data);
    KfacClassifier weighted = classifier().setPreconditioner("cgfac").setWeightCol("weight");
    assertThatThrownBy(() -> weighted.fit(data)).hasMessageContaining("weightCol", "cgfac");
  }

  /** Written by version 0.1.0; must stay readable. */
  @Test
  void anOldModelIsRead() {
    Path saved = Path.of("src/test/resources/models/classifier-0.1.0");
    KfacClassificationModel model = KfacClassificationModel.load(saved.toString());
    assertThat(model.numFeatures()).isEqualTo(4);
    assertThat(model.numClasses()).isEqualTo(3);
    assertThat(accuracy(model.transform(data))).isGreaterThan(0.85);
    assertThat(Arrays.stream(model.weights().toArray()).sum())
        .isCloseTo(Double.parseDouble(read(saved.resolve("sum-of-weights.txt"))), within(1e-12));
  }

  private static String read(Path file) {
    try {
      return java.nio.file.Files.readString(file).trim();
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
