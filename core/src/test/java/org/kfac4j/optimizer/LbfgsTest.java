package org.kfac4j.optimizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.kfac4j.Dense.assertClose;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.kfac4j.Dense;
import org.kfac4j.PlainNetwork;
import org.kfac4j.Problem;
import org.kfac4j.Snapshot;
import org.kfac4j.data.Batch;
import org.kfac4j.network.Activation.Function;
import org.kfac4j.network.DenseLayer;
import org.kfac4j.network.Network;
import org.kfac4j.network.SoftmaxCrossEntropy;
import org.kfac4j.network.SquaredError;
import org.kfac4j.training.LocalObjective;

/** L-BFGS on a problem with a known solution, its line search, and its state. */
class LbfgsTest {
  private static final double ETA = 1e-2;

  /** Least squares with l2. */
  private static Problem linear() {
    Network network =
        Network.of(new SquaredError(2, 0.5), new DenseLayer("layer", 4, 2, true)).withMoreL2(ETA);
    return Problem.random(1, network, 25);
  }

  private static Problem deep() {
    Network network =
        Problem.network(new SoftmaxCrossEntropy(3), Function.TANH, true, 4, 5, 3).withMoreL2(1e-3);
    return Problem.random(1, network, 25);
  }

  /** The solution of the normal equations. */
  private static double[] leastSquares(Problem problem) {
    double[][] moment = Dense.zeros(5, 5);
    double[][] right = Dense.zeros(5, 2);
    for (int n = 0; n < problem.count(); n++) {
      double[] a = java.util.Arrays.copyOf(problem.x(n), 5);
      a[4] = 1;
      moment = Dense.plus(moment, Dense.scaled(1.0 / 25, Dense.outer(a, a)));
      right = Dense.plus(right, Dense.scaled(1.0 / 25, Dense.outer(a, problem.target(n))));
    }
    return Dense.flat(Dense.times(Dense.inverse(Dense.shifted(moment, ETA)), right));
  }

  @Test
  void findsLeastSquares() {
    Problem problem = linear();
    double[] theta = run(problem, problem.theta(3, 1), 40, 0);
    assertClose(theta, leastSquares(problem), 1e-6);
  }

  private static double[] run(Problem problem, double[] start, int iterations, int stop) {
    Lbfgs settings = new Lbfgs(5, 20);
    Optimizer.Run run = settings.start(problem.network(), start, null);
    try (LocalObjective objective = problem.objective()) {
      for (int k = 1; k <= iterations; k++) {
        run.step(objective, problem.all(), k);
        if (k == stop) {
          Snapshot snapshot = new Snapshot();
          run.save(snapshot);
          double[] theta = run.theta().clone();
          run.close();
          run = settings.start(problem.network(), theta, snapshot);
        }
      }
      return run.theta().clone();
    } finally {
      run.close();
    }
  }

  @Test
  void everyIterationMeetsTheWolfeConditions() {
    Problem problem = deep();
    try (LocalObjective objective = problem.objective();
        Optimizer.Run run = new Lbfgs(5, 30).start(problem.network(), problem.theta(3, 1), null)) {
      for (int k = 1; k <= 15; k++) {
        double[] before = run.theta().clone();
        Step step = run.step(objective, problem.all(), k);
        double[] direction = Dense.scaled(1 / step.alpha(), Dense.minus(run.theta(), before));
        double[] g0 = gradient(problem, before);
        double[] g1 = gradient(problem, run.theta());
        double slope = Dense.dot(direction, g0);
        assertThat(slope).isNegative();
        assertThat(h(problem, run.theta()))
            .isLessThanOrEqualTo(h(problem, before) + 1e-4 * step.alpha() * slope + 1e-12);
        assertThat(Math.abs(Dense.dot(direction, g1))).isLessThanOrEqualTo(-0.9 * slope + 1e-12);
      }
    }
  }

  private static double h(Problem problem, double[] theta) {
    PlainNetwork plain = new PlainNetwork(problem.network(), theta);
    double sum = 0;
    for (int n = 0; n < problem.count(); n++) {
      sum +=
          PlainNetwork.loss(
              problem.network().loss(), plain.forward(problem.x(n)).z(), problem.target(n));
    }
    return sum / problem.count() + 0.5e-3 * Dense.dot(theta, theta);
  }

  private static double[] gradient(Problem problem, double[] theta) {
    PlainNetwork plain = new PlainNetwork(problem.network(), theta);
    double[] sum = new double[theta.length];
    for (int n = 0; n < problem.count(); n++) {
      PlainNetwork.Pass pass = plain.forward(problem.x(n));
      double[] v = PlainNetwork.lossGradient(problem.network().loss(), pass.z(), problem.target(n));
      sum = Dense.plus(sum, plain.backward(pass, v).gradient());
    }
    return Dense.plus(Dense.scaled(1.0 / problem.count(), sum), Dense.scaled(1e-3, theta));
  }

  @Test
  void aSavedRunGoesOnBitForBit() {
    Problem problem = deep();
    double[] start = problem.theta(3, 1);
    double[] whole = run(problem, start, 9, 0);
    for (int stop : List.of(1, 4, 8)) {
      assertThat(run(problem, start, 9, stop)).isEqualTo(whole);
    }
  }

  @Test
  void stopsWhereTheGradientIsZero() {
    Problem problem = linear();
    double[] solution = leastSquares(problem);
    double[] theta = run(problem, solution, 3, 0);
    assertThat(Dense.distance(theta, solution)).isCloseTo(0, within(1e-7));
  }

  @Test
  void aPartOfTheExamplesIsRefused() {
    Problem problem = linear();
    try (LocalObjective objective = problem.objective();
        Optimizer.Run run = new Lbfgs(5, 20).start(problem.network(), problem.theta(3, 1), null)) {
      assertThatThrownBy(() -> run.step(objective, new Batch(25, 1, 0, 10), 1))
          .hasMessageContaining("training.batch-size = 25");
    }
    assertThat(new Lbfgs(5, 20).needsAllExamples()).isTrue();
    assertThatThrownBy(() -> new Lbfgs(0, 20)).hasMessageContaining("lbfgs.history");
    assertThatThrownBy(() -> new Lbfgs(5, 1)).hasMessageContaining("lbfgs.evaluations");
  }
}
