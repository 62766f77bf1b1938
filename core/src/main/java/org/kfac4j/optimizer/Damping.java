package org.kfac4j.optimizer;

import java.io.Serializable;
import org.kfac4j.Check;

/** λ by iteration. */
public sealed interface Damping extends Serializable {
  /** λ of the first iteration. */
  double initial();

  /** λ of iteration {@code k} given that of the one before; adaptive rules keep it. */
  double at(int k, double previous);

  /** A schedule, constant or not. */
  record Scheduled(Schedule schedule) implements Damping {
    @Override
    public double initial() {
      return schedule.at(1);
    }

    @Override
    public double at(int k, double previous) {
      return schedule.at(k);
    }
  }

  /**
   * Levenberg–Marquardt, arXiv:1503.05671 §6.5: every T1 iterations λ ← ω1 λ if ρ > ¾, λ ← λ / ω1
   * if ρ < ¼, with ω1 = decay^T1 and the reduction ratio ρ = [h(θ + δ) − h(θ)] / [M(δ) − M(0)].
   *
   * @param initial λ of the first iteration
   * @param minimum floor of λ
   * @param maximum ceiling of λ
   * @param period T1
   * @param decay per iteration
   * @param ratioIncludesDamping whether M in ρ has its λ term, as in the paper
   */
  record LevenbergMarquardt(
      double initial,
      double minimum,
      double maximum,
      int period,
      double decay,
      boolean ratioIncludesDamping)
      implements Damping {
    public LevenbergMarquardt {
      Check.that(
          0 < minimum && minimum <= maximum,
          "damping must have 0 < minimum <= maximum, got %s and %s",
          minimum,
          maximum);
      Check.that(
          minimum <= initial && initial <= maximum,
          "initial damping must be in [%s, %s], got %s",
          minimum,
          maximum,
          initial);
      Check.that(0 < decay && decay < 1, "damping decay must be in (0, 1), got %s", decay);
      Check.that(period >= 1, "the damping period must be at least 1, got %d", period);
    }

    @Override
    public double at(int k, double previous) {
      return previous;
    }

    /** Whether iteration {@code k} measures ρ. */
    public boolean isDue(int k) {
      return k % period == 0;
    }

    /**
     * λ after an iteration with reduction ratio {@code rho}; a ratio that is not a number counts as
     * a bad step.
     */
    public double adapted(double lambda, double rho) {
      double omega = Math.pow(decay, period);
      double next = lambda;
      if (rho > 0.75) {
        next = lambda * omega;
      } else if (!(rho >= 0.25)) {
        next = lambda / omega;
      }
      return Math.min(Math.max(next, minimum), maximum);
    }
  }
}
