package org.kfac4j.optimizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.kfac4j.Dense.assertClose;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.kfac4j.Dense;
import org.kfac4j.PlainNetwork;
import org.kfac4j.Problem;
import org.kfac4j.Tolerance;
import org.kfac4j.curvature.FisherType;
import org.kfac4j.network.Activation.Function;
import org.kfac4j.network.Loss;
import org.kfac4j.network.Network;
import org.kfac4j.network.SigmoidCrossEntropy;
import org.kfac4j.network.SoftmaxCrossEntropy;
import org.kfac4j.network.SquaredError;
import org.kfac4j.training.LocalObjective;

/** What one step must do, and what no step may, whatever the data. */
class KfacInvarianceTest {
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void oneStepOfLinearRegressionLandsOnLeastSquares(boolean eigen) {
    Preconditioner preconditioner = eigen ? new EigenPreconditioner() : new KfacPreconditioner();
    for (double scale : new double[] {0.5, 1}) {
      Network network = Problem.network(new SquaredError(2, scale), Function.TANH, true, 4, 2);
      Problem problem = Problem.random(31, network, 30);
      double[] theta =
          KfacTest.oneStep(
              problem, KfacTest.plain(preconditioner, FisherType.EXACT, 0), problem.theta(32, 3));
      double[][] normal = Dense.zeros(5, 5);
      double[][] right = Dense.zeros(5, 2);
      for (int n = 0; n < 30; n++) {
        double[] x = Arrays.copyOf(problem.x(n), 5);
        x[4] = 1;
        normal = Dense.plus(normal, Dense.outer(x, x));
        right = Dense.plus(right, Dense.outer(x, problem.target(n)));
      }
      double[][] expected = Dense.times(Dense.inverse(normal), right);
      assertClose(theta, Dense.flat(expected), Tolerance.F64);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void withVeryLargeDampingAStepIsAMultipleOfTheGradientOverAllLayers(boolean eigen) {
    Preconditioner preconditioner = eigen ? new EigenPreconditioner() : new KfacPreconditioner();
    Problem problem = KfacTest.problem(new SoftmaxCrossEntropy(3));
    double[] theta = problem.theta(22, 1);
    double[] update =
        Dense.minus(
            KfacTest.oneStep(
                problem, KfacTest.plain(preconditioner, FisherType.SAMPLED, 1e14), theta),
            theta);
    FirstOrder descent = new FirstOrder(new FirstOrder.Sgd(), Schedule.constant(1));
    double[] gradient;
    try (LocalObjective objective = problem.objective();
        Optimizer.Run run = descent.start(problem.network(), theta, null)) {
      run.step(objective, problem.all(), 1);
      gradient = Dense.minus(theta, run.theta());
    }
    // α*Δ = −∇h / λ; adding it to θ leaves it few digits.
    double cosine = Dense.dot(update, gradient) / Dense.norm(update) / Dense.norm(gradient);
    assertThat(cosine).isCloseTo(-1, within(1e-3));
    double[] wide =
        Dense.minus(
            KfacTest.oneStep(
                problem, KfacTest.plain(preconditioner, FisherType.SAMPLED, 1e8), theta),
            theta);
    assertClose(Dense.scaled(-1e8, wide), gradient, 2e-4);
  }

  /** Sigmoid as tanh of half the input, and inputs in other units: W_i = Φ_i W_i† Ω_{i−1}. */
  @ParameterizedTest
  @EnumSource(FisherType.class)
  void anUndampedStepIsTheSameFunctionAfterAnAffineReparametrisation(FisherType fisher) {
    for (Loss loss : List.of(new SigmoidCrossEntropy(2), new SquaredError(2, 0.5))) {
      Network sigmoid = Problem.network(loss, Function.SIGMOID, true, 3, 4, 2);
      Network tanh = Problem.network(loss, Function.TANH, true, 3, 4, 2);
      Problem original = dyadic(Problem.random(41, sigmoid, 40));
      // x = Ω₀ x†: exact in float32, as are the examples.
      double[][] omega0 = {{2, 0, 0, 1}, {0, 0.5, 0, 0}, {0, 1, 1, -1}, {0, 0, 0, 1}};
      // a = ½ a† + ½ behind the first layer, s = 2 s† before it.
      double[][] omega1 = Dense.scaled(0.5, Dense.identity(5));
      for (int i = 0; i < 4; i++) {
        omega1[i][4] = 0.5;
      }
      omega1[4][4] = 1;
      Problem mapped =
          new Problem(tanh, features(original, Dense.inverse(omega0)), null, original.targets());
      double[] theta = original.theta(42, 1.5);
      double[] there = mapped(theta, omega0, omega1);

      assertSameFunction(original, theta, mapped, there);
      for (Preconditioner preconditioner :
          List.of(new KfacPreconditioner(), new EigenPreconditioner())) {
        double[] after =
            KfacTest.oneStep(original, KfacTest.plain(preconditioner, fisher, 0), theta);
        double[] afterThere =
            KfacTest.oneStep(mapped, KfacTest.plain(preconditioner, fisher, 0), there);
        assertSameFunction(original, after, mapped, afterThere);
        assertClose(afterThere, mapped(after, omega0, omega1), 1e-7);
        // Damping breaks it.
        double[] damped =
            KfacTest.oneStep(original, KfacTest.plain(preconditioner, fisher, 1), theta);
        double[] dampedThere =
            KfacTest.oneStep(mapped, KfacTest.plain(preconditioner, fisher, 1), there);
        assertThat(Dense.distance(dampedThere, mapped(damped, omega0, omega1))).isGreaterThan(1e-3);
        assertThat(Dense.distance(after, theta)).isGreaterThan(0.01);
      }
    }
  }

  /** θ† with X₁† = Ω₀ᵀ X₁ ½ and X₂† = Ω₁ᵀ X₂, as X = Wᵀ. */
  private static double[] mapped(double[] theta, double[][] omega0, double[][] omega1) {
    double[][] first = Dense.matrix(theta, 0, 4, 4);
    double[][] second = Dense.matrix(theta, 16, 5, 2);
    double[] a = Dense.flat(Dense.scaled(0.5, Dense.times(Dense.transposed(omega0), first)));
    double[] b = Dense.flat(Dense.times(Dense.transposed(omega1), second));
    double[] result = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, result, a.length, b.length);
    return result;
  }

  private static Problem dyadic(Problem problem) {
    float[] rounded = problem.features().clone();
    for (int i = 0; i < rounded.length; i++) {
      rounded[i] = Math.round(64 * rounded[i]) / 64f;
    }
    return new Problem(problem.network(), rounded, problem.labels(), problem.targets());
  }

  private static float[] features(Problem problem, double[][] map) {
    float[] features = new float[problem.features().length];
    for (int n = 0; n < problem.count(); n++) {
      double[] x = Arrays.copyOf(problem.x(n), 4);
      x[3] = 1;
      double[] y = Dense.times(map, x);
      for (int i = 0; i < 3; i++) {
        features[3 * n + i] = (float) y[i];
        assertThat((double) features[3 * n + i]).isEqualTo(y[i]);
      }
    }
    return features;
  }

  private static void assertSameFunction(
      Problem original, double[] theta, Problem mapped, double[] there) {
    for (int n = 0; n < original.count(); n++) {
      assertClose(
          new PlainNetwork(mapped.network(), there).forward(mapped.x(n)).z(),
          new PlainNetwork(original.network(), theta).forward(original.x(n)).z(),
          1e-7);
    }
  }

  @ParameterizedTest
  @EnumSource(FisherType.class)
  void degenerateDataLeavesEveryStepFinite(FisherType fisher) {
    for (Loss loss :
        List.of(new SigmoidCrossEntropy(2), new SoftmaxCrossEntropy(3), new SquaredError(2, 1))) {
      Network network = Problem.network(loss, Function.RELU, true, 3, 4, loss.outputs());
      Problem some = Problem.random(51, network, 12);
      float[] constant = some.features().clone();
      float[] twins = some.features().clone();
      for (int n = 0; n < 12; n++) {
        constant[3 * n] = 0;
        constant[3 * n + 1] = 0;
        System.arraycopy(twins, 0, twins, 3 * n, 3);
      }
      assertStaysFinite(new Problem(network, constant, some.labels(), some.targets()), fisher);
      assertStaysFinite(new Problem(network, twins, some.labels(), some.targets()), fisher);
      assertStaysFinite(new Problem(network, new float[36], some.labels(), some.targets()), fisher);
      assertStaysFinite(Problem.random(52, network, 1), fisher);
    }
  }

  private static void assertStaysFinite(Problem problem, FisherType fisher) {
    for (Kfac settings : both(fisher)) {
      try (LocalObjective objective = problem.objective();
          Optimizer.Run run = settings.start(problem.network(), problem.theta(53, 1), null)) {
        double first = 0;
        for (int k = 1; k <= 6; k++) {
          Step step = run.step(objective, problem.all(), k);
          first = k == 1 ? step.loss() : first;
          assertThat(step.loss()).isFinite();
          assertThat(Dense.norm(run.theta())).isFinite();
        }
      }
    }
  }

  private static List<Kfac> both(FisherType fisher) {
    return List.of(
        KfacTest.kfac(
            new KfacPreconditioner(),
            new Kfac.Statistics(fisher, 1, 1, 0.95),
            new Kfac.Inverses(1, true, 1),
            new Damping.LevenbergMarquardt(0.1, 1e-6, 100, 1, 0.9, true),
            new StepRule.Exact(1, true)),
        KfacTest.kfac(
            new EigenPreconditioner(),
            new Kfac.Statistics(fisher, 1, 1, 0.95),
            new Kfac.Inverses(1, false, 1),
            new Damping.Scheduled(Schedule.constant(1e-3)),
            new StepRule.Scheduled(Schedule.constant(0.05), Schedule.constant(0.9), 1e-3)));
  }

  /**
   * A perfect fit has gradient zero, and with the training targets G = 0, too: π = 1 and no step.
   */
  @ParameterizedTest
  @EnumSource(FisherType.class)
  void whereTheGradientIsZeroNothingMoves(FisherType fisher) {
    Network network = Problem.network(new SquaredError(2, 1), Function.TANH, true, 3, 4, 2);
    Problem problem =
        new Problem(network, Problem.random(54, network, 8).features(), null, new float[16]);
    double[] zero = new double[network.parameterCount()];
    for (Kfac settings : both(fisher)) {
      try (LocalObjective objective = problem.objective();
          Optimizer.Run run = settings.start(network, zero, null)) {
        for (int k = 1; k <= 3; k++) {
          Step step = run.step(objective, problem.all(), k);
          assertThat(run.theta()).containsOnly(0);
          assertThat(step.loss()).isZero();
          if (fisher == FisherType.EMPIRICAL) {
            assertThat(step.curvature()).containsEntry("dense1 pi", 1.0);
          }
        }
      }
    }
  }
}
