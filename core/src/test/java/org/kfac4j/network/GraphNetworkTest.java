package org.kfac4j.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.kfac4j.Dense.assertClose;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.L2NormalizeVertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.graph.ScaleVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.kfac4j.InvalidInputException;
import org.kfac4j.Problem;
import org.kfac4j.Tolerance;
import org.kfac4j.data.LocalStorage;
import org.kfac4j.linalg.Precision;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;

/** Graphs against DL4J's: outputs, score, gradient, saving; and forward products. */
class GraphNetworkTest {
  private static final int COUNT = 7;

  /** A graph on images of 6 × 6 pixels with 2 channels. */
  record Case(String name, Consumer<GraphBuilder> layers) {
    @Override
    public String toString() {
      return name;
    }

    ComputationGraphConfiguration configuration(DataType type) {
      GraphBuilder graph =
          new NeuralNetConfiguration.Builder()
              .seed(3)
              .dataType(type)
              .l2(0.02)
              .graphBuilder()
              .addInputs("in");
      layers.accept(graph);
      return graph.setInputTypes(InputType.convolutionalFlat(6, 6, 2)).build();
    }
  }

  private static org.deeplearning4j.nn.conf.layers.ConvolutionLayer convolution(
      int filters, int kernel, int stride, Activation activation) {
    return new org.deeplearning4j.nn.conf.layers.ConvolutionLayer.Builder(kernel, kernel)
        .nOut(filters)
        .stride(stride, stride)
        .convolutionMode(ConvolutionMode.Same)
        .activation(activation)
        .build();
  }

  private static org.deeplearning4j.nn.conf.layers.ActivationLayer activation(Activation function) {
    return new org.deeplearning4j.nn.conf.layers.ActivationLayer(function);
  }

  private static void end(GraphBuilder graph, String from) {
    graph
        .addLayer(
            "out",
            new OutputLayer.Builder(new LossMCXENT())
                .nOut(3)
                .activation(Activation.SOFTMAX)
                .build(),
            from)
        .setOutputs("out");
  }

