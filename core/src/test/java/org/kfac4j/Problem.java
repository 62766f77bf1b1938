package org.kfac4j;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.kfac4j.curvature.KroneckerFactors;
import org.kfac4j.curvature.Nd4jBackend;
import org.kfac4j.curvature.Request;
import org.kfac4j.curvature.Sums;
import org.kfac4j.data.Batch;
import org.kfac4j.data.Examples;
import org.kfac4j.data.Hashing;
import org.kfac4j.linalg.Precision;
import org.kfac4j.network.Activation;
import org.kfac4j.network.ActivationLayer;
import org.kfac4j.network.DenseLayer;
import org.kfac4j.network.Layer;
import org.kfac4j.network.Loss;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.SigmoidCrossEntropy;
import org.kfac4j.network.SoftmaxCrossEntropy;
import org.kfac4j.network.SquaredError;
import org.kfac4j.optimizer.Objective;
import org.kfac4j.training.LocalObjective;

/**
 * A small network and examples for it.
 *
 * @param labels one class for each example, or null
 * @param targets [count, outputs] row by row, or null
 */
public record Problem(Network network, float[] features, int[] labels, float[] targets) {
  /** Rows of a block in most tests: several blocks, the last one not full. */
  public static final int BLOCK_ROWS = 5;

  /** A random problem; targets are what the loss is made for. */
  public static Problem random(long key, Network network, int count) {
    float[] features = floats(Dense.normal(key, count * network.inputs()));
    return withTargets(key, network, features, !(network.loss() instanceof SoftmaxCrossEntropy));
  }

  /** As {@link #random}, with targets that are distributions over classes rather than classes. */
  public static Problem withDistributions(long key, Network network, int count) {
    float[] features = floats(Dense.normal(key, count * network.inputs()));
    return withTargets(key, network, features, true);
  }

  private static Problem withTargets(long key, Network network, float[] features, boolean vectors) {
    int outputs = network.outputs();
    int count = features.length / network.inputs();
    if (!vectors) {
      int[] labels = new int[count];
      Arrays.setAll(
          labels, n -> (int) Math.floorMod(Hashing.at(Hashing.key(key, 1), n), (long) outputs));
      return new Problem(network, features, labels, null);
    }
    float[] targets = new float[count * outputs];
    for (int i = 0; i < targets.length; i++) {
      targets[i] =
          network.loss() instanceof SquaredError
              ? (float) Hashing.normal(Hashing.key(key, 2), i)
              : (float) Hashing.uniform(Hashing.key(key, 2), i);
    }
    if (network.loss() instanceof SoftmaxCrossEntropy) {
      for (int n = 0; n < count; n++) {
        float sum = 0;
        for (int j = 0; j < outputs; j++) {
          sum += targets[n * outputs + j];
        }
        for (int j = 0; j < outputs; j++) {
          targets[n * outputs + j] /= sum;
        }
      }
    }
    return new Problem(network, features, null, targets);
  }

  /** Dense layers of these widths with an activation after each but the last. */
  public static Network network(
      Loss loss, Activation.Function function, boolean bias, int... widths) {
    List<Layer> layers = new ArrayList<>();
    for (int i = 1; i < widths.length; i++) {
      layers.add(new DenseLayer("dense" + i, widths[i - 1], widths[i], bias));
      if (i < widths.length - 1) {
        layers.add(new ActivationLayer("act" + i, widths[i], Activation.of(function)));
      }
    }
    return Network.of(loss, layers.toArray(Layer[]::new));
  }

  /** Every loss. */
  public static Stream<Loss> losses(int outputs) {
    return Stream.of(
        new SigmoidCrossEntropy(outputs),
        new SoftmaxCrossEntropy(outputs),
        new SquaredError(outputs, 1),
        new SquaredError(outputs, 1.0 / outputs),
        new SquaredError(outputs, 0.5));
  }

  public int count() {
    return features.length / network.inputs();
  }

  /** Features of example {@code n}. */
  public double[] x(int n) {
    double[] x = new double[network.inputs()];
    Arrays.setAll(x, i -> features[n * x.length + i]);
    return x;
  }

  /** Target vector of example {@code n}. */
  public double[] target(int n) {
    double[] target = new double[network.outputs()];
    Arrays.setAll(
        target, j -> labels == null ? targets[n * target.length + j] : labels[n] == j ? 1 : 0);
    return target;
  }

