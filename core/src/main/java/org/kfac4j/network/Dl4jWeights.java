package org.kfac4j.network;

import org.kfac4j.Check;
import org.kfac4j.network.Network.ParameterBlock;

/**
 * The order of weights. θ holds each dense layer as [nIn + 1, nOut] row by row, the bias as last
 * row; DL4J's flat parameters hold [nIn, nOut] column by column, then the bias.
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
      int inputs = block.hasBias() ? block.rows() - 1 : block.rows();
      for (int row = 0; row < block.rows(); row++) {
        for (int column = 0; column < block.columns(); column++) {
          int here = block.offset() + row * block.columns() + column;
          int there = row < inputs ? block.offset() + column * inputs + row : here;
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
}
