package org.kfac4j.optimizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.kfac4j.curvature.SumNames;
import org.kfac4j.curvature.Sums;
import org.kfac4j.linalg.Vectors;
import org.kfac4j.network.BatchNormalizationLayer;
import org.kfac4j.network.Network;

/**
 * The regularised objective h and its gradient on a batch: the one place where a gradient's sum
 * becomes a mean.
 *
 * @param loss mean of L, without l2
 * @param objective h = loss + l2
 * @param gradient ∇h, laid out as θ; zero where θ has averages over examples
 * @param excess by how much those averages exceed the batch's, block after block
 */
record MeanGradient(double loss, double objective, double[] gradient, List<double[]> excess) {
  /**
   * @throws DivergedException naming iteration and layer if the loss or the gradient is not finite
   */
  static MeanGradient of(Sums sums, Network network, double[] theta, int k) {
    double count = sums.scalar(SumNames.COUNT);
    double loss = sums.scalar(SumNames.LOSS) / count;
    if (!Double.isFinite(loss)) {
      throw new DivergedException(
          "iteration " + k + ": the loss is " + loss + "; " + firstNotFinite(sums, network));
    }
    double[] gradient = new double[network.parameterCount()];
    for (Network.ParameterBlock block : network.blocks()) {
      AtomicBoolean finite = new AtomicBoolean(true);
      for (Network.Range range : block.ranges()) {
        Vectors.forRanges(
            range.from(),
            range.to(),
            (from, to) -> {
              sums.mean(SumNames.GRADIENT, count, from, to, gradient);
              if (!Vectors.isFinite(gradient, from, to)) {
                finite.set(false);
              }
              range.addPenaltyGradient(theta, gradient, from, to);
            });
      }
      if (!finite.get()) {
        throw new DivergedException(
            "iteration " + k + ": the gradient of layer " + block.name() + " is not finite");
      }
    }
    List<double[]> excess = new ArrayList<>();
    for (Network.ParameterBlock block : network.statistics()) {
      sums.mean(SumNames.GRADIENT, count, block.offset(), block.end(), gradient);
      if (!Vectors.isFinite(gradient, block.offset(), block.end())) {
        throw new DivergedException(
            "iteration " + k + ": the statistics of layer " + block.name() + " are not finite");
      }
      excess.add(Arrays.copyOfRange(gradient, block.offset(), block.end()));
      Arrays.fill(gradient, block.offset(), block.end(), 0);
    }
    return new MeanGradient(loss, loss + network.penalty(theta), gradient, excess);
  }

  /** Moves the averages over examples in {@code theta} towards the batch's. */
  void moveStatistics(Network network, double[] theta) {
    List<Network.ParameterBlock> blocks = network.statistics();
    for (int i = 0; i < blocks.size(); i++) {
      Network.ParameterBlock block = blocks.get(i);
      double step = 1 - ((BatchNormalizationLayer) network.layers().get(block.layer())).decay();
      for (int k = 0; k < excess.get(i).length; k++) {
        theta[block.offset() + k] -= step * excess.get(i)[k];
      }
    }
  }

  private static String firstNotFinite(Sums sums, Network network) {
    for (int i = 0; i < network.layers().size(); i++) {
      if (sums.scalar(SumNames.notFinite(i)) > 0) {
        return "the first output that is not finite is that of layer "
            + network.layers().get(i).name();
      }
    }
    return "no layer's output is";
  }
}
