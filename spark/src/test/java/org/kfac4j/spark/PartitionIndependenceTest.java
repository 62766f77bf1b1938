package org.kfac4j.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.spark.api.java.JavaSparkContext;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.weights.WeightInit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.kfac4j.datasets.Curves;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.lossfunctions.impl.LossBinaryXENT;

/** Results depend on the examples, not on where they are. */
class PartitionIndependenceTest {
  private static final long EXAMPLES = 2000;

  /** Of float32 sums that are taken in another order, after 20 iterations. */
  private static final double ROUNDING = 1e-4;

  private static JavaSparkContext spark;

  /** What is trained with, as a conf file would say it. */
  enum Method {
    EXACT_STEP(
        """
        optimizer { damping { initial = 3 } }
        curvature { inverse-period = 5, gamma-search = true, gamma-period = 10 }
        """),
    SCHEDULED_STEP(
        """
        optimizer {
          step = scheduled
          learning-rate { initial = 0.02 }
          damping { rule = fixed, initial = 0.3 }
        }
        curvature { damping = eigen, gamma-search = false, statistics-period = 2, inverse-period = 4 }
        """),
    ADAM("optimizer { name = adam, learning-rate { initial = 1e-3 } }"),
    LARS("optimizer { name = lars, learning-rate { initial = 0.01 }, lars { trust = 2 } }");

    private final String settings;

    Method(String settings) {
      this.settings = settings;
    }

    Training training(long examples, int batchSize, int iterations) {
      return Training.of(
          """
          model { layers = [784, 100, 20, 100, 784], activation = tanh, loss = xent, init = xavier }
          training { iterations = %d, batch-size = %d, seed = 3 }
          """
                  .formatted(iterations, batchSize)
              + settings,
          new Curves(1, Curves.Part.TRAIN, examples));
    }
  }

  @BeforeAll
  static void start() {
    spark = LocalSpark.start();
  }

  @AfterAll
  static void stop() {
    spark.close();
  }

  @ParameterizedTest
  @EnumSource(Method.class)
  void partitionsAgreeWithALoopInOneThreadAndTwoRunsAreBitEqual(Method method) {
    Training training = method.training(EXAMPLES, 600, 20);
    Training.Outcome local = training.local();
    assertThat(local.losses()[19]).isLessThan(0.9 * local.losses()[0]);
    Training.Outcome two = training.on(spark, 2);
    for (int partitions : new int[] {1, 7}) {
      assertThat(training.on(spark, partitions).distance(local, training.initial()))
          .as("%d partitions", partitions)
          .isLessThan(ROUNDING);
    }
    assertThat(two.distance(local, training.initial())).as("2 partitions").isLessThan(ROUNDING);
    Training.Outcome again = training.on(spark, 2);
    assertThat(again.theta()).isEqualTo(two.theta());
    assertThat(again.losses()).isEqualTo(two.losses());
  }

  /**
   * Batch normalisation takes its statistics of examples that share a block, so that partitions
   * show in losses; but the same ones give the same bits, and others train as well.
   */
  @Test
  void withBatchNormalisationTheSamePartitionsGiveTheSameBits(@TempDir Path folder)
      throws IOException {
    String chain =
        new NeuralNetConfiguration.Builder()
            .seed(1)
            .weightInit(WeightInit.XAVIER)
            .list()
            .layer(convolution(2))
            .layer(new BatchNormalization())
            .layer(convolution(2))
            .layer(new BatchNormalization())
            .layer(
                new OutputLayer.Builder(new LossBinaryXENT(1e-7))
                    .nOut(784)
                    .activation(Activation.SIGMOID)
                    .build())
            .setInputType(InputType.convolutionalFlat(28, 28, 1))
            .build()
            .toJson();
    Path file = Files.writeString(folder.resolve("normalised.json"), chain);
    Training training =
        Training.of(
            """
            model { file = "%s" }
            training { iterations = 8, batch-size = 200, seed = 3 }
            optimizer { damping { initial = 3 } }
            curvature { inverse-period = 5, gamma-search = false, statistics-fraction = 0.5 }
            """
                .formatted(file),
            new Curves(1, Curves.Part.TRAIN, 500));
    Training.Outcome two = training.on(spark, 2);
    Training.Outcome again = training.on(spark, 2);
    assertThat(again.theta()).isEqualTo(two.theta());
    assertThat(again.losses()).isEqualTo(two.losses());
    assertThat(two.losses()[7]).isLessThan(0.9 * two.losses()[0]);
    Training.Outcome three = training.on(spark, 3);
    assertThat(three.losses()[0]).isNotEqualTo(two.losses()[0]);
    assertThat(three.losses()[7]).isCloseTo(two.losses()[7], within(0.1 * two.losses()[0]));
  }

