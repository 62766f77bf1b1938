package org.kfac4j.optimizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.kfac4j.Dense.assertClose;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.kfac4j.Dense;
import org.kfac4j.Networks;
import org.kfac4j.Problem;
import org.kfac4j.Tolerance;
import org.kfac4j.curvature.ExampleRows;
import org.kfac4j.curvature.FisherType;
import org.kfac4j.curvature.FullBlock;
import org.kfac4j.curvature.Request;
import org.kfac4j.curvature.SumNames;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.SquaredError;
import org.kfac4j.training.LocalObjective;

/**
 * λ max(tr F, ν) / dim F of convolutions and the largest of these of all else, with TKFAC's trace
 * (arXiv:2011.10741, eq. 5.16) and TEKFAC's (arXiv:2011.13609, eq. 3.5).
 */
class RelativeDampingTest {
  private static final int COUNT = 13;
  private static final double LAMBDA = 0.7;
  private static final double FLOOR = 1e-8;

  private enum Form {
    TKFAC,
    TEKFAC;

    Preconditioner preconditioner() {
      return this == TKFAC
          ? new TkfacPreconditioner()
          : new TekfacPreconditioner(new Scalings(Scalings.Source.EXAMPLES, 1, 0));
    }

    /** δ, or tr Θ, which is the Fisher matrix's trace: positions are summed before squaring. */
    double trace(ExampleRows rows) {
      if (this == TKFAC) {
        return FullBlock.trace(rows);
      }
      double sum = 0;
      for (ExampleRows.Example example : rows.examples()) {
        for (int pass = 0; pass < example.gradients().size(); pass++) {
          sum += Dense.squares(example.gradient(pass));
        }
      }
      return sum / rows.examples().size();
    }

    /** The damped matrix of a block in full. */
    double[][] damped(ExampleRows rows, double strength) {
      FullBlock full = FullBlock.tkfac(rows);
      double root = Math.sqrt(strength);
      return this == TKFAC
          ? Dense.kronecker(
              Dense.shifted(full.inputs(), root), Dense.shifted(full.gradients(), root))
          : Dense.shifted(full.matrix(full.best()), strength);
    }
  }

  private static Kfac relative(Form form, FisherType fisher, double floor) {
    return changed(
        Inverted.settings(form.preconditioner(), fisher),
        new Kfac.Inverses(1, false, 1),
        new RelativeDamping(floor));
  }

  private static Kfac changed(Kfac plain, Kfac.Inverses inverses, RelativeDamping relative) {
    return new Kfac(
        plain.preconditioner(),
        plain.statistics(),
        inverses,
        plain.damping(),
        relative,
        plain.stepRule(),
        plain.seed(),
        plain.machine());
  }

  private static boolean isConvolution(ParameterBlock block) {
    return block.name().startsWith("conv") || block.name().startsWith("depthwise");
  }

  /** λ of each block, by the definition. */
  private static double[] expected(
      Form form, Problem problem, double[] theta, FisherType fisher, double lambda, double floor) {
    List<ParameterBlock> blocks = problem.network().blocks();
    double[] expected = new double[blocks.size()];
    double largest = 0;
    for (int i = 0; i < expected.length; i++) {
      ParameterBlock block = blocks.get(i);
      if (isConvolution(block)) {
        double trace = form.trace(ExampleRows.of(problem, theta, fisher, block));
        expected[i] = lambda * Math.max(trace, floor) / (block.rows() * block.columns());
        largest = Math.max(largest, expected[i]);
      }
    }
    for (int i = 0; i < expected.length; i++) {
      if (!isConvolution(blocks.get(i))) {
        expected[i] = largest == 0 ? lambda : largest;
      }
    }
    return expected;
  }

  private static void assertEachClose(double[] actual, double[] expected) {
    assertThat(actual).hasSameSizeAs(expected);
    for (int i = 0; i < expected.length; i++) {
      assertClose(actual[i], expected[i], Tolerance.F64);
    }
  }

