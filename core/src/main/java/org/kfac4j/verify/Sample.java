package org.kfac4j.verify;

import java.util.EnumSet;
import java.util.Set;
import org.kfac4j.Check;
import org.kfac4j.curvature.ComputeBackend;
import org.kfac4j.data.Batch;
import org.kfac4j.data.Examples;
import org.kfac4j.data.Hashing;
import org.kfac4j.network.Activation.Function;
import org.kfac4j.network.ActivationLayer;
import org.kfac4j.network.GlobalPoolingLayer;
import org.kfac4j.network.Layer;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.ParametricReluLayer;
import org.kfac4j.network.PoolingLayer;

/**
 * A network and a few examples of its data, small enough to be one block.
 *
 * @param backend in float64; its blocks hold all of the examples
 * @param examples with ids from 0 on
 */
public record Sample(Network network, ComputeBackend backend, Examples examples) {
  /** How far weights are moved, relative to their own size. */
  private static final double MOVE = 0.05;

  /** Those without kinks. */
  private static final Set<Function> SMOOTH =
      EnumSet.of(
          Function.IDENTITY,
          Function.SIGMOID,
          Function.TANH,
          Function.SOFTPLUS,
          Function.SWISH,
          Function.GELU,
          Function.MISH,
          Function.CUBE);

  /** Numbers with a kink each, of which within a small step hardly any passes it. */
  private static final long KINKS = 1L << 20;

  /** Batch normalisation of vectors leaves nothing of a single one. */
  private static final long FEWEST = 2;

  public Sample {
    Check.that(examples.firstId() == 0, "ids must begin at 0, got %d", examples.firstId());
    Check.that(examples.count() >= 1, "a sample needs at least one example");
  }

  public int count() {
    return examples.count();
  }

  /**
   * θ with every trained weight moved a little at random: initial weights have biases of zero, with
   * which units of empty inputs are exactly where a ReLU has no derivative.
   */
  public double[] moved(double[] theta, long key) {
    double[] direction = direction(theta, key);
    return Vec.plus(theta, MOVE, direction);
  }

  /**
   * A random direction whose entries have the size of their block's weights (of 0.1 where these are
   * all zero); zero where nothing is trained.
   */
  double[] direction(double[] theta, long key) {
    double[] direction = new double[theta.length];
    for (ParameterBlock block : network.blocks()) {
      double size = size(theta, block);
      for (int i = block.offset(); i < block.end(); i++) {
        direction[i] = size * Hashing.normal(key, i);
      }
    }
    return direction;
  }

  /** Root mean square of a block's weights, 0.1 if they are all zero. */
  double size(double[] theta, ParameterBlock block) {
    double size = Vec.rms(theta, block.offset(), block.end());
    return size > 0 ? size : 0.1;
  }

  /**
   * θ with the examples' own mean and variance in the place of batch normalisation's running
   * averages, as after a training. Those that a run begins with let values of deep networks grow
   * until every output is 0 or 1 and comparisons of outputs say nothing.
   */
  double[] settled(double[] theta) {
    double[] settled = theta.clone();
    new Selection(this, Batch.everything(count()))
        .statistics(theta)
        .forEach(
            (block, values) -> System.arraycopy(values, 0, settled, block.offset(), values.length));
    return settled;
  }

  /** What the network predicts after training, [count, outputs] row by row. */
  double[] predictions(double[] theta) {
    double[] z = new Selection(this, Batch.everything(count())).evaluated(theta);
    network.loss().predict(z, count());
    return z;
  }

  /** As many examples, at random, as {@link Differences} can cope with. */
  Selection forDifferences() {
    long each = network.layers().stream().mapToLong(Sample::kinks).sum();
    long most = each == 0 ? count() : Math.max(FEWEST, KINKS / each);
    return new Selection(this, new Batch(count(), 0, 0, Math.min(count(), most)));
  }

  /** Numbers of an example with a kink each. */
  private static long kinks(Layer layer) {
    boolean smooth = true;
    if (layer instanceof ActivationLayer of) {
      smooth = SMOOTH.contains(of.activation().function());
    } else if (layer instanceof PoolingLayer of) {
      smooth = of.kind() != PoolingLayer.Kind.MAX;
    } else if (layer instanceof GlobalPoolingLayer of) {
      smooth = of.kind() != GlobalPoolingLayer.Kind.MAX;
    } else if (layer instanceof ParametricReluLayer) {
      smooth = false;
    }
    return smooth ? 0 : layer.outputs();
  }
}
