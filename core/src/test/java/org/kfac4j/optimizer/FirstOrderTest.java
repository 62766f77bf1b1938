package org.kfac4j.optimizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.kfac4j.Dense.assertClose;
import static org.kfac4j.Dense.minus;
import static org.kfac4j.Dense.plus;
import static org.kfac4j.Dense.scaled;

import org.junit.jupiter.api.Test;
import org.kfac4j.Dense;
import org.kfac4j.PlainNetwork;
import org.kfac4j.Problem;
import org.kfac4j.Snapshot;
import org.kfac4j.Tolerance;
import org.kfac4j.data.Batch;
import org.kfac4j.network.Activation;
import org.kfac4j.network.Network;
import org.kfac4j.network.SoftmaxCrossEntropy;
import org.kfac4j.training.LocalObjective;

/** First-order methods against the formulas, number by number. */
class FirstOrderTest {
  private static final double ETA = 0.1;
  private static final int STEPS = 6;
  private static final Network NETWORK =
      Problem.network(new SoftmaxCrossEntropy(3), Activation.Function.TANH, true, 4, 5, 3)
          .withMoreL2(ETA);
  private static final Problem PROBLEM = Problem.random(1, NETWORK, 17);
  private static final double[] START = PROBLEM.theta(2, 1);

  private static Batch batch(int k) {
    return new Batch(17, 3, 8L * (k - 1), 8);
  }

  /** ∇h by loops. */
  private static double[] gradient(double[] theta, int k) {
    PlainNetwork plain = new PlainNetwork(NETWORK, theta);
    double[] sum = new double[theta.length];
    Batch.Visits visits = batch(k).visits();
    for (int n = 0; n < PROBLEM.count(); n++) {
      for (int epoch = 0; epoch < visits.epochs(); epoch++) {
        if (visits.place(n, epoch) >= 0) {
          PlainNetwork.Pass pass = plain.forward(PROBLEM.x(n));
          double[] v = PlainNetwork.lossGradient(NETWORK.loss(), pass.z(), PROBLEM.target(n));
          sum = plus(sum, plain.backward(pass, v).gradient());
        }
      }
    }
    return plus(scaled(1.0 / batch(k).count(), sum), scaled(ETA, theta));
  }

  /** θ after k − 1 steps, in exact terms of the method: the next one from what came before. */
  private interface Reference {
    double[] next(double[] theta, int k);
  }

  private static void assertFollows(FirstOrder.Rule rule, Schedule rate, Reference reference) {
    FirstOrder optimizer = new FirstOrder(rule, rate);
    double[] expected = START;
    try (LocalObjective objective = PROBLEM.objective();
        Optimizer.Run run = optimizer.start(NETWORK, START, null)) {
      for (int k = 1; k <= STEPS; k++) {
        Step step = run.step(objective, batch(k), k);
        expected = reference.next(expected, k);
        assertClose("step " + k, run.theta(), expected, Tolerance.F64);
        assertThat(step.alpha()).isEqualTo(rate.at(k));
      }
    }
    assertThat(Dense.distance(expected, START)).isGreaterThan(0.01);
  }

  private static final Schedule RATE = Schedule.exponential(0.3, 0.9);

  @Test
  void gradientDescentSubtractsTheGradient() {
    assertFollows(
        new FirstOrder.Sgd(),
        RATE,
        (theta, k) -> minus(theta, scaled(RATE.at(k), gradient(theta, k))));
  }

  @Test
  void momentumAddsUpGradients() {
    double[][] v = {new double[START.length]};
    Schedule mu = Schedule.exponential(0.9, 0.8);
    assertFollows(
        new FirstOrder.Momentum(mu, false),
        RATE,
        (theta, k) -> {
          v[0] = plus(scaled(mu.at(k), v[0]), gradient(theta, k));
          return minus(theta, scaled(RATE.at(k), v[0]));
        });
  }

  @Test
  void nesterovsMomentumLooksAhead() {
    double[][] v = {new double[START.length]};
    Schedule mu = Schedule.exponential(0.9, 0.8);
    assertFollows(
        new FirstOrder.Momentum(mu, true),
        RATE,
        (theta, k) -> {
          double[] g = gradient(theta, k);
          v[0] = plus(scaled(mu.at(k), v[0]), g);
          return minus(theta, scaled(RATE.at(k), plus(g, scaled(mu.at(k), v[0]))));
        });
  }

