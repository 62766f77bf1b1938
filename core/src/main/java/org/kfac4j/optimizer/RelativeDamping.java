package org.kfac4j.optimizer;

import java.io.Serializable;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntToDoubleFunction;
import org.kfac4j.Check;
import org.kfac4j.network.ConvolutionLayer;
import org.kfac4j.network.DepthwiseConvolutionLayer;
import org.kfac4j.network.Layer;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;

/**
 * Damping relative to a convolution's curvature: block l gets λ max(tr F_l, ν) / dim F_l, and all
 * other blocks of a network with convolutions the largest of these; a network without convolutions
 * gets λ itself. With λ = 1 that of TKFAC (TKFAC_new, Gao et al. 2020, arXiv:2011.10741, eq. 5.16)
 * and TEKFAC (arXiv:2011.13609, eq. 3.5).
 *
 * <p>F_l is what the preconditioner takes for the Fisher block: tr F_l is tr A tr G of K-FAC, δ of
 * TKFAC, and the sum of the eigenvalues that EKFAC and TEKFAC have estimated, tr Θ_l, which unlike
 * δ has what a convolution's positions have in common. Before they have, the factors' trace stands
 * in; blocks of scales, which no article speaks of, are inverted with that.
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

  /**
   * What is added to each block.
   *
   * @param trace tr F_l of the block with that index among {@link Network#blocks}
   */
  double[] of(Network network, IntToDoubleFunction trace, double lambda) {
    List<ParameterBlock> blocks = network.blocks();
    double[] dampings = new double[blocks.size()];
    Arrays.fill(dampings, Double.NaN);
    double largest = Double.NaN;
    for (int i = 0; i < dampings.length; i++) {
      Layer layer = network.layers().get(blocks.get(i).layer());
      if (layer instanceof ConvolutionLayer || layer instanceof DepthwiseConvolutionLayer) {
        double floored = Math.max(trace.applyAsDouble(i), floor);
        dampings[i] = lambda * floored / blocks.get(i).shape().size();
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
