package org.kfac4j.verify;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.kfac4j.curvature.FisherType;
import org.kfac4j.data.Hashing;
import org.kfac4j.network.DropoutLayer;
import org.kfac4j.network.Loss;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;

/**
 * Outputs of the examples of a {@link FisherSample} as functions of θ, and Fisher products by
 * differences of them, with nothing but forward passes:
 *
 * <pre>  vᵀ F v = E[Σ_c (g_cᵀ J v)²],   J v ≈ differences of the outputs z(θ ± h v)
 * </pre>
 *
 * with g_c the gradients at the outputs that curvature starts from. Batch normalisation's mean and
 * variance are those of the examples at θ and stay it when θ moves, because curvature takes them
 * for constants: outputs are then those of evaluation, with these in the place of running averages.
 */
final class HeldOutputs {
  private final FisherSample fisher;
  private final double[] theta;
  private final Selection examples;

  /** What is held: the mean and variance that take the places of a block of statistics. */
  private Map<ParameterBlock, double[]> held = Map.of();

  private final List<double[]> gradients = new ArrayList<>();

  /** At θ, which is not changed. */
  HeldOutputs(FisherSample fisher, double[] theta) {
    this.fisher = fisher;
    this.theta = theta;
    this.examples = new Selection(fisher.sample(), fisher.batch());
    if (!network().statistics().isEmpty()) {
      this.held = examples.statistics(theta);
    }
    startGradients();
  }

  /** Why a network's outputs cannot be had like that, or null if they can. */
  static @Nullable String refusal(Network network) {
    return !network.statistics().isEmpty()
            && network.layers().stream().anyMatch(DropoutLayer.class::isInstance)
        ? "dropout is of training, where batch normalisation's statistics cannot be held"
        : null;
  }

  private Network network() {
    return fisher.sample().network();
  }

  private void startGradients() {
    double[] z = at(theta);
    Loss loss = network().loss();
    if (fisher.fisher() == FisherType.EXACT) {
      for (int c = 0; c < loss.fisherVectors(); c++) {
        double[] g = new double[z.length];
        loss.fisherVector(c, z, examples.count(), g);
        gradients.add(g);
      }
    } else {
      long[] keys =
          Arrays.stream(examples.ids()).map(id -> Hashing.key(FisherSample.TARGETS, id)).toArray();
      double[] g = new double[z.length];
      loss.sampledGradient(z, keys, examples.count(), g);
      gradients.add(g);
    }
  }

  /** z, [examples, outputs]. */
  private double[] at(double[] where) {
    if (held.isEmpty()) {
      return examples.outputs(where);
    }
    double[] at = where.clone();
    held.forEach((block, values) -> System.arraycopy(values, 0, at, block.offset(), values.length));
    return examples.evaluated(at);
  }

  /** A random direction whose entries have the size of the weights, zero but in a block. */
  double[] direction(ParameterBlock block, long key) {
    double[] direction = new double[theta.length];
    double size = fisher.sample().size(theta, block);
    for (int i = block.offset(); i < block.end(); i++) {
      direction[i] = size * Hashing.normal(key, i);
    }
    return direction;
  }

  /** The direction of one parameter, of the size of its block's weights. */
  double[] coordinate(ParameterBlock block, int index) {
    double[] direction = new double[theta.length];
    direction[block.offset() + index] = fisher.sample().size(theta, block);
    return direction;
  }

  /** How much {@code product} differs from vᵀ F v, relative to {@code scale} or vᵀ F v. */
  double error(double[] v, double product, double scale, Differences differences) {
    return differences.error(
        h -> {
          double expected = product(v, h);
          return Vec.ratio(Math.abs(product - expected), Math.max(scale, expected));
        });
  }

  private double product(double[] v, double step) {
    double[] tangent = Differences.tangent(h -> at(Vec.plus(theta, h, v)), step);
    int width = network().outputs();
    double sum = 0;
    for (double[] g : gradients) {
      for (int from = 0; from < tangent.length; from += width) {
        double slope = Vec.dot(g, tangent, from, from + width);
        sum += slope * slope;
      }
    }
    return sum / examples.count();
  }

  /** For tables. */
  String describe() {
    return held.isEmpty() ? "the outputs" : "the outputs, batch normalisation's statistics held";
  }
}
