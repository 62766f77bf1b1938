package org.kfac4j.optimizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.kfac4j.Dense.assertClose;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.kfac4j.Dense;
import org.kfac4j.Problem;
import org.kfac4j.Snapshot;
import org.kfac4j.Tolerance;
import org.kfac4j.curvature.FisherType;
import org.kfac4j.data.Batch;
import org.kfac4j.network.Activation.Function;
import org.kfac4j.network.Loss;
import org.kfac4j.network.Network;
import org.kfac4j.network.SigmoidCrossEntropy;
import org.kfac4j.network.SoftmaxCrossEntropy;
import org.kfac4j.network.SquaredError;
import org.kfac4j.training.LocalObjective;

/** Whole iterations of K-FAC. */
class KfacTest {
  private static final double ETA = 0.01;
  private static final long SEED = 77;

  static Kfac kfac(
      Preconditioner preconditioner,
      Kfac.Statistics statistics,
      Kfac.Inverses inverses,
      Damping damping,
      StepRule stepRule) {
    return new Kfac(preconditioner, statistics, inverses, damping, stepRule, SEED, Machines.DOUBLE);
  }

  /** No damping but λ, exact Fisher of all examples, exact steps without momentum. */
  static Kfac plain(Preconditioner preconditioner, FisherType fisher, double lambda) {
    return kfac(
        preconditioner,
        new Kfac.Statistics(fisher, 1, 1, 0.95),
        new Kfac.Inverses(1, false, 1),
        new Damping.Scheduled(Schedule.constant(lambda)),
        new StepRule.Exact(1, false));
  }

  static double[] oneStep(Problem problem, Kfac settings, double[] theta) {
    try (LocalObjective objective = problem.objective();
        Optimizer.Run run = settings.start(problem.network(), theta, null)) {
      run.step(objective, problem.all(), 1);
      return run.theta().clone();
    }
  }

  static Problem problem(Loss loss) {
    Network network = Problem.network(loss, Function.TANH, true, 3, 4, loss.outputs());
    return Problem.random(21, network.withMoreL2(ETA), 24);
  }

  private static Batch batch(int k) {
    return new Batch(24, 4, 16L * (k - 1), 16);
  }

  /** Runs both, comparing after every iteration; returns what γ and λ were along the way. */
  private static Set<Double> assertFollowsReference(
      Problem problem, Kfac settings, int iterations) {
    double[] start = problem.theta(22, 1);
    DenseKfac reference = new DenseKfac(problem, settings, ETA, start);
    Set<Double> seen = new HashSet<>();
    try (LocalObjective objective = problem.objective();
        Optimizer.Run run = settings.start(problem.network(), start, null)) {
      for (int k = 1; k <= iterations; k++) {
        reference.step(batch(k), k);
        Step step = run.step(objective, batch(k), k);
        Snapshot state = new Snapshot();
        run.save(state);
        String what = "iteration " + k;
        assertNear(what + " α", step.alpha(), reference.alpha);
        assertNear(what + " μ", step.mu() == null ? 0 : step.mu(), reference.mu);
        assertNear(what + " ρ", step.rho() == null ? Double.NaN : step.rho(), reference.rho);
        assertNear(what + " λ", state.doubleValue("lambda"), reference.lambda);
        // Without a search γ follows λ, for a run that goes on with one.
        double gamma =
            settings.inverses().gammaSearch() ? reference.gamma : Math.sqrt(reference.lambda + ETA);
        assertNear(what + " γ", state.doubleValue("gamma"), gamma);
        assertClose(what, run.theta(), reference.theta, Tolerance.ITERATIONS);
        seen.add(reference.gamma);
        seen.add(reference.lambda);
      }
    }
    assertThat(Dense.distance(reference.theta, start)).isGreaterThan(0.05);
    return seen;
  }

  /** NaN where there is nothing to compare; small numbers absolutely. */
  private static void assertNear(String what, double actual, double expected) {
    if (Double.isNaN(expected)) {
      assertThat(actual).as(what).isNaN();
    } else {
      double tolerance = Math.max(1e-3, Math.abs(expected)) * Tolerance.ITERATIONS;
      assertThat(actual).as(what).isCloseTo(expected, within(tolerance));
    }
  }

  /**
   * The article's algorithm: T1, T2 and T3 all 1, and with T2 = 4 and T3 = 2, so that old inverses
   * are used.
   */
  @ParameterizedTest
  @CsvSource({
    "1, 1, 1, true, true, true",
    "2, 4, 2, true, true, true",
    "1, 2, 1, false, true, true",
    "3, 3, 3, true, false, true",
    "2, 1, 1, true, true, false"
  })
  void iterationsAreThoseOfTheArticlesAlgorithm(
      int t1, int t2, int t3, boolean momentum, boolean includesDamping, boolean search) {
    for (Loss loss :
        List.of(new SigmoidCrossEntropy(2), new SoftmaxCrossEntropy(3), new SquaredError(2, 0.5))) {
      Kfac settings =
          kfac(
              new KfacPreconditioner(),
              new Kfac.Statistics(FisherType.SAMPLED, 0.5, 1, 0.6),
              new Kfac.Inverses(t3, search, t2),
              new Damping.LevenbergMarquardt(0.3, 1e-3, 100, t1, 0.8, includesDamping),
              new StepRule.Exact(0.25, momentum));
      Set<Double> seen = assertFollowsReference(problem(loss), settings, 5);
      assertThat(seen).as("λ or γ moves").hasSizeGreaterThan(2);
    }
  }

