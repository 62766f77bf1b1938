package org.kfac4j.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.kfac4j.PlainNetwork;
import org.kfac4j.Problem;
import org.kfac4j.Tolerance;
import org.kfac4j.curvature.Nd4jBackend;
import org.kfac4j.curvature.Request;
import org.kfac4j.curvature.SumNames;
import org.kfac4j.curvature.Sums;
import org.kfac4j.data.Batch;
import org.kfac4j.data.Examples;
import org.kfac4j.linalg.Precision;
import org.kfac4j.network.Activation;
import org.kfac4j.network.Activation.Function;
import org.kfac4j.network.ActivationLayer;
import org.kfac4j.network.DenseLayer;
import org.kfac4j.network.Loss;
import org.kfac4j.network.Network;
import org.kfac4j.network.SquaredError;

/** Some of a sample's examples. */
class SelectionTest {
  private static final int COUNT = 9;

  private static Sample sample(Problem problem) {
    Nd4jBackend backend = new Nd4jBackend(Precision.DOUBLE, COUNT, COUNT, 1);
    return new Sample(problem.network(), backend, Verified.examples(problem, 0, problem.count()));
  }

  static Stream<Loss> losses() {
    return Problem.losses(3);
  }

  @ParameterizedTest
  @MethodSource("losses")
  void outputsAndLossAreThoseOfTheBatch(Loss loss) {
    Network network = Problem.network(loss, Function.TANH, true, 4, 5, 3).withMoreL2(0.1);
    Problem problem = Problem.random(1, network, COUNT);
    double[] theta = problem.theta(2, 1);
    Batch batch = new Batch(COUNT, 0, 0, 4);
    Selection selection = new Selection(sample(problem), batch);
    int[] members = problem.members(batch);
    assertThat(selection.ids()).containsExactly(Arrays.stream(members).asLongStream().toArray());
    PlainNetwork plain = new PlainNetwork(network, theta);
    double[] z = selection.outputs(theta);
    for (int i = 0; i < members.length; i++) {
      double[] expected = plain.forward(problem.x(members[i])).z();
      for (int j = 0; j < expected.length; j++) {
        assertThat(z[i * expected.length + j]).isCloseTo(expected[j], within(Tolerance.F64));
      }
    }
    // Nothing differs after training.
    assertThat(selection.evaluated(theta)).containsExactly(z, within(0.0));
    Sums sums = problem.sums(theta, new Request.Loss(batch, false));
    double expected = sums.scalar(SumNames.LOSS) / 4 + network.penalty(theta);
    assertThat(selection.loss(theta)).isCloseTo(expected, within(Tolerance.F64));
  }

  private static int forDifferences(int width, Function function) {
    Network network =
        Network.of(
            new SquaredError(1, 1),
            new ActivationLayer("act", width, Activation.of(function)),
            new DenseLayer("dense", width, 1, true));
    Examples examples = Examples.withTargets(0, COUNT, new float[COUNT * width], new float[COUNT]);
    Nd4jBackend backend = new Nd4jBackend(Precision.DOUBLE, COUNT, COUNT, 1);
    return new Sample(network, backend, examples).forDifferences().count();
  }

  @Test
  void fewerExamplesAreTakenOfWhatHasManyKinks() {
    assertThat(forDifferences(300_000, Function.TANH)).isEqualTo(COUNT);
    assertThat(forDifferences(300, Function.RELU)).isEqualTo(COUNT);
    // A million of them in all.
    assertThat(forDifferences(300_000, Function.RELU)).isEqualTo(3);
    assertThat(forDifferences(600_000, Function.RELU)).isEqualTo(2);
  }
}
