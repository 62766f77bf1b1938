package org.kfac4j.verify;

import java.util.LinkedHashMap;
import java.util.Map;
import org.kfac4j.curvature.BlockForward;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;

/** Mean and variance of what goes into batch normalisation, by definition. */
final class BatchStatistics {
  private BatchStatistics() {}

  /**
   * Of every block of statistics of a network what the examples of a forward pass have, laid out as
   * the block: a mean for each channel, then a variance.
   *
   * @param forward has run {@code count} examples, as in training
   */
  static Map<ParameterBlock, double[]> of(Network network, BlockForward forward, int count) {
    Map<ParameterBlock, double[]> all = new LinkedHashMap<>();
    for (ParameterBlock block : network.statistics()) {
      int source = network.sources().get(block.layer()).get(0);
      double[] x = new double[count * network.value(source).size()];
      forward.value(source, x);
      all.put(block, of(x, block.columns()));
    }
    return all;
  }

  /**
   * @param x with channels together, position by position
   */
  private static double[] of(double[] x, int channels) {
    double[] result = new double[2 * channels];
    double count = (double) x.length / channels;
    for (int i = 0; i < x.length; i++) {
      result[i % channels] += x[i] / count;
    }
    for (int i = 0; i < x.length; i++) {
      double difference = x[i] - result[i % channels];
      result[channels + i % channels] += difference * difference / count;
    }
    return result;
  }
}
