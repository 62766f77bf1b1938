package org.kfac4j.verify;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import org.kfac4j.Problem;
import org.kfac4j.Settings;
import org.kfac4j.curvature.Nd4jBackend;
import org.kfac4j.curvature.Sums;
import org.kfac4j.data.DataSource;
import org.kfac4j.data.ExampleShape;
import org.kfac4j.data.Examples;
import org.kfac4j.linalg.LapackFactorizations;
import org.kfac4j.linalg.Precision;
import org.kfac4j.network.Activation;
import org.kfac4j.network.Activation.Function;
import org.kfac4j.network.ActivationLayer;
import org.kfac4j.network.BatchNormalizationLayer;
import org.kfac4j.network.DenseLayer;
import org.kfac4j.network.DropoutLayer;
import org.kfac4j.network.Layer;
import org.kfac4j.network.Loss;
import org.kfac4j.network.Network;
import org.kfac4j.network.ParametricReluLayer;
import org.kfac4j.network.Shape;
import org.kfac4j.network.SigmoidCrossEntropy;
import org.kfac4j.network.SoftmaxCrossEntropy;
import org.kfac4j.optimizer.DenseMachine;
import org.kfac4j.optimizer.Objective;
import org.kfac4j.training.LocalObjective;

/** All checks of a small network and random examples for it. */
final class Verified {
  static final int COUNT = 16;
  private static final long KEY = 5;

  private Verified() {}

  private static ActivationLayer sigmoid(String name) {
    return new ActivationLayer(name, 5, Activation.of(Function.SIGMOID));
  }

  /** Batch normalisation of vectors, with dropout or without. */
  static Network normalized(boolean dropout) {
    Shape hidden = Shape.vector(5);
    Layer after = dropout ? new DropoutLayer("dropout", hidden, 0.7) : sigmoid("act2");
    return Network.of(
        new SoftmaxCrossEntropy(3),
        new DenseLayer("dense1", 4, 5, true),
        new BatchNormalizationLayer("norm", hidden, 0.9, 1e-3, true, false),
        sigmoid("act1"),
        after,
        new DenseLayer("dense2", 5, 3, true));
  }

  /** With dropout alone. */
  static Network dropped() {
    return Network.of(
        new SoftmaxCrossEntropy(3),
        new DenseLayer("dense1", 4, 5, true),
        sigmoid("act"),
        new DropoutLayer("dropout", Shape.vector(5), 0.7),
        new DenseLayer("dense2", 5, 3, true));
  }

  /** With parameters that are neither weights nor scales. */
  static Network rectified() {
    return Network.of(
        new SoftmaxCrossEntropy(3),
        new DenseLayer("dense1", 4, 5, true),
        new ParametricReluLayer("rectifier", Shape.vector(5)),
        new DenseLayer("dense2", 5, 3, true));
  }

  /** With too many outputs for an exact expectation. */
  static Network autoencoder() {
    return Problem.network(new SigmoidCrossEntropy(40), Function.TANH, true, 40, 5, 40);
  }

  /** With kinks. */
  static Network relu(Loss loss) {
    return Problem.network(loss, Function.RELU, true, 4, 6, 3);
  }

  static Examples examples(Problem problem, int from, int to) {
    int inputs = problem.network().inputs();
    int outputs = problem.network().outputs();
    float[] x = Arrays.copyOfRange(problem.features(), from * inputs, to * inputs);
    return problem.labels() != null
        ? Examples.classified(from, x, Arrays.copyOfRange(problem.labels(), from, to))
        : Examples.withTargets(
            from,
            to - from,
            x,
            Arrays.copyOfRange(problem.targets(), from * outputs, to * outputs));
  }

  private record Source(Problem problem) implements DataSource {
    @Override
    public String name() {
      return "random";
    }

    @Override
    public ExampleShape shape() {
      Network network = problem.network();
      return new ExampleShape(network.inputs(), network.outputs(), problem.labels() != null);
    }

    @Override
    public long size() {
      return problem.count();
    }

    @Override
    public Examples read(long from, long to) {
      return examples(problem, (int) from, (int) to);
    }
  }

  /** With a change to all sums. */
  static List<Finding> findings(Network network, UnaryOperator<Sums> broken) {
    Problem problem = Problem.random(1, network, COUNT);
    return findings(problem, problem, broken);
  }

  /** With settings of curvature. */
  static List<Finding> findings(Network network, String... settings) {
    Problem problem = Problem.random(1, network, COUNT);
    return findings(problem, problem, UnaryOperator.identity(), List.of(settings));
  }

  /**
   * @param computed what sums are of
   */
  static List<Finding> findings(Problem problem, Problem computed, UnaryOperator<Sums> broken) {
    return findings(problem, computed, broken, List.of());
  }

  private static List<Finding> findings(
      Problem problem, Problem computed, UnaryOperator<Sums> broken, List<String> overrides) {
    Network network = problem.network();
    Nd4jBackend backend = new Nd4jBackend(Precision.DOUBLE, COUNT, COUNT, 1);
    Sample sample = new Sample(network, backend, examples(problem, 0, COUNT));
    double[] theta = sample.moved(problem.theta(2, 1), KEY);
    List<Finding> findings = new ArrayList<>();
    try (Objective objective =
        new FilteredObjective(
            new LocalObjective(
                network, backend, Precision.DOUBLE, LocalObjective.read(new Source(computed), 1)),
            broken)) {
      findings.addAll(new GradientCheck(sample, objective).run(theta, KEY));
      findings.add(new ProductCheck(sample, objective).run(theta, KEY));
      DenseMachine machine = new DenseMachine(new LapackFactorizations(), Precision.DOUBLE, 1);
      Settings settings = Settings.load("defaults", "", overrides);
      BlockCheck.Result blocks =
          new BlockCheck(sample, objective, settings, machine).run(theta, KEY);
      assertThat(blocks.blocks()).isNotEmpty();
      findings.addAll(blocks.findings());
    }
    findings.addAll(PartitionCheck.of(network, new Source(problem), 1).run(theta, KEY));
    return findings;
  }

  /** Names of those that have failed. */
  static List<String> failed(List<Finding> findings) {
    return findings.stream().filter(Finding::hasFailed).map(Finding::check).toList();
  }
}