  /** Random weights for this network, of size 1 / sqrt(inputs) times {@code scale}. */
  public double[] theta(long key, double scale) {
    double[] theta = Dense.normal(key, network.parameterCount());
    for (ParameterBlock block : network.blocks()) {
      for (int i = block.offset(); i < block.end(); i++) {
        theta[i] *= scale / Math.sqrt(block.rows());
      }
    }
    for (ParameterBlock block : network.statistics()) {
      for (int i = block.end() - block.columns(); i < block.end(); i++) {
        theta[i] = 0.5 + Math.abs(theta[i]);
      }
    }
    return theta;
  }

  /** An objective in float64. */
  public LocalObjective objective() {
    return objective(Precision.DOUBLE);
  }

  /** In blocks of {@link #BLOCK_ROWS}; in one if the network takes statistics of a block. */
  public LocalObjective objective(Precision precision) {
    return objective(precision, network.statistics().isEmpty() ? BLOCK_ROWS : count(), 0, count());
  }

  /**
   * @param bounds where partitions begin and end: 0, …, N
   */
  public LocalObjective objective(Precision precision, int blockRows, int... bounds) {
    List<List<Examples>> partitions = new ArrayList<>();
    for (int i = 1; i < bounds.length; i++) {
      partitions.add(
          bounds[i] == bounds[i - 1] ? List.of() : List.of(examples(bounds[i - 1], bounds[i])));
    }
    return new LocalObjective(
        network, new Nd4jBackend(precision, blockRows, blockRows, 1), precision, partitions);
  }

  private Examples examples(int from, int to) {
    int inputs = network.inputs();
    int outputs = network.outputs();
    float[] x = Arrays.copyOfRange(features, from * inputs, to * inputs);
    return labels != null
        ? Examples.classified(from, x, Arrays.copyOfRange(labels, from, to))
        : Examples.withTargets(
            from, to - from, x, Arrays.copyOfRange(targets, from * outputs, to * outputs));
  }

  /** The sums of one request over all partitions at {@code theta}. */
  public Sums sums(double[] theta, Request request, double[]... directions) {
    try (LocalObjective objective = objective();
        Objective.Point here = objective.at(theta)) {
      return here.evaluate(request, List.of(directions));
    }
  }

  /** Every example. */
  public Batch all() {
    return Batch.everything(count());
  }

  /** Mean over a batch of Jᵀ F_R J, [parameters, parameters]. */
  public double[][] exactFisher(double[] theta, Batch batch) {
    PlainNetwork plain = new PlainNetwork(network, theta);
    double[][] sum = Dense.zeros(theta.length, theta.length);
    for (int n : members(batch)) {
      PlainNetwork.Pass pass = plain.forward(x(n));
      double[][] j = plain.jacobian(pass);
      double[][] fisher = PlainNetwork.outputFisher(network.loss(), pass.z());
      sum = Dense.plus(sum, Dense.times(Dense.transposed(j), Dense.times(fisher, j)));
    }
    return Dense.scaled(1.0 / batch.count(), sum);
  }

  /** Ids of the examples in a batch; one that it visits twice is there twice. */
  public int[] members(Batch batch) {
    Batch.Visits visits = batch.visits();
    return IntStream.range(0, count() * visits.epochs())
        .filter(i -> visits.place(i % count(), i / count()) >= 0)
        .map(i -> i % count())
        .toArray();
  }

  /** A ⊗ G of one layer. */
  public static double[][] block(KroneckerFactors factors) {
    return Dense.kronecker(
        Dense.unpacked(factors.inputs(), factors.rows()),
        Dense.unpacked(factors.gradients(), factors.columns()));
  }

  /** The diagonal block of a matrix over θ that belongs to one layer. */
  public static double[][] block(double[][] matrix, ParameterBlock block) {
    double[][] result = new double[block.end() - block.offset()][];
    Arrays.setAll(
        result, i -> Arrays.copyOfRange(matrix[block.offset() + i], block.offset(), block.end()));
    return result;
  }

  public static float[] floats(double[] values) {
    float[] floats = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      floats[i] = (float) values[i];
    }
    return floats;
  }
}
