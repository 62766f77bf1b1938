package org.kfac4j.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.kfac4j.Dense.assertClose;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.kfac4j.Dense;
import org.kfac4j.PlainNetwork;
import org.kfac4j.Problem;
import org.kfac4j.Tolerance;
import org.kfac4j.curvature.FisherType;
import org.kfac4j.curvature.KroneckerFactors;
import org.kfac4j.curvature.Nd4jBackend;
import org.kfac4j.curvature.Request;
import org.kfac4j.curvature.SumNames;
import org.kfac4j.curvature.Sums;
import org.kfac4j.data.Batch;
import org.kfac4j.linalg.Precision;
import org.kfac4j.network.Activation.Function;
import org.kfac4j.network.Loss;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.SoftmaxCrossEntropy;
import org.kfac4j.optimizer.Objective;

/** How examples are spread over partitions and blocks does not show in sums. */
class LocalObjectiveTest {
  private static final int COUNT = 53;
  private static final int[][] PARTITIONS = {
    {0, COUNT}, {0, 20, COUNT}, {0, 0, 9, 10, 10, 31, 52, COUNT}
  };

  static Stream<Loss> losses() {
    return Problem.losses(3);
  }

  /** All requests' sums, one after the other. */
  private static double[][] everything(
      Problem problem, FisherType fisher, Precision precision, int blockRows, int... bounds) {
    Network network = problem.network();
    double[] theta = problem.theta(2, 1);
    Batch batch =
        new Batch(COUNT, 3, 40, 30); // from one epoch into the next: some are visited twice
    List<double[]> directions =
        List.of(Dense.normal(4, theta.length), Dense.normal(5, theta.length));
    double[][] result = new double[4 + 2 * network.blocks().size()][];
    try (LocalObjective objective = problem.objective(precision, blockRows, bounds);
        Objective.Point here = objective.at(theta)) {
      assertThat(objective.size()).isEqualTo(COUNT);
      Sums gradient =
          here.evaluate(
              new Request.Gradient(batch, new Request.Statistics(batch.subset(0.6), fisher, 99)));
      assertThat(gradient.scalar(SumNames.COUNT)).isEqualTo(30);
      assertThat(gradient.scalar(SumNames.STATISTICS_COUNT)).isEqualTo(18);
      result[0] = new double[] {gradient.scalar(SumNames.LOSS)};
      result[1] = gradient.mean(SumNames.GRADIENT, 30);
      for (int i = 0; i < network.blocks().size(); i++) {
        ParameterBlock block = network.blocks().get(i);
        KroneckerFactors factors = KroneckerFactors.of(gradient, block);
        result[4 + 2 * i] = factors.inputs();
        result[5 + 2 * i] = factors.gradients();
      }
      Sums products = here.evaluate(new Request.Products(batch.subset(0.5), 2), directions);
      result[2] =
          new double[] {
            products.scalar(SumNames.product(0, 0)),
            products.scalar(SumNames.product(0, 1)),
            products.scalar(SumNames.product(1, 1))
          };
      Sums loss = here.evaluate(new Request.Loss(batch, true));
      result[3] =
          new double[] {
            loss.scalar(SumNames.LOSS),
            loss.scalar(SumNames.SQUARED_ERROR),
            loss.scalar(SumNames.CORRECT)
          };
    }
    return result;
  }

  private static Problem problem(Loss loss) {
    return Problem.random(1, Problem.network(loss, Function.TANH, true, 4, 5, 3), COUNT);
  }