  /**
   * v ← μv − α∇f(θ + μv), θ ← θ + v is the same method in the variable θ + μv, for constant α and
   * μ.
   */
  @Test
  void nesterovsTwoFormsCoincide() {
    double mu = 0.85;
    double alpha = 0.2;
    double[][] v = {new double[START.length]};
    double[][] original = {START};
    assertFollows(
        new FirstOrder.Momentum(Schedule.constant(mu), true),
        Schedule.constant(alpha),
        (shifted, k) -> {
          double[] ahead = plus(original[0], scaled(mu, v[0]));
          v[0] = minus(scaled(mu, v[0]), scaled(alpha, gradient(ahead, k)));
          original[0] = plus(original[0], v[0]);
          return plus(original[0], scaled(mu, v[0]));
        });
  }

  @Test
  void adamDividesByTheRootOfTheMeanSquare() {
    double[] m = new double[START.length];
    double[] v = new double[START.length];
    assertFollows(
        new FirstOrder.Adam(0.8, 0.97, 1e-4),
        RATE,
        (theta, k) -> {
          double[] g = gradient(theta, k);
          double[] next = theta.clone();
          for (int i = 0; i < g.length; i++) {
            m[i] = 0.8 * m[i] + 0.2 * g[i];
            v[i] = 0.97 * v[i] + 0.03 * g[i] * g[i];
            double mean = m[i] / (1 - Math.pow(0.8, k));
            double square = v[i] / (1 - Math.pow(0.97, k));
            next[i] -= RATE.at(k) * mean / (Math.sqrt(square) + 1e-4);
          }
          return next;
        });
  }

  @Test
  void adamsFirstStepIsTheSignOfTheGradientWhateverItsScale() {
    FirstOrder.Adam adam = new FirstOrder.Adam(0.9, 0.999, 1e-8);
    for (double scale : new double[] {1e-3, 1, 1e6}) {
      double[] g = {3 * scale, -0.2 * scale, 0};
      double[] update = new double[3];
      adam.update(new FirstOrder.Now(NETWORK, new double[3], g, 0.01, 1), new double[2][3], update);
      assertThat(update[0]).isCloseTo(-0.01, within(0.01 * 1e-4));
      assertThat(update[1]).isCloseTo(0.01, within(0.01 * 1e-4));
      assertThat(update[2]).isZero();
    }
  }

  @Test
  void aRunContinuesFromItsSavedState() {
    FirstOrder optimizer = new FirstOrder(new FirstOrder.Adam(0.8, 0.97, 1e-4), RATE);
    double[] whole;
    try (LocalObjective objective = PROBLEM.objective();
        Optimizer.Run run = optimizer.start(NETWORK, START, null)) {
      for (int k = 1; k <= STEPS; k++) {
        run.step(objective, batch(k), k);
      }
      whole = run.theta().clone();
    }
    Snapshot snapshot = new Snapshot();
    double[] half;
    try (LocalObjective objective = PROBLEM.objective();
        Optimizer.Run run = optimizer.start(NETWORK, START, null)) {
      for (int k = 1; k <= 3; k++) {
        run.step(objective, batch(k), k);
      }
      run.save(snapshot);
      half = run.theta().clone();
    }
    try (LocalObjective objective = PROBLEM.objective();
        Optimizer.Run run = optimizer.start(NETWORK, half, snapshot)) {
      for (int k = 4; k <= STEPS; k++) {
        run.step(objective, batch(k), k);
      }
      assertThat(run.theta()).isEqualTo(whole);
    }
  }

  @Test
  void impossibleSettingsAreRefused() {
    assertThatThrownBy(() -> new FirstOrder.Adam(1, 0.9, 1e-8)).hasMessageContaining("beta1");
    assertThatThrownBy(() -> new FirstOrder.Adam(0.9, -0.1, 1e-8)).hasMessageContaining("beta2");
    assertThatThrownBy(() -> new FirstOrder.Adam(0.9, 0.9, 0)).hasMessageContaining("epsilon");
  }
}
