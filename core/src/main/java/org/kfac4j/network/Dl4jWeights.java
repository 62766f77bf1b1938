package org.kfac4j.network;

import org.kfac4j.Check;
import org.kfac4j.network.Network.ParameterBlock;

/**
 * The order of weights, layer by layer. θ holds X row by row, the bias as last row. DL4J's flat
 * parameters hold a dense layer's weights [nIn, nOut] column by column, then the bias; of a
 * convolution the bias, then the weights [filters, channels, kernel rows, kernel columns].
 */
final class Dl4jWeights {
  private Dl4jWeights() {}

  /** θ of DL4J's parameters. */
  static double[] fromDl4j(Network network, double[] parameters) {
    return reorder(network, parameters, true);
  }

  /** DL4J's parameters of θ. */
  static double[] toDl4j(Network network, double[] theta) {
    return reorder(network, theta, false);
  }

  private static double[] reorder(Network network, double[] from, boolean toRows) {
    Check.that(
        from.length == network.parameterCount(),
        "the network has %d parameters, got %d",
        network.parameterCount(),
        from.length);
    double[] to = new double[from.length];
    for (ParameterBlock block : network.blocks()) {
      Layer layer = network.layers().get(block.layer());
      for (int row = 0; row < block.rows(); row++) {
        for (int column = 0; column < block.columns(); column++) {
          int here = block.offset() + row * block.columns() + column;
          int there = block.offset() + place(layer, block, row, column);
          if (toRows) {
            to[here] = from[there];
          } else {
            to[there] = from[here];
          }
        }
      }
    }
    return to;
  }

  /** Where X[row, column] is in DL4J's parameters of the layer. */
  private static int place(Layer layer, ParameterBlock block, int row, int column) {
    int weights = block.hasBias() ? block.rows() - 1 : block.rows();
    if (layer instanceof ConvolutionLayer convolution) {
      int biases = block.hasBias() ? block.columns() : 0;
      if (row == weights) {
        return column;
      }
      int channels = convolution.window().in().channels();
      int elements = convolution.window().elements();
      return biases + (column * channels + row % channels) * elements + row / channels;
    }
    return row < weights ? column * weights + row : weights * block.columns() + column;
  }
}
