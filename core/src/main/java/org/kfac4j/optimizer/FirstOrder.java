package org.kfac4j.optimizer;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.kfac4j.Check;
import org.kfac4j.Snapshot;
import org.kfac4j.curvature.Request;
import org.kfac4j.curvature.Sums;
import org.kfac4j.data.Batch;
import org.kfac4j.network.Network;

/**
 * First-order methods: θ ← θ + update(∇h).
 *
 * @param rule how the gradient becomes an update
 * @param learningRate α by iteration
 */
public record FirstOrder(Rule rule, Schedule learningRate) implements Optimizer {

  /**
   * How a gradient becomes an update: Sgd, Momentum and Adam here, {@link Lars} and {@link Lamb} in
   * files of their own. g is ∇h with the l2 term, α the learning rate, v and m start at zero.
   */
  public interface Rule {
    /** Number of vectors of θ's length that are kept between steps. */
    int slots();

    /** Writes the update to {@code update} and advances {@code slots}. */
    void update(Now now, double[][] slots, double[] update);
  }

  /**
   * What an update is made from.
   *
   * @param theta weights; left alone
   * @param gradient ∇h; left alone
   * @param alpha learning rate
   * @param k iteration, from 1
   */
  public record Now(Network network, double[] theta, double[] gradient, double alpha, int k) {}

  /** −α g. */
  public record Sgd() implements Rule {
    @Override
    public int slots() {
      return 0;
    }

    @Override
    public void update(Now now, double[][] slots, double[] update) {
      double[] g = now.gradient;
      for (int i = 0; i < g.length; i++) {
        update[i] = -now.alpha * g[i];
      }
    }
  }

  /**
   * v ← μ v + g, update −α v; with {@code nesterov} −α (g + μ v), Nesterov's method in the variable
   * θ + μv (Sutskever et al. 2013).
   *
   * @param momentum μ by iteration
   */
  public record Momentum(Schedule momentum, boolean nesterov) implements Rule {
    @Override
    public int slots() {
      return 1;
    }

    @Override
    public void update(Now now, double[][] slots, double[] update) {
      double[] g = now.gradient;
      double mu = momentum.at(now.k);
      double[] v = slots[0];
      for (int i = 0; i < g.length; i++) {
        v[i] = mu * v[i] + g[i];
        update[i] = -now.alpha * (nesterov ? g[i] + mu * v[i] : v[i]);
      }
    }
  }

  /**
   * m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², update −α m̂ / (√v̂ + ε). Kingma and Ba 2015,
   * arXiv:1412.6980, algorithm 1.
   */
  public record Adam(double beta1, double beta2, double epsilon) implements Rule {
    public Adam {
      Check.that(0 <= beta1 && beta1 < 1, "optimizer.adam.beta1 must be in [0, 1), got %s", beta1);
      Check.that(0 <= beta2 && beta2 < 1, "optimizer.adam.beta2 must be in [0, 1), got %s", beta2);
      Check.that(epsilon > 0, "optimizer.adam.epsilon must be positive, got %s", epsilon);
    }

    @Override
    public int slots() {
      return 2;
    }

    @Override
    public void update(Now now, double[][] slots, double[] update) {
      double[] g = now.gradient;
      double[] m = slots[0];
      double[] v = slots[1];
      double mScale = 1 / (1 - Math.pow(beta1, now.k));
      double vScale = 1 / (1 - Math.pow(beta2, now.k));
      for (int i = 0; i < g.length; i++) {
        m[i] = beta1 * m[i] + (1 - beta1) * g[i];
        v[i] = beta2 * v[i] + (1 - beta2) * g[i] * g[i];
        update[i] = -now.alpha * (m[i] * mScale) / (Math.sqrt(v[i] * vScale) + epsilon);
      }
    }
  }

  @Override
  public Optimizer.Run start(Network network, double[] theta, @Nullable Snapshot saved) {
    return new FirstOrderRun(this, network, theta, saved);
  }

  /** θ, the update, the gradient and its sum. */
  @Override
  public int vectors() {
    return 4 + rule.slots();
  }

  private static final class FirstOrderRun implements Optimizer.Run {
    private final FirstOrder settings;
    private final Network network;
    private final double[] theta;
    private final double[][] slots;
    private final double[] update;

    FirstOrderRun(FirstOrder settings, Network network, double[] theta, @Nullable Snapshot saved) {
      this.settings = settings;
      this.network = network;
      this.theta = theta.clone();
      this.update = new double[theta.length];
      this.slots = new double[settings.rule.slots()][];
      for (int i = 0; i < slots.length; i++) {
        slots[i] = saved == null ? new double[theta.length] : saved.doubles("slot " + i).clone();
      }
    }

    @Override
    public Step step(Objective objective, Batch batch, int k) {
      Sums sums;
      try (Objective.Point here = objective.at(theta)) {
        sums = here.evaluate(new Request.Gradient(batch, null));
      }
      MeanGradient mean = MeanGradient.of(sums, network, theta, k);
      double alpha = settings.learningRate.at(k);
      long begin = System.nanoTime();
      settings.rule.update(new Now(network, theta, mean.gradient(), alpha, k), slots, update);
      for (int i = 0; i < theta.length; i++) {
        theta[i] += update[i];
      }
      mean.moveStatistics(network, theta);
      objective.phases().add("update", (System.nanoTime() - begin) * 1e-9);
      Double mu =
          settings.rule instanceof Momentum momentum ? (Double) momentum.momentum().at(k) : null;
      return new Step(mean.loss(), null, alpha, mu, null, Map.of());
    }

    @Override
    public double[] theta() {
      return theta;
    }

    @Override
    public void save(Snapshot snapshot) {
      for (int i = 0; i < slots.length; i++) {
        snapshot.put("slot " + i, slots[i].clone());
      }
    }

    @Override
    public void close() {
      // Holds nothing but heap arrays.
    }
  }
}
