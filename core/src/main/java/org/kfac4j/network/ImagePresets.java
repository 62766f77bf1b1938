package org.kfac4j.network;

import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;

/** Configurations for images. */
final class ImagePresets {
  private static final InputType IMAGES = InputType.convolutionalFlat(32, 32, 3);

  private ImagePresets() {}

  /**
   * Three convolutions of 5 × 5 with pooling of 3 × 3 between them, and one fully connected layer:
   * the kind of network that KFC's paper trains on CIFAR-10 (arXiv:1602.01407 §6), after
   * cuda-convnet.
   */
  static MultiLayerConfiguration cifarCnn() {
    return builder()
        .list()
        .layer(convolution(5, 32, 1, Activation.RELU))
        .layer(pooling(SubsamplingLayer.PoolingType.MAX))
        .layer(convolution(5, 32, 1, Activation.RELU))
        .layer(pooling(SubsamplingLayer.PoolingType.AVG))
        .layer(convolution(5, 64, 1, Activation.RELU))
        .layer(pooling(SubsamplingLayer.PoolingType.AVG))
        .layer(classes())
        .setInputType(IMAGES)
        .build();
  }

  /**
   * VGG16 for CIFAR-10: the 13 convolutions of 3 × 3 of Simonyan and Zisserman 2015
   * (arXiv:1409.1556, configuration D) with their five poolings, which leave one position of an
   * image of 32 × 32, and two hidden layers of 512.
   *
   * @param normalized whether convolutions are followed by batch normalisation
   */
  static MultiLayerConfiguration vgg16(boolean normalized) {
    NeuralNetConfiguration.ListBuilder list = builder().list();
    int[][] stages = {{64, 64}, {128, 128}, {256, 256, 256}, {512, 512, 512}, {512, 512, 512}};
    for (int[] stage : stages) {
      for (int filters : stage) {
        if (normalized) {
          list.layer(unbiased(3, filters, 1))
              .layer(new BatchNormalization())
              .layer(new ActivationLayer(Activation.RELU));
        } else {
          list.layer(convolution(3, filters, 1, Activation.RELU));
        }
      }
      list.layer(
          new SubsamplingLayer.Builder(SubsamplingLayer.PoolingType.MAX)
              .kernelSize(2, 2)
              .stride(2, 2)
              .build());
    }
    for (int i = 0; i < 2; i++) {
      list.layer(
          new org.deeplearning4j.nn.conf.layers.DenseLayer.Builder()
              .nOut(512)
              .activation(Activation.RELU)
              .build());
    }
    return list.layer(classes()).setInputType(IMAGES).build();
  }

  /**
   * The residual network for CIFAR-10 of He et al. 2016 (arXiv:1512.03385 §4.2): three stages of
   * 16, 32 and 64 filters of 3 × 3, 6 · blocks + 2 layers in all; where a stage begins, the
   * shortcut is a convolution of 1 × 1 (option B). Convolutions followed by batch normalisation
   * have no bias.
   *
   * @param blocks of each stage: 3 for ResNet-20, 5 for ResNet-32, 9 for ResNet-56
   * @param normalized whether there is batch normalisation
   */
  static ComputationGraphConfiguration resnet(int blocks, boolean normalized) {
    GraphBuilder graph = builder().graphBuilder().addInputs("image");
    String from = add(graph, "first", "image", 3, 16, 1, true, normalized);
    for (int stage = 0; stage < 3; stage++) {
      int filters = 16 << stage;
      for (int block = 0; block < blocks; block++) {
        String name = "stage" + (stage + 1) + "-block" + (block + 1);
        int stride = stage > 0 && block == 0 ? 2 : 1;
        String a = add(graph, name + "-a", from, 3, filters, stride, true, normalized);
        String b = add(graph, name + "-b", a, 3, filters, 1, false, normalized);
        String shortcut =
            stride == 1
                ? from
                : add(graph, name + "-shortcut", from, 1, filters, stride, false, normalized);
        graph
            .addVertex(name + "-sum", new ElementWiseVertex(ElementWiseVertex.Op.Add), b, shortcut)
            .addLayer(name, new ActivationLayer(Activation.RELU), name + "-sum");
        from = name;
      }
    }
    return graph
        .addLayer("mean", new GlobalPoolingLayer(PoolingType.AVG), from)
        .addLayer("classes", classes(), "mean")
        .setOutputs("classes")
        .setInputTypes(IMAGES)
        .build();
  }

  /**
   * Adds a convolution, perhaps its normalisation and perhaps a rectifier.
   *
   * @return the name of the last of them
   */
  private static String add(
      GraphBuilder graph,
      String name,
      String from,
      int kernel,
      int filters,
      int stride,
      boolean rectified,
      boolean normalized) {
    if (!normalized) {
      graph.addLayer(
          name,
          convolution(kernel, filters, stride, rectified ? Activation.RELU : Activation.IDENTITY),
          from);
      return name;
    }
    graph
        .addLayer(name, unbiased(kernel, filters, stride), from)
        .addLayer(name + "-norm", new BatchNormalization(), name);
    if (!rectified) {
      return name + "-norm";
    }
    graph.addLayer(name + "-relu", new ActivationLayer(Activation.RELU), name + "-norm");
    return name + "-relu";
  }

  private static NeuralNetConfiguration.Builder builder() {
    // DL4J's default seed is the time of day, and the configuration goes into the saved model.
    return new NeuralNetConfiguration.Builder().seed(1).dataType(DataType.FLOAT);
  }

  private static OutputLayer classes() {
    return new OutputLayer.Builder(new LossMCXENT())
        .nOut(10)
        .activation(Activation.SOFTMAX)
        .build();
  }

  private static org.deeplearning4j.nn.conf.layers.ConvolutionLayer convolution(
      int kernel, int filters, int stride, Activation activation) {
    return same(kernel, filters, stride).activation(activation).build();
  }

  /** What batch normalisation follows, which has a shift of its own. */
  private static org.deeplearning4j.nn.conf.layers.ConvolutionLayer unbiased(
      int kernel, int filters, int stride) {
    return same(kernel, filters, stride).activation(Activation.IDENTITY).hasBias(false).build();
  }

  private static org.deeplearning4j.nn.conf.layers.ConvolutionLayer.Builder same(
      int kernel, int filters, int stride) {
    return new org.deeplearning4j.nn.conf.layers.ConvolutionLayer.Builder(kernel, kernel)
        .nOut(filters)
        .stride(stride, stride)
        .convolutionMode(ConvolutionMode.Same);
  }

  private static SubsamplingLayer pooling(SubsamplingLayer.PoolingType type) {
    return new SubsamplingLayer.Builder(type)
        .kernelSize(3, 3)
        .stride(2, 2)
        .convolutionMode(ConvolutionMode.Same)
        .build();
  }
}
