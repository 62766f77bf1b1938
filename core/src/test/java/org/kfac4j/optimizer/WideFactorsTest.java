package org.kfac4j.optimizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.kfac4j.Dense.assertClose;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.kfac4j.Dense;
import org.kfac4j.Networks;
import org.kfac4j.Problem;
import org.kfac4j.Settings;
import org.kfac4j.Tolerance;
import org.kfac4j.curvature.BlockForm;
import org.kfac4j.curvature.BlockForms;
import org.kfac4j.curvature.Coupling;
import org.kfac4j.curvature.FisherType;
import org.kfac4j.curvature.KroneckerFactors;
import org.kfac4j.curvature.Request;
import org.kfac4j.curvature.SumNames;
import org.kfac4j.curvature.Sums;
import org.kfac4j.curvature.TraceFactors;
import org.kfac4j.curvature.WideFactors;
import org.kfac4j.curvature.WideFactors.Rule;
import org.kfac4j.linalg.DiagonalBlocks;
import org.kfac4j.linalg.Precision;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.WeightSharing;
import org.kfac4j.training.LocalObjective;

/** Factors of which blocks along the diagonal are kept, against whole ones with zeros outside. */
class WideFactorsTest {
  private static final int COUNT = 13;
  private static final double STRENGTH = 0.03;

  private static Stream<WideFactors> wide() {
    return Stream.of(
        new WideFactors(3, Rule.BLOCKS),
        new WideFactors(1, Rule.BLOCKS),
        new WideFactors(4, Rule.DIAGONAL),
        new WideFactors(1, Rule.DIAGONAL));
  }

  private static BlockForms forms(BlockForm form, WeightSharing sharing, WideFactors wide) {
    return new BlockForms(form, Coupling.NONE, sharing, BlockForm.EXACT, false, 1, wide);
  }

  private static Sums sums(Problem problem, FisherType fisher, BlockForms forms) {
    return problem.sums(
        problem.theta(5, 1),
        new Request.Curvature(new Request.Statistics(problem.all(), fisher, 7, forms)));
  }

