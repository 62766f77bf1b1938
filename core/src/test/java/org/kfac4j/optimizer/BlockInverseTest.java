package org.kfac4j.optimizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.kfac4j.Dense.assertClose;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.kfac4j.Dense;
import org.kfac4j.Problem;
import org.kfac4j.Snapshot;
import org.kfac4j.Tolerance;
import org.kfac4j.curvature.BlockForm;
import org.kfac4j.curvature.BlockForms;
import org.kfac4j.curvature.DiagonalStatistics;
import org.kfac4j.curvature.ExactStatistics;
import org.kfac4j.curvature.FisherType;
import org.kfac4j.curvature.Request;
import org.kfac4j.curvature.SumNames;
import org.kfac4j.curvature.Sums;
import org.kfac4j.linalg.Precision;
import org.kfac4j.network.BatchNormalizationLayer;
import org.kfac4j.network.DenseLayer;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.ParametricReluLayer;
import org.kfac4j.network.Shape;
import org.kfac4j.network.SoftmaxCrossEntropy;
import org.kfac4j.network.WeightSharing;
import org.kfac4j.training.LocalObjective;

/** Inverses of blocks without Kronecker factors: against solves, and in a step of K-FAC. */
class BlockInverseTest {
  private static final int N = 6;
  private static final double STRENGTH = 0.3;
  private static final double[][] FISHER = Dense.positiveDefinite(1, N);

  /** An inverse and the matrix that it is of. */
  private record Case(String name, LinearMap map, double[][] damped) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static LinearMap exact(double[][] fisher) {
    return ExactInverse.of(new ExactStatistics(Dense.packed(fisher), N), STRENGTH, Machines.DOUBLE);
  }