  /**
   * Statistics every 2 iterations, inverses in the first three and every third: some iterations
   * reuse both.
   */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void iterationsWithScheduledStepsAreThoseOfTheFormulas(boolean eigen) {
    for (Loss loss :
        List.of(new SigmoidCrossEntropy(2), new SoftmaxCrossEntropy(3), new SquaredError(2, 0.5))) {
      List<Double> clips = new ArrayList<>();
      Schedule rate = Schedule.cosine(0.3, 0.01, 9);
      Kfac settings =
          kfac(
              eigen ? new EigenPreconditioner() : new KfacPreconditioner(),
              new Kfac.Statistics(FisherType.SAMPLED, 0.75, 2, 0.9),
              new Kfac.Inverses(3, false, 3),
              new Damping.Scheduled(Schedule.exponential(0.05, 0.9)),
              new StepRule.Scheduled(rate, Schedule.constant(0.7), 5e-3));
      Problem problem = problem(loss);
      double[] start = problem.theta(22, 1);
      DenseKfac reference = new DenseKfac(problem, settings, ETA, start);
      try (LocalObjective objective = problem.objective();
          Optimizer.Run run = settings.start(problem.network(), start, null)) {
        for (int k = 1; k <= 9; k++) {
          reference.step(batch(k), k);
          Step step = run.step(objective, batch(k), k);
          assertClose("iteration " + k, run.theta(), reference.theta, Tolerance.ITERATIONS);
          assertNear("iteration " + k, step.alpha(), reference.alpha);
          assertNear("iteration " + k, step.damping(), 0.05 * Math.pow(0.9, k - 1));
          assertThat(step.curvature().isEmpty()).isEqualTo(k > 3 && k % 3 != 0);
          clips.add(reference.clip);
        }
      }
      assertThat(clips).as("some steps are clipped").anyMatch(clip -> clip < 1);
      assertThat(clips).as("some are not").contains(1.0);
    }
  }

  /**
   * Statistics of every second iteration and inverses that are older than they: what they are made
   * of is kept too.
   */
  @Test
  void aRunContinuesFromItsSavedState() {
    Problem problem = problem(new SigmoidCrossEntropy(2));
    for (boolean exact : new boolean[] {true, false}) {
      Kfac settings =
          kfac(
              exact ? new KfacPreconditioner() : new EigenPreconditioner(),
              new Kfac.Statistics(FisherType.SAMPLED, 0.5, 2, 0.9),
              new Kfac.Inverses(4, exact, 4),
              exact
                  ? new Damping.LevenbergMarquardt(0.3, 1e-3, 100, 2, 0.8, true)
                  : new Damping.Scheduled(Schedule.constant(0.1)),
              exact
                  ? new StepRule.Exact(0.5, true)
                  : new StepRule.Scheduled(Schedule.constant(0.1), Schedule.constant(0.9), 1e-2));
      Snapshot snapshot = new Snapshot();
      double[] middle = run(problem, settings, problem.theta(22, 1), null, 1, 5, snapshot);
      assertThat(run(problem, settings, middle, snapshot, 6, 9, new Snapshot()))
          .isEqualTo(run(problem, settings, problem.theta(22, 1), null, 1, 9, new Snapshot()));
    }
  }

  private static double[] run(
      Problem problem,
      Kfac settings,
      double[] theta,
      Snapshot from,
      int first,
      int last,
      Snapshot to) {
    try (LocalObjective objective = problem.objective();
        Optimizer.Run run = settings.start(problem.network(), theta, from)) {
      for (int k = first; k <= last; k++) {
        run.step(objective, batch(k), k);
      }
      run.save(to);
      return run.theta().clone();
    }
  }