  @ParameterizedTest
  @EnumSource(FisherType.class)
  void aConvolutionHasItsTraceOverItsSizeAndAllElseTheLargestOfThese(FisherType fisher) {
    for (Network network : Networks.all().toList()) {
      Problem problem = Problem.random(3, network, COUNT);
      double[] theta = problem.theta(5, 1);
      for (Form form : Form.values()) {
        double[] expected = expected(form, problem, theta, fisher, LAMBDA, FLOOR);
        try (Inverted inverted =
            Inverted.of(relative(form, fisher, FLOOR), problem, theta, LAMBDA)) {
          assertEachClose(inverted.inverse.dampings(LAMBDA), expected);
          assertEachClose(inverted.inverse.dampings(3 * LAMBDA), Dense.scaled(3, expected));
        }
      }
    }
  }

  /** A ⊗ G of conjugate gradients is K-FAC's, so that they solve what K-FAC inverts. */
  @ParameterizedTest
  @EnumSource(FisherType.class)
  void conjugateGradientsAreDampedLikeWhatTheySolve(FisherType fisher) {
    Problem problem = Problem.random(3, Networks.convolution(), COUNT);
    double[] theta = problem.theta(5, 1);
    double[] kfac = dampings(new KfacPreconditioner(), fisher, problem, theta);
    assertEachClose(
        dampings(conjugate(CgfacPreconditioner.Operator.KRONECKER), fisher, problem, theta), kfac);
    double[] exact =
        dampings(conjugate(CgfacPreconditioner.Operator.FISHER), fisher, problem, theta);
    double[] tekfac = expected(Form.TEKFAC, problem, theta, fisher, LAMBDA, FLOOR);
    assertEachClose(exact, tekfac);
    assertThat(Math.abs(exact[0] - kfac[0])).isGreaterThan(0.01 * kfac[0]);
  }

  private static Preconditioner conjugate(CgfacPreconditioner.Operator operator) {
    return new CgfacPreconditioner(operator, 1e-3, 1, true, false);
  }

  private static double[] dampings(
      Preconditioner preconditioner, FisherType fisher, Problem problem, double[] theta) {
    Kfac plain = Inverted.settings(preconditioner, fisher);
    Kfac relative = changed(plain, new Kfac.Inverses(1, false, 1), new RelativeDamping(FLOOR));
    try (Inverted inverted = Inverted.of(relative, problem, theta, LAMBDA)) {
      return inverted.inverse.dampings(LAMBDA);
    }
  }

  @Test
  void theTraceOfTekfacHasWhatPositionsHaveInCommon() {
    Problem problem = Problem.random(3, Networks.convolution(), COUNT);
    double[] theta = problem.theta(5, 1);
    for (ParameterBlock block : problem.network().weightBlocks()) {
      ExampleRows rows = ExampleRows.of(problem, theta, FisherType.EMPIRICAL, block);
      double tkfac = Form.TKFAC.trace(rows);
      double tekfac = Form.TEKFAC.trace(rows);
      if (isConvolution(block)) {
        assertThat(Math.abs(tekfac - tkfac)).isGreaterThan(0.01 * tkfac);
      } else {
        assertClose(tekfac, tkfac, Tolerance.F64);
      }
    }
  }

  /** A floor between the traces of two convolutions, and one that is above both. */
  @ParameterizedTest
  @EnumSource(Form.class)
  void aTraceBelowTheFloorCountsAsTheFloor(Form form) {
    Problem problem = Problem.random(3, Networks.convolution(), COUNT);
    double[] theta = problem.theta(5, 1);
    FisherType fisher = FisherType.SAMPLED;
    List<ParameterBlock> blocks = problem.network().blocks();
    double first = form.trace(ExampleRows.of(problem, theta, fisher, blocks.get(0)));
    double second = form.trace(ExampleRows.of(problem, theta, fisher, blocks.get(1)));
    double between = Math.sqrt(first * second);
    assertThat(Math.abs(Math.log(first / second))).isGreaterThan(0.1);
    for (double floor : new double[] {between, 10 * (first + second)}) {
      try (Inverted inverted = Inverted.of(relative(form, fisher, floor), problem, theta, LAMBDA)) {
        assertEachClose(
            inverted.inverse.dampings(LAMBDA),
            expected(form, problem, theta, fisher, LAMBDA, floor));
      }
    }
  }

