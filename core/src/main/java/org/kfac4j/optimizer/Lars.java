package org.kfac4j.optimizer;

import org.kfac4j.Check;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.ParameterRole;

/**
 * Layer-wise adaptive rate scaling, for large batches: for the weights w of each block, with g
 * their gradient,
 *
 * <pre>  q = η ‖w‖ / (‖g‖ + β ‖w‖),   v ← μ v + α q (g + β w),   w ← w − v</pre>
 *
 * You et al. 2017, arXiv:1708.03888. q is 1 where a norm is zero; biases, scales and shifts take q
 * = 1 and no decay.
 *
 * @param momentum μ by iteration
 * @param trust η
 * @param weightDecay β, apart from the loss's own l2
 */
public record Lars(Schedule momentum, double trust, double weightDecay) implements FirstOrder.Rule {
  public Lars {
    Check.that(
        trust > 0 && Double.isFinite(trust),
        "optimizer.lars.trust must be positive, got %s",
        trust);
    Check.that(
        weightDecay >= 0 && Double.isFinite(weightDecay),
        "optimizer.lars.weight-decay must be finite and not negative, got %s",
        weightDecay);
  }

  @Override
  public int slots() {
    return 1;
  }

  @Override
  public void update(FirstOrder.Now now, double[][] slots, double[] update) {
    double mu = momentum.at(now.k());
    double[] v = slots[0];
    for (ParameterBlock block : now.network().blocks()) {
      int end = Layerwise.adaptedEnd(block);
      double rate = now.alpha() * rate(now, block.offset(), end);
      for (int i = block.offset(); i < block.end(); i++) {
        double g =
            i < end
                ? rate * (now.gradient()[i] + weightDecay * now.theta()[i])
                : now.alpha() * now.gradient()[i];
        v[i] = mu * v[i] + g;
        update[i] = -v[i];
      }
    }
  }

  /** q of the weights in [from, to). */
  private double rate(FirstOrder.Now now, int from, int to) {
    double w = Layerwise.norm(now.theta(), from, to);
    double g = Layerwise.norm(now.gradient(), from, to);
    return w > 0 && g > 0 ? trust * w / (g + weightDecay * w) : 1;
  }

  /** What {@link Lars} and {@link Lamb} have in common. */
  static final class Layerwise {
    private Layerwise() {}

    /** The end of a block's numbers that are scaled by their norm: weights, but no biases. */
    static int adaptedEnd(ParameterBlock block) {
      return block.shape().role() == ParameterRole.WEIGHTS ? block.biasOffset() : block.offset();
    }

    static double norm(double[] v, int from, int to) {
      return Math.sqrt(org.kfac4j.linalg.Vectors.dot(v, v, from, to));
    }
  }
}