  /** Zeros outside of the blocks that are kept of a matrix of that size. */
  private static double[][] cut(double[][] whole, WideFactors wide) {
    int n = whole.length;
    double[][] cut = Dense.zeros(n, n);
    int count = (n + wide.widest() - 1) / wide.widest();
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        boolean kept =
            n <= wide.widest()
                || (wide.rule() == Rule.BLOCKS ? block(i, n, count) == block(j, n, count) : i == j);
        cut[i][j] = kept ? whole[i][j] : 0;
      }
    }
    return cut;
  }

  private static int block(int row, int n, int count) {
    int block = 0;
    while (row >= n * (block + 1) / count) {
      block++;
    }
    return block;
  }

  private static double[][] square(double[] packed, DiagonalBlocks blocks) {
    double[][] square = Dense.zeros(blocks.size(), blocks.size());
    int at = 0;
    for (int i = 0; i < blocks.count(); i++) {
      for (int row = 0; row < blocks.width(i); row++) {
        for (int column = 0; column <= row; column++) {
          int r = blocks.first(i) + row;
          int c = blocks.first(i) + column;
          square[r][c] = packed[at];
          square[c][r] = packed[at++];
        }
      }
    }
    assertThat(at).isEqualTo(packed.length);
    return square;
  }

  @Test
  void blocksAreAsEqualAsCanBeAndCoverTheMatrix() {
    for (int n = 1; n <= 30; n++) {
      for (int width = 1; width <= n; width++) {
        DiagonalBlocks blocks = DiagonalBlocks.atMost(n, width);
        assertThat(blocks.count()).isEqualTo((n + width - 1) / width);
        int next = 0;
        int packed = 0;
        int squares = 0;
        for (int i = 0; i < blocks.count(); i++) {
          int own = blocks.width(i);
          assertThat(blocks.first(i)).isEqualTo(next);
          assertThat(own).isBetween(n / blocks.count(), width);
          next += own;
          packed += own * (own + 1) / 2;
          squares += own * own;
        }
        assertThat(next).isEqualTo(n);
        assertThat(blocks.packedLength()).isEqualTo(packed);
        assertThat(blocks.squareLength()).isEqualTo(squares);
      }
    }
    assertThat(DiagonalBlocks.whole(46_340).squareLength()).isEqualTo(46_340 * 46_340);
    assertThat(DiagonalBlocks.atMost(20_001, 5000)).hasToString("5 × 4001²");
    assertThat(DiagonalBlocks.whole(785)).hasToString("785²");
    assertThat(DiagonalBlocks.diagonal(785)).hasToString("785 diagonal");
  }

  @ParameterizedTest
  @EnumSource(WeightSharing.class)
  void sumsAreTheBlocksOfWholeSums(WeightSharing sharing) {
    Networks.all()
        .forEach(
            network -> {
              Problem problem = Problem.random(3, network, COUNT);
              for (FisherType fisher : FisherType.values()) {
                Sums whole =
                    sums(problem, fisher, forms(BlockForm.KRONECKER, sharing, WideFactors.REFUSED));
                wide()
                    .forEach(
                        wide -> {
                          BlockForms forms = forms(BlockForm.KRONECKER, sharing, wide);
                          Sums sums = sums(problem, fisher, forms);
                          for (ParameterBlock block : network.weightBlocks()) {
                            String a = SumNames.inputs(block);
                            String g = SumNames.gradients(block);
                            assertSame(sums, whole, a, forms.inputBlocks(block), wide);
                            assertSame(sums, whole, g, forms.gradientBlocks(block), wide);
                          }
                        });
              }
            });
  }

  @Test
  void weightedSumsAreTheBlocksOfWholeSumsAndKeepTheTrace() {
    Networks.all()
        .forEach(
            network -> {
              Problem problem = Problem.random(3, network, COUNT);
              BlockForms all = forms(BlockForm.TRACES, WeightSharing.KFC, WideFactors.REFUSED);
              Sums whole = sums(problem, FisherType.EXACT, all);
              wide()
                  .forEach(
                      wide -> {
                        BlockForms forms = forms(BlockForm.TRACES, WeightSharing.KFC, wide);
                        Sums sums = sums(problem, FisherType.EXACT, forms);
                        for (ParameterBlock block : network.weightBlocks()) {
                          String a = SumNames.weightedInputs(block);
                          String g = SumNames.weightedGradients(block);
                          assertSame(sums, whole, a, forms.inputBlocks(block), wide);
                          assertSame(sums, whole, g, forms.gradientBlocks(block), wide);
                          double trace = sums.scalar(SumNames.trace(block));
                          double[] packed = sums.mean(a, 1);
                          assertClose(forms.inputBlocks(block).trace(packed), trace, Tolerance.F64);
                        }
                      });
            });
  }

  /** What tasks keep from request to request is of no shape that another run's settings have. */
  @Test
  void oneObjectiveServesSettingsWithOtherFactors() {
    Problem problem = Problem.random(3, Networks.dense(), COUNT);
    List<BlockForms> runs = new ArrayList<>();
    for (WideFactors wide : Stream.concat(Stream.of(WideFactors.REFUSED), wide()).toList()) {
      runs.add(forms(BlockForm.KRONECKER, WeightSharing.KFC, wide));
      runs.add(forms(BlockForm.TRACES, WeightSharing.KFC, wide));
    }
    runs.add(runs.get(0));
    try (LocalObjective objective = problem.objective();
        Objective.Point here = objective.at(problem.theta(5, 1))) {
      for (BlockForms forms : runs) {
        Sums sums =
            here.evaluate(
                new Request.Curvature(
                    new Request.Statistics(problem.all(), FisherType.EXACT, 7, forms)));
        Sums alone = sums(problem, FisherType.EXACT, forms);
        for (ParameterBlock block : problem.network().weightBlocks()) {
          boolean traces = forms.of(block) == BlockForm.TRACES;
          String a = traces ? SumNames.weightedInputs(block) : SumNames.inputs(block);
          String g = traces ? SumNames.weightedGradients(block) : SumNames.gradients(block);
          for (String name : List.of(a, g)) {
            assertThat(sums.mean(name, 1)).isEqualTo(alone.mean(name, 1));
          }
        }
      }
    }
  }

  private static void assertSame(
      Sums sums, Sums whole, String name, DiagonalBlocks blocks, WideFactors wide) {
    double[][] expected = Dense.unpacked(whole.mean(name, 1), blocks.size());
    assertClose(square(sums.mean(name, 1), blocks), cut(expected, wide), Tolerance.F64);
  }

  private record Shape(DiagonalBlocks a, DiagonalBlocks g) {}

  static List<Shape> shapes() {
    List<Shape> shapes = new ArrayList<>();
    for (int count : new int[] {1, 2, 3, 7}) {
      for (int other : new int[] {1, 2, 5}) {
        shapes.add(new Shape(new DiagonalBlocks(7, count), new DiagonalBlocks(5, other)));
      }
    }
    return shapes;
  }

  private static double[] packed(double[][] square, DiagonalBlocks blocks) {
    double[] packed = new double[blocks.packedLength()];
    int at = 0;
    for (int i = 0; i < blocks.count(); i++) {
      for (int row = 0; row < blocks.width(i); row++) {
        for (int column = 0; column <= row; column++) {
          packed[at++] = square[blocks.first(i) + row][blocks.first(i) + column];
        }
      }
    }
    return packed;
  }

  @ParameterizedTest
  @MethodSource("shapes")
  void mapsSolveWithTheDampedBlocks(Shape shape) {
    double[] a = packed(Dense.positiveDefinite(1, 7), shape.a);
    double[] g = packed(Dense.positiveDefinite(2, 5), shape.g);
    double[][] wholeA = square(a, shape.a);
    double[][] wholeG = square(g, shape.g);
    KroneckerFactors kfac = new KroneckerFactors(a, g, shape.a, shape.g);
    double trace = Dense.trace(wholeA);
    TraceFactors tkfac =
        new TraceFactors(
            new double[] {trace},
            a,
            Dense.scaled(trace / Dense.trace(wholeG), g),
            shape.a,
            shape.g);
    double gamma = Math.sqrt(STRENGTH);
    double pi = Math.sqrt(Dense.trace(wholeA) / 7 / (Dense.trace(wholeG) / 5));
    assertClose(kfac.pi(), pi, Tolerance.F64);
    assertSolves(
        new KfacPreconditioner(),
        kfac,
        Dense.kronecker(Dense.shifted(wholeA, pi * gamma), Dense.shifted(wholeG, gamma / pi)));
    assertSolves(
        new EigenPreconditioner(), kfac, Dense.shifted(Dense.kronecker(wholeA, wholeG), STRENGTH));
    double root = Math.sqrt(trace);
    assertSolves(
        new TkfacPreconditioner(),
        tkfac,
        Dense.kronecker(
            Dense.shifted(Dense.scaled(1 / root, wholeA), gamma),
            Dense.shifted(Dense.scaled(root / Dense.trace(wholeG), wholeG), gamma)));
  }

  private static void assertSolves(
      Preconditioner preconditioner,
      org.kfac4j.curvature.BlockStatistics statistics,
      double[][] damped) {
    double[] v = Dense.normal(5, damped.length);
    try (LinearMap map = preconditioner.factor(statistics, STRENGTH, "layer", Machines.DOUBLE)) {
      double[] result = new double[v.length];
      map.apply(v, 0, result);
      assertThat(map.recoveries()).isZero();
      assertClose(result, Dense.solve(damped, v), Tolerance.F64);
    }
  }

  /** Diagonal factors have unit vectors for eigenvectors, and E[Y∘²] is what `diagonal` keeps. */
  @Test
  void eigenvaluesInTheBasisOfDiagonalFactorsAreTheFisherDiagonal() {
    WideFactors diagonal = new WideFactors(1, Rule.DIAGONAL);
    Networks.all()
        .forEach(
            network -> {
              Problem problem = Problem.random(3, network, COUNT);
              double[] theta = problem.theta(5, 1);
              double[] v = Dense.normal(9, network.parameterCount());
              for (Preconditioner each :
                  List.of(
                      new EkfacPreconditioner(new Scalings(Scalings.Source.EXAMPLES, 1, 0)),
                      new TekfacPreconditioner(new Scalings(Scalings.Source.EXAMPLES, 1, 0)))) {
                try (Inverted expected =
                        Inverted.of(
                            new DiagonalPreconditioner(),
                            problem,
                            theta,
                            FisherType.EXACT,
                            STRENGTH);
                    Inverted actual =
                        Inverted.of(
                            Inverted.settings(each, FisherType.EXACT, Machines.DOUBLE, diagonal),
                            problem,
                            theta,
                            STRENGTH)) {
                  double[] left = actual.apply(v);
                  double[] right = expected.apply(v);
                  for (ParameterBlock block : network.weightBlocks()) {
                    assertClose(
                        block.name(),
                        java.util.Arrays.copyOfRange(left, block.offset(), block.end()),
                        java.util.Arrays.copyOfRange(right, block.offset(), block.end()),
                        Tolerance.F64);
                  }
                }
              }
            });
  }

  /** Even of zero curvature, and in float32, blocks and diagonals are inverted or recovered. */
  @ParameterizedTest
  @EnumSource(Precision.class)
  void recoveryIsPerBlockAndReported(Precision precision) {
    DiagonalBlocks halves = new DiagonalBlocks(4, 2);
    double[] good = packed(Dense.positiveDefinite(1, 4), halves);
    double[] half = good.clone();
    java.util.Arrays.fill(half, 0, 3, 0);
    DenseMachine machine = Machines.of(precision);
    assertThat(BlockInverses.of(good, halves, 0.1, machine).rung()).isZero();
    assertThat(BlockInverses.of(half, halves, 0, machine).rung()).isPositive();
    DiagonalBlocks diagonal = DiagonalBlocks.diagonal(3);
    assertThat(BlockInverses.of(new double[] {1, 0, 2}, diagonal, 0.1, machine).rung()).isZero();
    BlockInverses floored = BlockInverses.of(new double[] {1, 0, 2}, diagonal, 0, machine);
    assertThat(floored.rung()).isEqualTo(RecoveryLadder.MORE_DAMPING);
    assertThat(floored.inverse().toArray()[2]).isEqualTo(0.5);
    BlockInverses none = BlockInverses.of(new double[] {1, Double.NaN, 2}, diagonal, 0, machine);
    assertThat(none.rung()).isEqualTo(RecoveryLadder.IDENTITY);
    assertThat(none.inverse().toArray()).containsExactly(1, 1, 1);
  }

  private static Kfac kfac(String... overrides) {
    return (Kfac) Optimizers.create(Settings.load("wide", "", List.of(overrides)), Machines.DOUBLE);
  }

  @Test
  void whatIsTooWideIsRefusedOrShown() {
    ParameterBlock first = Networks.dense().weightBlocks().get(0);
    assertThat(kfac().factors(first)).isEqualTo("5² ⊗ 5²");
    kfac("curvature.widest-factor=6").check(Networks.dense());
    assertThatThrownBy(() -> kfac("curvature.widest-factor=5").check(Networks.dense()))
        .hasMessage(
            "layer dense2 has a factor of 6 × 6, wider than curvature.widest-factor = 5: set curvature.wide-factors = blocks or diagonal, or optimizer.preconditioner = cgfac, which has no factors");
    Kfac blocks = kfac("curvature.widest-factor=4", "curvature.wide-factors=blocks");
    blocks.check(Networks.dense());
    assertThat(blocks.factors(first)).isEqualTo("2 × 3² ⊗ 2 × 3²");
    Kfac diagonal = kfac("curvature.widest-factor=4", "curvature.wide-factors=diagonal");
    assertThat(diagonal.factors(first)).isEqualTo("5 diagonal ⊗ 5 diagonal");
    assertThat(diagonal.factors(Networks.dense().weightBlocks().get(2)))
        .isEqualTo("5 diagonal ⊗ 3²");
    for (String whole : List.of("kfac-tridiagonal", "two-level")) {
      Kfac coupled =
          kfac(
              "optimizer.preconditioner=" + whole,
              "curvature.widest-factor=5",
              "curvature.wide-factors=blocks");
      assertThatThrownBy(() -> coupled.check(Networks.dense()))
          .hasMessage(
              "layer dense2 has a factor of 6 × 6, wider than curvature.widest-factor = 5, and this preconditioner needs whole factors: curvature.wide-factors = blocks does not go with it");
    }
    for (String without : List.of("cgfac", "diagonal", "none")) {
      kfac("optimizer.preconditioner=" + without, "curvature.widest-factor=2")
          .check(Networks.dense());
    }
    assertThatThrownBy(() -> kfac("curvature.widest-factor=46341"))
        .hasMessage("curvature.widest-factor must be in [1, 46340], got 46341");
  }

  @Test
  void aFootprintCountsBlocks() {
    Kfac blocks = kfac("curvature.widest-factor=4", "curvature.wide-factors=blocks");
    Footprint split = blocks.footprint(Networks.dense());
    Footprint whole = kfac().footprint(Networks.dense());
    assertThat(split.inverted()).containsExactly(2, 3, 2, 3, 3, 3, 4, 2, 3, 3);
    assertThat(whole.inverted()).containsExactly(5, 5, 6, 4, 5, 3);
    assertThat(split.heap()).isLessThan(whole.heap());
    assertThat(split.outside()).isLessThan(whole.outside());
    assertThat(
            kfac("curvature.widest-factor=2", "curvature.wide-factors=diagonal")
                .footprint(Networks.dense())
                .inverted())
        .isEmpty();
  }
}