  static Stream<Case> cases() {
    double[] diagonal = new double[N];
    Arrays.setAll(diagonal, i -> i == 2 ? 0 : FISHER[i][i]);
    double[] u = Dense.normal(5, N);
    return Stream.of(
        new Case("exact", exact(FISHER), Dense.shifted(FISHER, STRENGTH)),
        new Case(
            "one example", exact(Dense.outer(u, u)), Dense.shifted(Dense.outer(u, u), STRENGTH)),
        new Case(
            "no gradient", exact(Dense.zeros(N, N)), Dense.shifted(Dense.zeros(N, N), STRENGTH)),
        new Case(
            "diagonal",
            DiagonalInverse.of(new DiagonalStatistics(diagonal), STRENGTH),
            Dense.shifted(Dense.diagonal(diagonal), STRENGTH)));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void appliesTheInverseOfTheDampedBlockAndSavesIt(Case each) {
    double[] v = Dense.normal(3, N + 4);
    double[] result = Dense.normal(4, N + 4);
    double[] expected = result.clone();
    double[] solved = Dense.solve(each.damped, Arrays.copyOfRange(v, 3, 3 + N));
    System.arraycopy(solved, 0, expected, 3, N);
    each.map.apply(v, 3, result);
    assertClose(each.name, result, expected, Tolerance.F64);
    Snapshot snapshot = new Snapshot();
    each.map.save(snapshot, "it ");
    LinearMap restored =
        each.name.equals("diagonal")
            ? DiagonalInverse.restore(snapshot, "it ")
            : ExactInverse.restore(snapshot, "it ", N, Machines.DOUBLE);
    double[] again = Dense.normal(4, N + 4);
    restored.apply(v, 3, again);
    assertThat(again).isEqualTo(result);
    assertThat(restored.recoveries()).isZero();
    restored.close();
    each.map.close();
  }

  private static final Network NETWORK =
      Network.of(
          new SoftmaxCrossEntropy(3),
          new DenseLayer("in", 4, 5, true),
          new BatchNormalizationLayer("norm", Shape.vector(5), 0.8, 1e-3, true, false),
          new DenseLayer("out", 5, 3, true));
  private static final Problem PROBLEM = Problem.random(1, NETWORK, 20);
  private static final double[] THETA = PROBLEM.theta(2, 1);

  private static Kfac kfac(BlockForms forms, double averageEpochs) {
    return new Kfac(
        new KfacPreconditioner(),
        new Kfac.Statistics(FisherType.EXACT, 1, 1, 0.95, averageEpochs, forms),
        new Kfac.Inverses(1, false, 1),
        new Damping.Scheduled(Schedule.constant(STRENGTH)),
        new StepRule.Scheduled(Schedule.constant(1), Schedule.constant(0), 0),
        1,
        Machines.DOUBLE);
  }

  @ParameterizedTest
  @org.junit.jupiter.params.provider.EnumSource(
      value = BlockForm.class,
      names = {"EXACT", "DIAGONAL"})
  void aStepMovesScalesByTheirBlockAndRunningAveragesByThemselves(BlockForm form) {
    BlockForms forms = new BlockForms(WeightSharing.KFC, form, false);
    Sums sums =
        PROBLEM.sums(
            THETA,
            new Request.Gradient(
                PROBLEM.all(), new Request.Statistics(PROBLEM.all(), FisherType.EXACT, 1, forms)));
    double[] gradient = sums.mean(SumNames.GRADIENT, 20);
    double[] expected = new double[THETA.length];
    ParameterBlock scales = NETWORK.blocks().get(1);
    double[][] fisher =
        form == BlockForm.EXACT
            ? Dense.unpacked(sums.mean(SumNames.exact(scales), 20), 10)
            : Dense.diagonal(sums.mean(SumNames.diagonal(scales), 20));
    double[] step =
        Dense.solve(
            Dense.shifted(fisher, STRENGTH),
            Arrays.copyOfRange(gradient, scales.offset(), scales.end()));
    for (int i = scales.offset(); i < scales.end(); i++) {
      expected[i] = THETA[i] - step[i - scales.offset()];
    }
    ParameterBlock averages = NETWORK.statistics().get(0);
    for (int i = averages.offset(); i < averages.end(); i++) {
      expected[i] = THETA[i] - 0.2 * gradient[i];
    }
    try (LocalObjective objective = PROBLEM.objective();
        Optimizer.Run run = kfac(forms, 0).start(NETWORK, THETA, null)) {
      Step done = run.step(objective, PROBLEM.all(), 1);
      assertClose(
          "scales and averages",
          Arrays.copyOfRange(run.theta(), scales.offset(), averages.end()),
          Arrays.copyOfRange(expected, scales.offset(), averages.end()),
          Tolerance.F64);
      assertThat(done.curvature()).containsKeys("norm F", "norm recovery", "in pi");
    }
  }

  /** The exact step's model is of γ and β as of all weights; averages take no part in it. */
  @Test
  void runningAveragesAreNoDirectionOfTheNextStep() {
    Kfac exact =
        new Kfac(
            new KfacPreconditioner(),
            new Kfac.Statistics(FisherType.SAMPLED, 1, 1, 0.95),
            new Kfac.Inverses(1, false, 1),
            new Damping.LevenbergMarquardt(1, 1e-8, 1e8, 5, 0.95, true),
            new StepRule.Exact(1, true),
            1,
            Machines.DOUBLE);
    double[] other = THETA.clone();
    for (ParameterBlock block : NETWORK.statistics()) {
      for (int i = block.offset(); i < block.end(); i++) {
        other[i] += 3;
      }
    }
    try (LocalObjective objective = PROBLEM.objective();
        Optimizer.Run run = exact.start(NETWORK, THETA, null);
        Optimizer.Run shifted = exact.start(NETWORK, other, null)) {
      for (int k = 1; k <= 12; k++) {
        run.step(objective, PROBLEM.all(), k);
        shifted.step(objective, PROBLEM.all(), k);
      }
      for (ParameterBlock block : NETWORK.blocks()) {
        assertThat(Arrays.copyOfRange(shifted.theta(), block.offset(), block.end()))
            .isEqualTo(Arrays.copyOfRange(run.theta(), block.offset(), block.end()));
      }
      ParameterBlock averages = NETWORK.statistics().get(0);
      assertClose(
          shifted.theta()[averages.offset()] - run.theta()[averages.offset()],
          3 * Math.pow(0.8, 12),
          Tolerance.F64);
    }
  }

  @Test
  void strictRefusesDiagonals() {
    kfac(new BlockForms(WeightSharing.KFC, BlockForm.EXACT, true), 0).check(NETWORK);
    kfac(new BlockForms(WeightSharing.KFC, BlockForm.DIAGONAL, false), 0).check(NETWORK);
    Kfac strict = kfac(new BlockForms(WeightSharing.KFC, BlockForm.DIAGONAL, true), 0);
    assertThatThrownBy(() -> strict.check(NETWORK))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "curvature.strict = true refuses layer norm: it would only get the diagonal of its Fisher block");
  }

