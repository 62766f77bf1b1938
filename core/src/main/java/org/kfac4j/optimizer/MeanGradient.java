package org.kfac4j.optimizer;

import java.util.concurrent.atomic.AtomicBoolean;
import org.kfac4j.curvature.SumNames;
import org.kfac4j.curvature.Sums;
import org.kfac4j.linalg.Vectors;
import org.kfac4j.network.Network;

/**
 * The regularised objective h and its gradient on a batch: the one place where a gradient's sum
 * becomes a mean.
 *
 * @param loss mean of L, without l2
 * @param objective h = loss + l2
 * @param gradient ∇h, laid out as θ
 */
record MeanGradient(double loss, double objective, double[] gradient) {
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
    return new MeanGradient(loss, loss + network.penalty(theta), gradient);
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