  /** All weights zero: no gradient comes back to the convolutions. */
  @ParameterizedTest
  @EnumSource(Form.class)
  void withoutCurvatureTheFloorIsAllThereIs(Form form) {
    Problem problem = Problem.random(3, Networks.convolution(), COUNT);
    double[] zero = new double[problem.network().parameterCount()];
    double[] v = Dense.normal(8, zero.length);
    Kfac settings = relative(form, FisherType.EMPIRICAL, FLOOR);
    try (Inverted inverted = Inverted.of(settings, problem, zero, LAMBDA)) {
      double[] u = inverted.apply(v);
      for (ParameterBlock block : problem.network().blocks()) {
        if (isConvolution(block)) {
          double damping = LAMBDA * FLOOR / block.shape().size();
          assertClose(Dense.scaled(damping, part(u, block)), part(v, block), Tolerance.F64);
        }
      }
    }
  }

  private static double[] part(double[] v, ParameterBlock block) {
    return Arrays.copyOfRange(v, block.offset(), block.end());
  }

  /** C⁻¹ v by blocks in full, with λ_l + η. */
  private static double[] solved(
      Form form, Problem problem, double[] theta, FisherType fisher, double[] v) {
    double[] dampings = expected(form, problem, theta, fisher, LAMBDA, FLOOR);
    List<ParameterBlock> blocks = problem.network().weightBlocks();
    double[] solved = new double[v.length];
    for (int i = 0; i < dampings.length; i++) {
      ParameterBlock block = blocks.get(i);
      ExampleRows rows = ExampleRows.of(problem, theta, fisher, block);
      double strength = dampings[i] + block.penalty().weights();
      double[] part = Dense.solve(form.damped(rows, strength), part(v, block));
      System.arraycopy(part, 0, solved, block.offset(), part.length);
    }
    return solved;
  }

  @ParameterizedTest
  @EnumSource(FisherType.class)
  void applyingSolvesWithBlocksThatHaveTheirOwnDamping(FisherType fisher) {
    for (Network network : Networks.ofIndependentExamples().toList()) {
      Problem problem = Problem.random(3, network.withMoreL2(0.01), COUNT);
      double[] theta = problem.theta(5, 1);
      double[] v = Dense.normal(8, theta.length);
      for (Form form : Form.values()) {
        double[] expected = solved(form, problem, theta, fisher, v);
        try (Inverted inverted =
            Inverted.of(relative(form, fisher, FLOOR), problem, theta, LAMBDA)) {
          double[] u = inverted.apply(v);
          for (ParameterBlock block : network.blocks()) {
            assertClose(block.name(), part(u, block), part(expected, block), Tolerance.F64);
          }
        }
      }
    }
  }

  /** α* = −∇hᵀΔ / (ΔᵀFΔ + Σ λ_l ‖Δ_l‖²), and ρ with M(δ) − M(0) less its damping. */
  @ParameterizedTest
  @EnumSource(Form.class)
  void theModelOfAnExactStepHasTheDampingOfEveryBlock(Form form) {
    Problem problem = Problem.random(3, Networks.convolution(), COUNT);
    Network network = problem.network();
    double[] theta = problem.theta(5, 1);
    Kfac plain = relative(form, FisherType.EXACT, FLOOR);
    Kfac settings =
        new Kfac(
            plain.preconditioner(),
            plain.statistics(),
            plain.inverses(),
            new Damping.LevenbergMarquardt(LAMBDA, 1e-8, 1e8, 1, 0.95, false),
            plain.relativeDamping(),
            new StepRule.Exact(1, false),
            plain.seed(),
            plain.machine());
    Step step;
    double[] update;
    try (LocalObjective objective = problem.objective();
        Optimizer.Run run = settings.start(network, theta, null)) {
      step = run.step(objective, problem.all(), 1);
      update = Dense.minus(run.theta(), theta);
    }
    double[] gradient = gradient(problem, theta);
    double[] direction = Dense.scaled(-1, solved(form, problem, theta, FisherType.EXACT, gradient));
    double products =
        problem
            .sums(theta, new Request.Products(problem.all(), 1), direction)
            .scalar(SumNames.product(0, 0));
    double damping = weighted(form, problem, theta, direction);
    double slope = Dense.dot(gradient, direction);
    double alpha = -slope / (products / COUNT + damping);
    assertClose(step.alpha(), alpha, Tolerance.F64);
    assertClose(update, Dense.scaled(alpha, direction), Tolerance.F64);
    double after =
        problem
                .sums(Dense.plus(theta, update), new Request.Loss(problem.all(), false))
                .scalar(SumNames.LOSS)
            / COUNT;
    double predicted = 0.5 * alpha * slope - 0.5 * alpha * alpha * damping;
    assertThat(step.rho()).isNotNull();
    // The losses' difference has a digit or two less than they.
    assertClose(step.rho(), (after - step.loss()) / predicted, 10 * Tolerance.F64);
    // It is a good part of the model.
    assertThat(damping).isGreaterThan(0.05 * products / COUNT);
  }

