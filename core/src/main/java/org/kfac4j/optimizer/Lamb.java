package org.kfac4j.optimizer;

import org.kfac4j.Check;
import org.kfac4j.network.Network.ParameterBlock;

/**
 * Layer-wise adaptive moments, for large batches: with Adam's m̂ and v̂, for the weights w of each
 * block
 *
 * <pre>  r = m̂ / (√v̂ + ε) + β w,   w ← w − α (‖w‖ / ‖r‖) r</pre>
 *
 * You et al. 2020, arXiv:1904.00962, algorithm 2. The ratio is 1 where a norm is zero; biases,
 * scales and shifts take 1 and no decay.
 *
 * @param weightDecay β, apart from the loss's own l2
 */
public record Lamb(double beta1, double beta2, double epsilon, double weightDecay)
    implements FirstOrder.Rule {
  public Lamb {
    Check.that(0 <= beta1 && beta1 < 1, "optimizer.lamb.beta1 must be in [0, 1), got %s", beta1);
    Check.that(0 <= beta2 && beta2 < 1, "optimizer.lamb.beta2 must be in [0, 1), got %s", beta2);
    Check.that(epsilon > 0, "optimizer.lamb.epsilon must be positive, got %s", epsilon);
    Check.that(
        weightDecay >= 0 && Double.isFinite(weightDecay),
        "optimizer.lamb.weight-decay must be finite and not negative, got %s",
        weightDecay);
  }

  @Override
  public int slots() {
    return 2;
  }

  @Override
  public void update(FirstOrder.Now now, double[][] slots, double[] update) {
    // Adam's update with a rate of 1 is −m̂ / (√v̂ + ε).
    FirstOrder.Now unit =
        new FirstOrder.Now(now.network(), now.theta(), now.gradient(), 1, now.k());
    new FirstOrder.Adam(beta1, beta2, epsilon).update(unit, slots, update);
    for (ParameterBlock block : now.network().blocks()) {
      int from = block.offset();
      int end = Lars.Layerwise.adaptedEnd(block);
      for (int i = from; i < end; i++) {
        update[i] -= weightDecay * now.theta()[i];
      }
      double w = Lars.Layerwise.norm(now.theta(), from, end);
      double r = Lars.Layerwise.norm(update, from, end);
      double ratio = w > 0 && r > 0 ? w / r : 1;
      for (int i = from; i < block.end(); i++) {
        update[i] *= now.alpha() * (i < end ? ratio : 1);
      }
    }
    for (ParameterBlock block : now.network().statistics()) {
      java.util.Arrays.fill(update, block.offset(), block.end(), 0);
    }
  }
}
