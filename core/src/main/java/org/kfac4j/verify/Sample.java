package org.kfac4j.verify;

import java.util.Arrays;
import org.kfac4j.Check;
import org.kfac4j.curvature.BlockForward;
import org.kfac4j.curvature.ComputeBackend;
import org.kfac4j.curvature.Parameters;
import org.kfac4j.data.Batch;
import org.kfac4j.data.Examples;
import org.kfac4j.data.Hashing;
import org.kfac4j.linalg.Precision;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.Targets;

/**
 * A network and a few examples of its data, small enough to be one block.
 *
 * @param backend in float64; its blocks hold all of the examples
 * @param examples with ids from 0 on
 */
public record Sample(Network network, ComputeBackend backend, Examples examples) {
  /** How far weights are moved, relative to their own size. */
  private static final double MOVE = 0.05;

  public Sample {
    Check.that(examples.firstId() == 0, "ids must begin at 0, got %d", examples.firstId());
    Check.that(examples.count() >= 1, "a sample needs at least one example");
  }

  public int count() {
    return examples.count();
  }

  /** Every example once. */
  public Batch batch() {
    return Batch.everything(count());
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

  /** The network's outputs z in training, [count, outputs] row by row. */
  double[] outputs(double[] theta) {
    long[] ids = new long[count()];
    Arrays.setAll(ids, i -> i);
    Batch batch = batch();
    return outputs(
        theta,
        forward ->
            forward.runTraining(
                examples.features(), count(), Hashing.key(batch.seed(), batch.start()), ids));
  }

  /** What the network predicts after training, [count, outputs] row by row. */
  double[] predictions(double[] theta) {
    double[] z = outputs(theta, forward -> forward.run(examples.features(), count()));
    network.loss().predict(z, count());
    return z;
  }

  private interface Pass {
    void run(BlockForward forward);
  }

  private double[] outputs(double[] theta, Pass pass) {
    double[] z = new double[count() * network.outputs()];
    try (BlockForward forward =
        backend.forward(network, new Parameters(theta, Precision.DOUBLE), count())) {
      pass.run(forward);
      forward.value(network.layers().size(), z);
    }
    return z;
  }

  /** The mean loss of the examples in training, with the l2 term, in nats. */
  double loss(double[] theta) {
    Targets targets = new Targets(examples.labels(), examples.targets());
    return network.loss().value(outputs(theta), targets, count()) / count()
        + network.penalty(theta);
  }
}