  @ParameterizedTest
  @EnumSource(Method.class)
  void partitionsWithoutExamplesChangeNothing(Method method) {
    Training training = method.training(5, 3, 4);
    Training.Outcome local = training.local();
    assertThat(training.on(spark, 7).distance(local, training.initial())).isLessThan(ROUNDING);
  }

  /** All sums then come from a single partition, and from another one in every iteration. */
  @ParameterizedTest
  @ValueSource(ints = {1, 4})
  void aBatchOfOneExampleIsEnough(int partitions) {
    Training training = Method.EXACT_STEP.training(4, 1, 3);
    Training.Outcome local = training.local();
    assertThat(training.on(spark, partitions).distance(local, training.initial()))
        .isLessThan(ROUNDING);
  }

  @Test
  void anotherSeedTakesAnotherWay() {
    Training training = Method.ADAM.training(EXAMPLES, 100, 3);
    Training other = Training.of(hoconWithSeed(4), training.source());
    assertThat(other.local().losses()).isNotEqualTo(training.local().losses());
  }

  /** Convolutions, a residual sum and dropout on the images of CURVES. */
  @Test
  void aGraphOfConvolutionsAgreesToo(@TempDir Path folder) throws IOException {
    ComputationGraphConfiguration graph =
        new NeuralNetConfiguration.Builder()
            .seed(1)
            .weightInit(WeightInit.XAVIER)
            .graphBuilder()
            .addInputs("in")
            .addLayer("a", convolution(2), "in")
            .addLayer("b", convolution(1), "a")
            .addVertex("sum", new ElementWiseVertex(ElementWiseVertex.Op.Add), "b", "a")
            .addLayer(
                "pool",
                new SubsamplingLayer.Builder(SubsamplingLayer.PoolingType.MAX)
                    .kernelSize(2, 2)
                    .stride(2, 2)
                    .build(),
                "sum")
            .addLayer(
                "out",
                new OutputLayer.Builder(new LossBinaryXENT(1e-7))
                    .nOut(784)
                    .activation(Activation.SIGMOID)
                    .dropOut(0.8)
                    .build(),
                "pool")
            .setOutputs("out")
            .setInputTypes(InputType.convolutionalFlat(28, 28, 1))
            .build();
    Path file = Files.writeString(folder.resolve("graph.json"), graph.toJson());
    Training training =
        Training.of(
            """
            model { file = "%s" }
            training { iterations = 10, batch-size = 200, seed = 3 }
            optimizer { damping { initial = 3 } }
            curvature { inverse-period = 5, gamma-search = false, statistics-fraction = 0.5 }
            """
                .formatted(file),
            new Curves(1, Curves.Part.TRAIN, 500));
    Training.Outcome local = training.local();
    assertThat(local.losses()[9]).isLessThan(0.9 * local.losses()[0]);
    Training.Outcome two = training.on(spark, 2);
    assertThat(two.distance(local, training.initial())).isLessThan(ROUNDING);
    assertThat(training.on(spark, 7).distance(local, training.initial())).isLessThan(ROUNDING);
    assertThat(training.on(spark, 2).theta()).isEqualTo(two.theta());
  }

  private static ConvolutionLayer convolution(int stride) {
    return new ConvolutionLayer.Builder(3, 3)
        .nOut(4)
        .stride(stride, stride)
        .convolutionMode(ConvolutionMode.Same)
        .activation(Activation.TANH)
        .build();
  }

  private static String hoconWithSeed(int seed) {
    return """
        model { layers = [784, 100, 20, 100, 784], activation = tanh, loss = xent, init = xavier }
        training { iterations = 3, batch-size = 100, seed = %d }
        """
            .formatted(seed)
        + Method.ADAM.settings;
  }
}