  static Stream<Case> cases() {
    return Stream.of(
        new Case(
            "residual",
            graph -> {
              graph
                  .addLayer("a", convolution(4, 3, 1, Activation.RELU), "in")
                  .addLayer("b", convolution(4, 3, 1, Activation.RELU), "a")
                  .addLayer("c", convolution(4, 3, 1, Activation.IDENTITY), "b")
                  .addVertex("sum", new ElementWiseVertex(ElementWiseVertex.Op.Add), "c", "a")
                  .addLayer("d", activation(Activation.RELU), "sum");
              end(graph, "d");
            }),
        new Case(
            "residual with a projection, names out of order",
            graph -> {
              graph
                  .addLayer("z", convolution(4, 3, 1, Activation.TANH), "in")
                  .addLayer("y", convolution(6, 3, 2, Activation.TANH), "z")
                  .addLayer("x", convolution(6, 1, 2, Activation.IDENTITY), "z")
                  .addLayer("m", convolution(6, 3, 1, Activation.IDENTITY), "y")
                  .addVertex("b", new ElementWiseVertex(ElementWiseVertex.Op.Add), "m", "x")
                  .addLayer("a", activation(Activation.SIGMOID), "b")
                  .addLayer(
                      "pool",
                      new org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer(PoolingType.AVG),
                      "a");
              end(graph, "pool");
            }),
        new Case(
            "residual with batch normalisation",
            graph -> {
              graph
                  .addLayer("a", convolution(4, 3, 1, Activation.IDENTITY), "in")
                  .addLayer("an", new BatchNormalization(), "a")
                  .addLayer("ar", activation(Activation.RELU), "an")
                  .addLayer("b", convolution(6, 3, 2, Activation.IDENTITY), "ar")
                  .addLayer("bn", new BatchNormalization(), "b")
                  .addLayer("br", activation(Activation.RELU), "bn")
                  .addLayer("c", convolution(6, 1, 2, Activation.IDENTITY), "ar")
                  .addLayer("cn", new BatchNormalization(), "c")
                  .addVertex("sum", new ElementWiseVertex(ElementWiseVertex.Op.Add), "br", "cn")
                  .addLayer(
                      "pool",
                      new org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer(PoolingType.AVG),
                      "sum");
              end(graph, "pool");
            }),
        new Case(
            "merged branches of one value",
            graph -> {
              graph
                  .addLayer("a", convolution(3, 3, 1, Activation.TANH), "in")
                  .addLayer("b", convolution(2, 1, 1, Activation.TANH), "a")
                  .addLayer("c", convolution(4, 3, 1, Activation.SOFTPLUS), "a")
                  .addLayer(
                      "d",
                      new SubsamplingLayer.Builder(SubsamplingLayer.PoolingType.MAX)
                          .kernelSize(3, 3)
                          .stride(1, 1)
                          .convolutionMode(ConvolutionMode.Same)
                          .build(),
                      "a")
                  .addVertex("merge", new MergeVertex(), "b", "c", "d");
              end(graph, "merge");
            }),
        new Case(
            "mean, difference and activations that are shared",
            graph -> {
              graph
                  .addLayer("a", convolution(3, 3, 1, Activation.IDENTITY), "in")
                  .addLayer("r", activation(Activation.RELU), "a")
                  .addLayer("t", activation(Activation.TANH), "a")
                  .addVertex(
                      "mean", new ElementWiseVertex(ElementWiseVertex.Op.Average), "r", "t", "a")
                  .addVertex(
                      "minus", new ElementWiseVertex(ElementWiseVertex.Op.Subtract), "mean", "t");
              end(graph, "minus");
            }));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void outputsScoreAndGradientAreDl4js(Case each) {
    for (Precision precision : Precision.values()) {
      DataType type = precision == Precision.FLOAT ? DataType.FLOAT : DataType.DOUBLE;
      Dl4jModel model = Dl4jModel.of(each.configuration(type), "test");
      Network network = model.network();
      Problem problem = Problem.withDistributions(5, network, COUNT);
      double[] theta = problem.theta(6, 1);
      RegularizedLoss ours = RegularizedLoss.of(problem, theta, precision);
      ComputationGraph dl4j = model.graph(theta);
      dl4j.setInputs(rows(problem::x, type));
      dl4j.setLabels(rows(problem::target, type));
      dl4j.computeGradientAndScore();
      assertClose(ours.h(), dl4j.score(), Tolerance.DL4J);
      double[] expected = RegularizedLoss.dl4js(model, theta, dl4j.getGradientsViewArray(), COUNT);
      assertClose("gradient", ours.gradient(), expected, Tolerance.DL4J);
    }
  }

  private static INDArray rows(java.util.function.IntFunction<double[]> row, DataType type) {
    double[][] rows = new double[COUNT][];
    Arrays.setAll(rows, row);
    return Nd4j.createFromArray(rows).castTo(type);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void forwardProductsAreWhatDifferencesOfOutputsSay(Case each) {
    ImageNetworkTest.assertForwardProducts(
        Dl4jModel.of(each.configuration(DataType.DOUBLE), "test").network());
  }

  @Test
  void aSavedGraphComesBackAndIsDl4js(@TempDir Path folder) throws IOException {
    Dl4jModel model = Dl4jModel.of(cases().toList().get(1).configuration(DataType.FLOAT), "test");
    Problem problem = Problem.random(5, model.network(), COUNT);
    double[] theta = problem.theta(6, 1);
    File file = folder.resolve("model.zip").toFile();
    try (OutputStream out = Files.newOutputStream(file.toPath())) {
      model.write(theta, out);
    }
    Dl4jModel.Loaded loaded = Dl4jModel.read(new LocalStorage(), file.toString());
    assertThat(loaded.model().network()).isEqualTo(model.network());
    assertClose(loaded.theta(), theta, 1e-6);
    ComputationGraph dl4j = ComputationGraph.load(file, false);
    double[] z = ImageNetworkTest.outputs(problem, loaded.theta());
    model.network().loss().predict(z, COUNT);
    assertClose(
        dl4j.outputSingle(rows(problem::x, DataType.FLOAT)).dup('c').data().asDouble(),
        z,
        Tolerance.DL4J);
  }

  @Test
  void initialWeightsAreDl4js() {
    Dl4jModel model = Dl4jModel.of(cases().toList().get(1).configuration(DataType.FLOAT), "test");
    ComputationGraph dl4j = new ComputationGraph(model.graphConfiguration());
    dl4j.init();
    assertThat(Initializer.configured(model, 3, "test")).isEqualTo(model.weights(dl4j));
    assertThat(Initializer.initial(model, "relu", 4))
        .isEqualTo(Initializer.initial(model, "relu", 4))
        .isNotEqualTo(Initializer.initial(model, "relu", 5));
  }

  @Test
  void whatHasNoCounterpartIsRefusedByName() {
    assertRefused(
        graph -> {
          graph
              .addLayer("a", convolution(3, 3, 1, Activation.TANH), "in")
              .addVertex("norm", new L2NormalizeVertex(), "a");
          end(graph, "norm");
        },
        "test: layer norm: vertex type = L2NormalizeVertex is not supported");
    assertRefused(
        graph -> {
          graph
              .addLayer("a", convolution(3, 3, 1, Activation.TANH), "in")
              .addVertex("scale", new ScaleVertex(2), "a");
          end(graph, "scale");
        },
        "test: layer scale: vertex type = ScaleVertex is not supported");
    assertRefused(
        graph -> {
          graph
              .addLayer("a", convolution(2, 3, 1, Activation.TANH), "in")
              .addVertex("times", new ElementWiseVertex(ElementWiseVertex.Op.Product), "a", "a");
          end(graph, "times");
        },
        "test: layer times: op = Product is not supported");
    assertRefused(
        graph -> {
          // Of maps with channels first, the last axis is their columns.
          MergeVertex columns = new MergeVertex();
          columns.setMergeAxis(-1);
          graph
              .addLayer("a", convolution(2, 3, 1, Activation.TANH), "in")
              .addVertex("merge", columns, "a", "a");
          end(graph, "merge");
        },
        "test: layer merge: mergeAxis = -1 is not supported");
    assertRefused(
        graph ->
            graph
                .addLayer("a", dense(), "in")
                .addLayer("b", dense(), "in")
                .addLayer("s", activation(Activation.SOFTMAX), "a")
                .addLayer("t", activation(Activation.SOFTMAX), "b")
                .addLayer(
                    "out",
                    new LossLayer.Builder(new LossMCXENT()).activation(Activation.IDENTITY).build(),
                    "t")
                .setOutputs("out")
                .allowDisconnected(true),
        "test: layer t: a second softmax before a loss is not supported");
  }

  private static org.deeplearning4j.nn.conf.layers.DenseLayer dense() {
    return new org.deeplearning4j.nn.conf.layers.DenseLayer.Builder()
        .nOut(3)
        .activation(Activation.IDENTITY)
        .build();
  }

  private static void assertRefused(Consumer<GraphBuilder> layers, String message) {
    ComputationGraphConfiguration configuration =
        new Case("refused", layers).configuration(DataType.FLOAT);
    assertThatThrownBy(() -> Dl4jModel.of(configuration, "test"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage(message);
  }

  @Test
  void layersAreInDl4jsOrder() {
    Dl4jModel model = Dl4jModel.of(cases().toList().get(1).configuration(DataType.FLOAT), "test");
    List<String> names =
        model.network().blocks().stream().map(Network.ParameterBlock::name).toList();
    ComputationGraph dl4j = new ComputationGraph(model.graphConfiguration());
    dl4j.init();
    assertThat(names)
        .isEqualTo(
            Arrays.stream(dl4j.getLayers())
                .filter(layer -> layer.numParams() > 0)
                .map(layer -> layer.conf().getLayer().getLayerName())
                .toList());
  }
}