  @Test
  void healthTellsPiMeanEigenvaluesAndRecoveriesOfEveryLayer() {
    Network network = Problem.network(new SquaredError(2, 0.5), Function.TANH, true, 2, 2);
    Problem problem =
        new Problem(
            network, new float[] {1, 2, 0, -1, 2, 1}, null, new float[] {-1, 1, -2, 0, 1, -3});
    Kfac settings = plain(new KfacPreconditioner(), FisherType.EMPIRICAL, 0.25);
    try (LocalObjective objective = problem.objective();
        Optimizer.Run run = settings.start(network, new double[6], null)) {
      Step step = run.step(objective, problem.all(), 1);
      assertThat(step.curvature())
          .containsOnlyKeys("dense1 pi", "dense1 A", "dense1 G", "dense1 recovery")
          .containsEntry("dense1 recovery", 0.0);
      assertThat(step.curvature().get("dense1 pi")).isCloseTo(Math.sqrt(7.0 / 12), within(1e-12));
      assertThat(step.curvature().get("dense1 A")).isCloseTo(14.0 / 9, within(1e-12));
      assertThat(step.curvature().get("dense1 G")).isCloseTo(8.0 / 3, within(1e-12));
    }
    // One example has a singular A and G; without damping they cannot be inverted as they are.
    Problem one = Problem.random(55, network, 1);
    try (LocalObjective objective = one.objective();
        Optimizer.Run run =
            plain(new KfacPreconditioner(), FisherType.EMPIRICAL, 0)
                .start(network, one.theta(56, 1), null)) {
      Step step = run.step(objective, one.all(), 1);
      assertThat(step.curvature().get("dense1 recovery")).isGreaterThanOrEqualTo(2);
      assertThat(Dense.norm(run.theta())).isFinite();
    }
  }

  /** Three linear layers with weights of these sizes. */
  private static void assertDiverges(
      Kfac settings, double first, double second, double third, String message) {
    Network network =
        Problem.network(new SigmoidCrossEntropy(1), Function.IDENTITY, false, 1, 1, 1, 1);
    Problem problem = new Problem(network, new float[] {1, 0.5f}, null, new float[] {0, 1});
    double[] theta = {first, second, third};
    try (LocalObjective objective = problem.objective();
        Optimizer.Run run = settings.start(network, theta, null)) {
      assertThatThrownBy(() -> run.step(objective, problem.all(), 7))
          .isInstanceOf(DivergedException.class)
          .hasMessageContaining("iteration 7")
          .hasMessageContaining(message);
      assertThat(run.theta()).isEqualTo(theta);
    }
  }

  @Test
  void whatIsNotFiniteStopsTheRunAndIsNamed() {
    Kfac exact = plain(new KfacPreconditioner(), FisherType.EXACT, 1);
    assertDiverges(exact, Double.NaN, 1, 1, "dense1");
    assertDiverges(exact, 1e200, 1e200, 1, "dense2");
    assertDiverges(exact, 1, 1e200, 1e200, "dense3");
    assertDiverges(exact, 1e-300, 1e200, 1e200, "the gradient of layer dense1");
    assertDiverges(exact, 1e-150, 1e180, 1, "the curvature along the update");
    Kfac empirical = plain(new KfacPreconditioner(), FisherType.EMPIRICAL, 1);
    assertDiverges(empirical, 1e-150, 1e180, 1, "the curvature of layer dense1");
    Kfac far =
        kfac(
            new KfacPreconditioner(),
            new Kfac.Statistics(FisherType.EXACT, 1, 1, 0.95),
            new Kfac.Inverses(1, false, 1),
            new Damping.Scheduled(Schedule.constant(1e-3)),
            new StepRule.Scheduled(Schedule.constant(1.7e308), Schedule.constant(0), 0));
    assertDiverges(far, 5, 5, 5, "the update of layer dense1");
  }

  @Test
  void settingsThatContradictEachOtherAreRefused() {
    Damping lm = new Damping.LevenbergMarquardt(1, 0.1, 10, 5, 0.95, true);
    Damping fixed = new Damping.Scheduled(Schedule.constant(1));
    StepRule scheduled =
        new StepRule.Scheduled(Schedule.constant(0.1), Schedule.constant(0.9), 1e-3);
    StepRule exact = new StepRule.Exact(0.25, true);
    Kfac.Statistics statistics = new Kfac.Statistics(FisherType.SAMPLED, 0.125, 1, 0.95);
    Kfac.Inverses search = new Kfac.Inverses(20, true, 20);
    Kfac.Inverses none = new Kfac.Inverses(20, false, 20);
    assertThatThrownBy(() -> kfac(new KfacPreconditioner(), statistics, none, lm, scheduled))
        .hasMessageContaining("levenberg-marquardt");
    assertThatThrownBy(() -> kfac(new EigenPreconditioner(), statistics, search, lm, exact))
        .hasMessageContaining("gamma-search");
    assertThatThrownBy(() -> kfac(new KfacPreconditioner(), statistics, search, fixed, scheduled))
        .hasMessageContaining("gamma-search");
    assertThatThrownBy(() -> new Kfac.Inverses(20, true, 30)).hasMessageContaining("multiple");
    assertThatThrownBy(() -> new Kfac.Statistics(FisherType.SAMPLED, 0, 1, 0.95))
        .hasMessageContaining("statistics-fraction");
    assertThatThrownBy(() -> new StepRule.Exact(1.5, true)).hasMessageContaining("1.5");
  }
}
