package org.kfac4j.verify;

import java.util.Arrays;
import java.util.Map;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.kfac4j.curvature.BlockForward;
import org.kfac4j.curvature.Parameters;
import org.kfac4j.data.Batch;
import org.kfac4j.data.Examples;
import org.kfac4j.data.Hashing;
import org.kfac4j.linalg.Precision;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.Targets;

/**
 * A batch of a sample's examples, gathered, and what the network makes of them as functions of θ,
 * with nothing but forward passes.
 */
final class Selection {
  private final Sample sample;
  private final Batch batch;
  private final long[] ids;
  private final float[] features;
  private final Targets targets;

  Selection(Sample sample, Batch batch) {
    this.sample = sample;
    this.batch = batch;
    Batch.Visits visits = batch.visits();
    this.ids = LongStream.range(0, batch.size()).filter(id -> visits.place(id, 0) >= 0).toArray();
    Examples all = sample.examples();
    this.features = gathered(all.features(), all.count());
    int @Nullable [] labels = all.labels();
    float @Nullable [] vectors = all.targets();
    this.targets =
        new Targets(
            labels == null ? null : Arrays.stream(ids).mapToInt(id -> labels[(int) id]).toArray(),
            vectors == null ? null : gathered(vectors, all.count()));
  }

  private float[] gathered(float[] rows, int count) {
    int width = rows.length / count;
    float[] gathered = new float[ids.length * width];
    for (int i = 0; i < ids.length; i++) {
      System.arraycopy(rows, Math.toIntExact(ids[i]) * width, gathered, i * width, width);
    }
    return gathered;
  }

  Batch batch() {
    return batch;
  }

  int count() {
    return ids.length;
  }

  /** Ids of the examples, in the order in which outputs have them. */
  long[] ids() {
    return ids;
  }

  private Network network() {
    return sample.network();
  }

  private BlockForward forward(double[] theta) {
    Parameters weights = new Parameters(theta, Precision.DOUBLE);
    return sample.backend().forward(network(), weights, count());
  }

  private void train(BlockForward forward) {
    forward.runTraining(features, count(), Hashing.key(batch.seed(), batch.start()), ids);
  }

  /** The network's outputs z in training, [count, outputs] row by row. */
  double[] outputs(double[] theta) {
    try (BlockForward forward = forward(theta)) {
      train(forward);
      return outputs(forward);
    }
  }

  /** The network's outputs z after training, [count, outputs] row by row. */
  double[] evaluated(double[] theta) {
    try (BlockForward forward = forward(theta)) {
      forward.run(features, count());
      return outputs(forward);
    }
  }

  private double[] outputs(BlockForward forward) {
    double[] z = new double[count() * network().outputs()];
    forward.value(network().layers().size(), z);
    return z;
  }

  /** What batch normalisation takes of the examples in training. */
  Map<ParameterBlock, double[]> statistics(double[] theta) {
    try (BlockForward forward = forward(theta)) {
      train(forward);
      return BatchStatistics.of(network(), forward, count());
    }
  }

  /** The mean loss in training, with the l2 term, in nats. */
  double loss(double[] theta) {
    return network().loss().value(outputs(theta), targets, count()) / count()
        + network().penalty(theta);
  }
}