  @Test
  void parametersOfAnyOtherKindGetADiagonal() {
    Network network =
        Network.of(
            new SoftmaxCrossEntropy(3),
            new DenseLayer("in", 4, 5, true),
            new ParametricReluLayer("slopes", Shape.vector(5)),
            new DenseLayer("out", 5, 3, true));
    assertThat(kfac(BlockForms.DEFAULT, 0).describe(network, 1)).isEqualTo("diagonal only");
    Kfac strict = kfac(new BlockForms(WeightSharing.KFC, BlockForm.EXACT, true), 0);
    assertThatThrownBy(() -> strict.check(network)).hasMessageContaining("refuses layer slopes");
    Problem problem = Problem.random(1, network, 20);
    double[] theta = problem.theta(2, 1);
    Sums sums =
        problem.sums(
            theta,
            new Request.Gradient(
                problem.all(), new Request.Statistics(problem.all(), FisherType.EXACT, 1)));
    ParameterBlock block = network.blocks().get(1);
    double[][] unit = new double[5][theta.length];
    for (int i = 0; i < 5; i++) {
      unit[i][block.offset() + i] = 1;
    }
    Sums products = problem.sums(theta, new Request.Products(problem.all(), 5), unit);
    double[] diagonal = new double[5];
    Arrays.setAll(diagonal, i -> products.scalar(SumNames.product(i, i)));
    assertClose("diagonal", sums.mean(SumNames.diagonal(block), 1), diagonal, Tolerance.SUMS * 10);
  }

  @Test
  void theTableSaysWhatEachLayerGets() {
    Kfac kfac = kfac(BlockForms.DEFAULT, 0);
    assertThat(List.of(0, 1, 2).stream().map(i -> kfac.describe(NETWORK, i)))
        .containsExactly("Kronecker, factored", "exact block", "Kronecker, factored");
    assertThat(NETWORK.blocks().stream().map(kfac::factors))
        .containsExactly("5² ⊗ 5²", "10²", "6² ⊗ 3²");
  }

  /** ε = e^(−batch / (epochs · N)): KFC's average, whose memory is so many epochs. */
  @Test
  void runningAveragesCanForgetByEpochs() {
    Kfac.Statistics byEpochs = kfac(BlockForms.DEFAULT, 2).statistics();
    org.kfac4j.data.Batch batch = new org.kfac4j.data.Batch(1000, 1, 0, 50);
    assertClose(byEpochs.weightOfPast(1, batch), 0, Tolerance.F64);
    assertClose(byEpochs.weightOfPast(2, batch), 0.5, Tolerance.F64);
    assertClose(byEpochs.weightOfPast(1000, batch), Math.exp(-1.0 / 40), Tolerance.F64);
    assertThatThrownBy(() -> kfac(BlockForms.DEFAULT, -1))
        .hasMessageContaining("curvature.average-epochs must be finite and not negative, got -1.0");
  }

  @Test
  void singlePrecisionInvertsToo() {
    DenseMachine single = Machines.of(Precision.FLOAT);
    try (LinearMap map =
        ExactInverse.of(new ExactStatistics(Dense.packed(FISHER), N), STRENGTH, single)) {
      double[] v = Dense.normal(3, N);
      double[] result = new double[N];
      map.apply(v, 0, result);
      assertClose(
          "single", result, Dense.solve(Dense.shifted(FISHER, STRENGTH), v), 10 * Tolerance.F32);
    }
  }
}