  /** Sampled targets are the same, too, as they make the G of the sampled Fisher matrix. */
  @ParameterizedTest
  @MethodSource("losses")
  void partitionsAndBlocksDoNotShow(Loss loss) {
    Problem problem = problem(loss);
    for (FisherType fisher : FisherType.values()) {
      double[][] expected = everything(problem, fisher, Precision.DOUBLE, 512, 0, COUNT);
      for (int[] bounds : PARTITIONS) {
        for (int blockRows : new int[] {1, 3, 512}) {
          double[][] actual = everything(problem, fisher, Precision.DOUBLE, blockRows, bounds);
          for (int i = 0; i < expected.length; i++) {
            assertClose(
                bounds.length - 1 + " partitions, " + blockRows + " rows, " + i,
                actual[i],
                expected[i],
                Tolerance.SUMS);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("losses")
  void singlePrecisionIsNear(Loss loss) {
    Problem problem = problem(loss);
    double[][] expected = everything(problem, FisherType.EXACT, Precision.DOUBLE, 7, 0, COUNT);
    double[][] actual = everything(problem, FisherType.EXACT, Precision.FLOAT, 7, 0, 30, COUNT);
    for (int i = 0; i < expected.length; i++) {
      assertClose(actual[i], expected[i], Tolerance.F32);
      assertThat(Dense.distance(actual[1], expected[1])).isPositive();
    }
  }

  @Test
  void metricsAreReconstructionErrorAndRightAnswers() {
    Problem problem = problem(new SoftmaxCrossEntropy(3));
    double[] theta = problem.theta(2, 1);
    PlainNetwork plain = new PlainNetwork(problem.network(), theta);
    double squares = 0;
    int correct = 0;
    for (int n = 0; n < COUNT; n++) {
      double[] p = PlainNetwork.mean(problem.network().loss(), plain.forward(problem.x(n)).z());
      double[] difference = Dense.minus(p, problem.target(n));
      squares += Dense.dot(difference, difference);
      int label = problem.labels()[n];
      correct += p[label] >= p[0] && p[label] >= p[1] && p[label] >= p[2] ? 1 : 0;
    }
    Sums sums = problem.sums(theta, new Request.Loss(problem.all(), true));
    assertThat(sums.scalar(SumNames.SQUARED_ERROR))
        .isCloseTo(squares, within(squares * Tolerance.F64));
    assertThat(sums.scalar(SumNames.CORRECT)).isEqualTo(correct);
    assertThat(correct).isBetween(1, COUNT - 1);
  }

  /** Buffers are kept between requests and networks; what was in them must not show. */
  @Test
  void requestsDoNotLeaveTracesInOneAnother() {
    Problem one = problem(new SoftmaxCrossEntropy(3));
    double[] theta = one.theta(2, 1);
    Request request =
        new Request.Gradient(one.all(), new Request.Statistics(one.all(), FisherType.SAMPLED, 5));
    try (LocalObjective objective = one.objective();
        Objective.Point here = objective.at(theta);
        Objective.Point elsewhere = objective.at(Dense.scaled(-3, theta))) {
      Sums first = here.evaluate(request);
      elsewhere.evaluate(new Request.Products(one.all(), 1), List.of(theta));
      elsewhere.evaluate(request);
      Sums second = here.evaluate(request);
      assertThat(second.mean(SumNames.GRADIENT, 1)).isEqualTo(first.mean(SumNames.GRADIENT, 1));
      assertThat(second.mean(SumNames.gradients(one.network().blocks().get(0)), 1))
          .isEqualTo(first.mean(SumNames.gradients(one.network().blocks().get(0)), 1));
      assertThat(second.scalar(SumNames.LOSS)).isEqualTo(first.scalar(SumNames.LOSS));
    }
  }

  @Test
  void weightsOfAnotherNetworkAndNoExamplesAreRefused() {
    Problem problem = problem(new SoftmaxCrossEntropy(3));
    try (LocalObjective objective = problem.objective();
        Objective.Point here = objective.at(new double[7])) {
      assertThatThrownBy(() -> here.evaluate(new Request.Loss(problem.all(), false)))
          .hasMessageContaining("got 7");
    }
    assertThatThrownBy(
            () ->
                new LocalObjective(
                    problem.network(),
                    new Nd4jBackend(Precision.DOUBLE, 1, 1, 1),
                    Precision.DOUBLE,
                    List.of()))
        .hasMessageContaining("at least one example");
  }
}