  /** Σ λ_l ‖Δ_l‖². */
  private static double weighted(Form form, Problem problem, double[] theta, double[] direction) {
    double[] dampings = expected(form, problem, theta, FisherType.EXACT, LAMBDA, FLOOR);
    double sum = 0;
    for (int i = 0; i < dampings.length; i++) {
      double[] part = part(direction, problem.network().blocks().get(i));
      sum += dampings[i] * Dense.dot(part, part);
    }
    return sum;
  }

  private static double[] gradient(Problem problem, double[] theta) {
    return problem
        .sums(theta, new Request.Gradient(problem.all(), null))
        .mean(SumNames.GRADIENT, problem.count());
  }

  /** The direction of the loss's gradient, of squared error with a scale. */
  private static double[] direction(
      Kfac settings, Problem problem, double scale, double lambda, double[] theta) {
    Network network = problem.network();
    Problem scaled =
        new Problem(
            new Network(
                network.input(),
                network.layers(),
                network.sources(),
                new SquaredError(3, scale),
                network.penalties()),
            problem.features(),
            null,
            problem.targets());
    try (Inverted inverted = Inverted.of(settings, scaled, theta, lambda)) {
      return inverted.apply(gradient(scaled, theta));
    }
  }

  static Stream<Network> networksOfConvolutions() {
    return Stream.of(Networks.convolution(), Networks.depthwise());
  }

  /**
   * With a loss of c L gradients are c times as long. The empirical Fisher matrix is c² F and the
   * update 1/c of what it was, as without damping; the model's own is c F, as targets vary less,
   * and the update does not change. A damping that is not relative means λ/c² or λ/c.
   */
  @ParameterizedTest
  @MethodSource("networksOfConvolutions")
  void aLossTimesAConstantMovesLikeAnUndampedOneAndNotWithAConstantDamping(Network network) {
    double c = 3;
    for (FisherType fisher : FisherType.values()) {
      double ofFisher = fisher == FisherType.EMPIRICAL ? c * c : c;
      Problem problem = Problem.withDistributions(3, network, COUNT);
      double[] theta = problem.theta(5, 1);
      for (Form form : Form.values()) {
        Kfac relative = relative(form, fisher, FLOOR);
        assertClose(
            direction(relative, problem, c, LAMBDA, theta),
            Dense.scaled(c / ofFisher, direction(relative, problem, 1, LAMBDA, theta)),
            Tolerance.F64);
        Kfac constant = Inverted.settings(form.preconditioner(), fisher);
        double[] moved = direction(constant, problem, c, LAMBDA, theta);
        assertClose(
            moved,
            Dense.scaled(c / ofFisher, direction(constant, problem, 1, LAMBDA / ofFisher, theta)),
            Tolerance.F64);
        assertThat(
                Dense.distance(
                    moved,
                    Dense.scaled(c / ofFisher, direction(constant, problem, 1, LAMBDA, theta))))
            .isGreaterThan(0.1);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Form.class)
  void mapsThatWorkersMakeHaveTheSameDamping(Form form) {
    Problem problem = Problem.random(3, Networks.convolution(), COUNT);
    double[] theta = problem.theta(5, 1);
    double[] v = Dense.normal(8, theta.length);
    Kfac driver = relative(form, FisherType.SAMPLED, FLOOR);
    Kfac executors =
        changed(
            driver,
            new Kfac.Inverses(1, false, 1, Placement.EXECUTORS),
            new RelativeDamping(FLOOR));
    try (Inverted here = Inverted.of(driver, problem, theta, LAMBDA);
        Inverted there = Inverted.of(executors, problem, theta, LAMBDA, new LocalWorkers())) {
      assertThat(there.inverse.dampings(LAMBDA)).isEqualTo(here.inverse.dampings(LAMBDA));
      assertThat(there.apply(v)).isEqualTo(here.apply(v));
    }
  }
}
