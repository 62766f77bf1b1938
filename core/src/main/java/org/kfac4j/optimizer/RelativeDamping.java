package org.kfac4j.optimizer;

import java.io.Serializable;
import java.util.Arrays;
import java.util.List;
import org.kfac4j.Check;
import org.kfac4j.curvature.BlockStatistics;
import org.kfac4j.network.ConvolutionLayer;
import org.kfac4j.network.DepthwiseConvolutionLayer;
import org.kfac4j.network.Layer;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;

/**
 * Damping relative to a convolution's curvature: block l gets λ max(tr F_l, ν) / dim F_l, and all
 * other blocks of a network with convolutions the largest of these; a network without convolutions
 * gets λ itself. Of TKFAC (TKFAC_new, Gao et al. 2020, arXiv:2011.10741, eq. 5.16) and TEKFAC
 * (arXiv:2011.13609, eq. 3.5, of the sum of Θ; here of the trace that the statistics have), with λ
 * = 1 there.
 *
 * @param floor ν
 */
public record RelativeDamping(double floor) implements Serializable {
  public RelativeDamping {
    Check.that(
        floor > 0 && Double.isFinite(floor),
        "curvature.relative-damping.floor must be positive and finite, got %s",
        floor);
  }

  /** What is added to each block. */
  double[] of(Network network, List<BlockStatistics> statistics, double lambda) {
    List<ParameterBlock> blocks = network.blocks();
    double[] dampings = new double[blocks.size()];
    Arrays.fill(dampings, Double.NaN);
    double largest = Double.NaN;
    for (int i = 0; i < dampings.length; i++) {
      Layer layer = network.layers().get(blocks.get(i).layer());
      if (layer instanceof ConvolutionLayer || layer instanceof DepthwiseConvolutionLayer) {
        double trace = Math.max(statistics.get(i).fisherTrace(), floor);
        dampings[i] = lambda * trace / blocks.get(i).shape().size();
        largest = Double.isNaN(largest) ? dampings[i] : Math.max(largest, dampings[i]);
      }
    }
    for (int i = 0; i < dampings.length; i++) {
      if (Double.isNaN(dampings[i])) {
        dampings[i] = Double.isNaN(largest) ? lambda : largest;
      }
    }
    return dampings;
  }
}
