package org.kfac4j.network;

import java.util.Arrays;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.kfac4j.data.Hashing;
import org.nd4j.linalg.api.buffer.DataType;

/** Configurations and plain loops that tests of the import and export share. */
final class Dl4jFixtures {
  static final int INPUTS = 4;

  private Dl4jFixtures() {}

  static NeuralNetConfiguration.Builder builder() {
    return new NeuralNetConfiguration.Builder().seed(3).dataType(DataType.DOUBLE);
  }

  static MultiLayerConfiguration configuration(Layer... layers) {
    return configuration(builder(), layers);
  }

  static MultiLayerConfiguration configuration(
      NeuralNetConfiguration.Builder builder, Layer... layers) {
    NeuralNetConfiguration.ListBuilder list = builder.list();
    Arrays.stream(layers).forEach(list::layer);
    return list.validateOutputLayerConfig(false).build();
  }

  static double[] normal(long seed, int length) {
    double[] values = new double[length];
    Arrays.setAll(values, i -> Hashing.normal(seed, i));
    return values;
  }

  /** Rows of [n, inputs] as arrays. */
  static double[][] rows(double[] values, int width) {
    double[][] rows = new double[values.length / width][];
    Arrays.setAll(rows, i -> Arrays.copyOfRange(values, i * width, (i + 1) * width));
    return rows;
  }

  /** The network's output z for each row of x, with nothing but loops. */
  static double[] outputs(Network network, double[] theta, double[][] x) {
    double[] z = new double[x.length * network.outputs()];
    for (int n = 0; n < x.length; n++) {
      double[] a = x[n];
      int offset = 0;
      for (org.kfac4j.network.Layer layer : network.layers()) {
        double[] out = new double[layer.outputs()];
        if (layer instanceof DenseLayer dense) {
          for (int j = 0; j < dense.outputs(); j++) {
            for (int i = 0; i < dense.inputs(); i++) {
              out[j] += a[i] * theta[offset + i * dense.outputs() + j];
            }
            out[j] += dense.hasBias() ? theta[offset + dense.inputs() * dense.outputs() + j] : 0;
          }
          offset += dense.parameterCount();
        } else {
          Activation activation = ((ActivationLayer) layer).activation();
          for (int j = 0; j < out.length; j++) {
            out[j] = activation.value(a[j]);
          }
        }
        a = out;
      }
      System.arraycopy(a, 0, z, n * a.length, a.length);
    }
    return z;
  }
}
