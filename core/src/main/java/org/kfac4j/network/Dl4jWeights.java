package org.kfac4j.network;

import org.kfac4j.Check;
import org.kfac4j.network.Network.ParameterBlock;

/**
 * The order of weights, layer by layer. θ holds X row by row, the bias as last row. DL4J's flat
 * parameters hold a dense layer's weights [nIn, nOut] column by column, then the bias; of a
 * convolution the bias, then the weights [filters, channels, kernel rows, kernel columns], of a
 * depthwise one [kernel rows, kernel columns, channels, filters of a channel]; of batch
 * normalisation the same as θ, but that σ² may be log10 σ.
 */
final class Dl4jWeights {
  /** The smallest variance of which DL4J gets the logarithm: that of 0 is not finite. */
  private static final double SMALLEST_VARIANCE = Float.MIN_NORMAL;

  private Dl4jWeights() {}

  /** θ of DL4J's parameters. */
  static double[] fromDl4j(Network network, double[] parameters) {
    double[] theta = reorder(network, parameters, true);
    for (ParameterBlock block : network.statistics()) {
      if (isLogarithmic(network, block)) {
        for (int i = block.end() - block.columns(); i < block.end(); i++) {
          theta[i] = Math.pow(10, 2 * theta[i]);
        }
      }
    }
    return theta;
  }

  /** DL4J's parameters of θ. */
  static double[] toDl4j(Network network, double[] theta) {
    double[] values = theta.clone();
    for (ParameterBlock block : network.statistics()) {
      if (isLogarithmic(network, block)) {
        for (int i = block.end() - block.columns(); i < block.end(); i++) {
          values[i] = 0.5 * Math.log10(Math.max(values[i], SMALLEST_VARIANCE));
        }
      }
    }
    return reorder(network, values, false);
  }

  private static boolean isLogarithmic(Network network, ParameterBlock block) {
    return network.layers().get(block.layer()) instanceof BatchNormalizationLayer normalization
        && normalization.logarithmic();
  }

  private static double[] reorder(Network network, double[] from, boolean toRows) {
    Check.that(
        from.length == network.parameterCount(),
        "the network has %d parameters, got %d",
        network.parameterCount(),
        from.length);
    double[] to = new double[from.length];
    int layerOffset = 0;
    for (ParameterBlock block : network.parts()) {
      layerOffset = block.part() == 0 ? block.offset() : layerOffset;
      Layer layer = network.layers().get(block.layer());
      for (int row = 0; row < block.rows(); row++) {
        for (int column = 0; column < block.columns(); column++) {
          int here = block.offset() + row * block.columns() + column;
          int there = layerOffset + place(layer, block, here - layerOffset, row, column);
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

  /**
   * Where X[row, column] is in DL4J's parameters of the layer.
   *
   * @param here where it is in θ's
   */
  private static int place(Layer layer, ParameterBlock block, int here, int row, int column) {
    if (layer instanceof ScaleLayer) {
      return here;
    }
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
    if (layer instanceof DepthwiseConvolutionLayer convolution) {
      int channels = convolution.window().in().channels();
      int filter = block.part() * block.columns() + column;
      int biases = block.hasBias() ? channels * block.columns() : 0;
      return row == weights ? filter : biases + row * channels * block.columns() + filter;
    }
    return row < weights ? column * weights + row : weights * block.columns() + column;
  }
}
