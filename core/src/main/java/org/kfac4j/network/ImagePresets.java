package org.kfac4j.network;

import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;

/** Configurations for images. */
final class ImagePresets {
  private ImagePresets() {}

  /**
   * Three convolutions of 5 × 5 with pooling of 3 × 3 between them, and one fully connected layer:
   * the kind of network that KFC's paper trains on CIFAR-10 (arXiv:1602.01407 §6), after
   * cuda-convnet.
   */
  static MultiLayerConfiguration cifarCnn() {
    return new NeuralNetConfiguration.Builder()
        .seed(1)
        .dataType(DataType.FLOAT)
        .list()
        .layer(convolution(32))
        .layer(pooling(PoolingType.MAX))
        .layer(convolution(32))
        .layer(pooling(PoolingType.AVG))
        .layer(convolution(64))
        .layer(pooling(PoolingType.AVG))
        .layer(
            new OutputLayer.Builder(new LossMCXENT())
                .nOut(10)
                .activation(Activation.SOFTMAX)
                .build())
        .setInputType(InputType.convolutionalFlat(32, 32, 3))
        .build();
  }

  private static org.deeplearning4j.nn.conf.layers.ConvolutionLayer convolution(int filters) {
    return new org.deeplearning4j.nn.conf.layers.ConvolutionLayer.Builder(5, 5)
        .nOut(filters)
        .convolutionMode(ConvolutionMode.Same)
        .activation(Activation.RELU)
        .build();
  }

  private static SubsamplingLayer pooling(PoolingType type) {
    return new SubsamplingLayer.Builder(type)
        .kernelSize(3, 3)
        .stride(2, 2)
        .convolutionMode(ConvolutionMode.Same)
        .build();
  }
}
