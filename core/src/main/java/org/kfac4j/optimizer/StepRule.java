package org.kfac4j.optimizer;

import java.io.Serializable;
import org.kfac4j.Check;

/** How far to go along the preconditioned gradient. */
public sealed interface StepRule extends Serializable {

  /**
   * α and μ that minimise the quadratic model with the exact Fisher matrix, arXiv:1503.05671 §6.4
   * and §7; no learning rate.
   *
   * @param fraction τ2 of the batch for the products
   * @param momentum whether the previous update is a second direction
   */
  record Exact(double fraction, boolean momentum) implements StepRule {
    public Exact {
      Check.that(
          0 < fraction && fraction <= 1,
          "curvature.products-fraction must be in (0, 1], got %s",
          fraction);
    }
  }

  /**
   * m ← μ m + ν v, θ ← θ − α m, with v the preconditioned gradient and ν = min(1, sqrt(κ / |α² ⟨v,
   * ∇h⟩|)) over all layers (KL clip).
   *
   * @param klClip κ, 0 for no clip
   */
  record Scheduled(Schedule learningRate, Schedule momentum, double klClip) implements StepRule {
    public Scheduled {
      Check.that(
          klClip >= 0 && Double.isFinite(klClip),
          "optimizer.kl-clip must be finite and not negative, got %s",
          klClip);
    }

    /**
     * ν for a step.
     *
     * @param product ⟨v, ∇h⟩ summed over the layers
     */
    public double clip(double alpha, double product) {
      double change = Math.abs(alpha * alpha * product);
      return klClip == 0 || change <= klClip ? 1 : Math.sqrt(klClip / change);
    }
  }
}
