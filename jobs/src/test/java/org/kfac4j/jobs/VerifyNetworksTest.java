package org.kfac4j.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;

/** Everything holds of every kind of network that a conf file can have. */
class VerifyNetworksTest {
  private static final InputType IMAGE = InputType.convolutional(4, 5, 1);

  @TempDir static Path temporary;
  private static VerifyFolder folder;

  @BeforeAll
  static void data() throws IOException {
    folder = VerifyFolder.create(temporary);
  }

  private static NeuralNetConfiguration.Builder builder() {
    return new NeuralNetConfiguration.Builder().seed(1);
  }

  private static ConvolutionLayer convolution(Activation activation) {
    return new ConvolutionLayer.Builder(3, 3)
        .nOut(3)
        .convolutionMode(ConvolutionMode.Same)
        .activation(activation)
        .build();
  }

  private static OutputLayer output() {
    return new OutputLayer.Builder(new LossMCXENT())
        .nOut(10)
        .activation(Activation.SOFTMAX)
        .build();
  }

  private static String chain(Layer... layers) {
    NeuralNetConfiguration.ListBuilder list = builder().list();
    for (Layer layer : layers) {
      list.layer(layer);
    }
    return list.layer(output()).setInputType(IMAGE).build().toJson();
  }

  /** A residual block with batch normalisation, as ResNets have it. */
  private static String residual() {
    return builder()
        .graphBuilder()
        .addInputs("in")
        .addLayer("conv1", convolution(Activation.IDENTITY), "in")
        .addLayer("norm1", new BatchNormalization(), "conv1")
        .addLayer("relu1", new ActivationLayer(Activation.RELU), "norm1")
        .addLayer("conv2", convolution(Activation.IDENTITY), "relu1")
        .addLayer("norm2", new BatchNormalization(), "conv2")
        .addVertex("sum", new ElementWiseVertex(ElementWiseVertex.Op.Add), "norm2", "relu1")
        .addLayer("relu2", new ActivationLayer(Activation.RELU), "sum")
        .addLayer("pool", new GlobalPoolingLayer(PoolingType.AVG), "relu2")
        .addLayer("out", output(), "pool")
        .setOutputs("out")
        .setInputTypes(IMAGE)
        .build()
        .toJson();
  }

  /**
   * @param held checks that are made and hold
   */
  private static void assertHolds(String name, Path conf, String... held) {
    Jobs.Ended run = Jobs.run(new Verify(), conf.toString(), "--examples", "16");
    assertThat(run.code()).as(run.out() + run.err()).isZero();
    assertThat(run.out()).contains("everything that must hold does").doesNotContain("FAILED");
    for (String check : held) {
      assertThat(run.out().lines())
          .as(run.out())
          .anySatisfy(line -> assertThat(line).startsWith(check + " ").contains(" ok "));
    }
    assertThat(folder.output(name)).doesNotExist();
  }

  @Test
  void aChainOfDenseLayers() throws IOException {
    assertHolds(
        "dense",
        folder.conf("dense", "layers = [20, 8, 10], loss = mcxent"),
        "ekfac: scalings",
        "kfac: exact for one example",
        "kfac-tridiagonal factored: chain",
        "two-level eigen: residual",
        "two runs",
        "DL4J's outputs");
  }

  @Test
  void convolutionsWithReducedRows() throws IOException {
    assertHolds(
        "reduce",
        folder.confOf(
            "reduce",
            chain(convolution(Activation.RELU), convolution(Activation.TANH)),
            "curvature { weight-sharing = reduce }"),
        "Fisher blocks",
        "kfac reduce: factors",
        "kfac reduce: inverse",
        "two-level factored: additive",
        "two runs");
  }

  @Test
  void aResidualGraphWithBatchNormalizationAndAugmentation() throws IOException {
    assertHolds(
        "residual",
        folder.confOf(
            "residual",
            residual(),
            "data.augment { crop-padding = 1, flip = true, image = [1, 4, 5] }"),
        "Fisher blocks",
        "scales: Fisher block",
        "scales: diagonal",
        "scales: inverse",
        "running averages",
        "two-level factored: residual",
        "partitions",
        "two runs",
        "DL4J's outputs");
  }

  @Test
  void dropout() throws IOException {
    assertHolds(
        "dropout",
        folder.confOf(
            "dropout",
            chain(
                convolution(Activation.RELU),
                new DenseLayer.Builder().nOut(6).dropOut(0.7).activation(Activation.TANH).build())),
        "Fisher blocks",
        "Fisher products",
        "partitions",
        "two runs");
  }

  @Test
  @Tag("slow")
  void theCurvesAutoencoder() {
    Jobs.Ended run = Jobs.run(new Verify(), "../conf/curves-autoencoder.conf", "--examples", "4");
    assertThat(run.code()).as(run.out() + run.err()).isZero();
  }
}
