package org.kfac4j.optimizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.kfac4j.Dense.assertClose;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.kfac4j.Dense;
import org.kfac4j.Networks;
import org.kfac4j.Problem;
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
import org.kfac4j.linalg.Eigen;
import org.kfac4j.linalg.Precision;
import org.kfac4j.network.ConvolutionLayer;
import org.kfac4j.network.DenseLayer;
import org.kfac4j.network.FlattenLayer;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.Shape;
import org.kfac4j.network.SquaredError;
import org.kfac4j.network.WeightSharing;

/**
 * The family on one dense and one convolutional layer with numbers that were computed elsewhere:
 * networks of one linear layer, whose weights are zero and whose targets make the gradients.
 */
class FamilyFixtureTest {
  private static final float[] X = {1, 2, 0, -1, 2, 1};
  private static final float[] G = {1, -1, 2, 0, -1, 3};
  static final Problem DENSE =
      new Problem(
          Network.of(new SquaredError(2, 0.5), new DenseLayer("layer", 2, 2, true)),
          X,
          null,
          negated(G));
  private static final ParameterBlock BLOCK = DENSE.network().blocks().get(0);

  private static final Network CONVOLUTION = convolution();

  private static Network convolution() {
    Shape in = new Shape(3, 3, 1);
    ConvolutionLayer layer = new ConvolutionLayer("conv", Networks.window(in, 2, 1, 0), 2, true);
    return Network.of(
        new SquaredError(8, 0.5), layer, new FlattenLayer("flat", layer.outputShape(), true));
  }

  private static final Problem MAPS =
      new Problem(
          CONVOLUTION,
          new float[] {1, 2, 0, 0, 1, 3, 2, 1, 0, 0, 1, 1, 1, 0, 2, 1, 1, 0},
          null,
          negated(new float[] {1, 0, 0, 1, -1, 1, 2, -1, 0, 1, 1, 1, 1, -1, 0, 2}));

  private static float[] negated(float[] values) {
    float[] negated = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      negated[i] = -values[i];
    }
    return negated;
  }

  private static Sums sums(Problem problem, BlockForm form, List<double[]> bases) {
    BlockForms forms =
        new BlockForms(form, Coupling.NONE, WeightSharing.KFC, BlockForm.EXACT, false, 1000);
    Request.Statistics asked =
        new Request.Statistics(
            problem.all(), FisherType.EMPIRICAL, 1, forms, true, !bases.isEmpty());
    return problem.sums(
        new double[problem.network().parameterCount()],
        new Request.Gradient(problem.all(), asked),
        bases.toArray(double[][]::new));
  }

  private static TraceFactors traces(Problem problem) {
    return TraceFactors.of(
        sums(problem, BlockForm.TRACES, List.of()), problem.network().blocks().get(0));
  }

  private static KroneckerFactors factors() {
    return KroneckerFactors.of(sums(DENSE, BlockForm.KRONECKER, List.of()), BLOCK);
  }

  /** The mean gradient, which is that of the fixture: 3M = [−1 −1 2; 5 1 2]. */
  static double[] gradient() {
    return sums(DENSE, BlockForm.NONE, List.of()).mean(SumNames.GRADIENT, 3);
  }

  private static void assertUpdate(LinearMap map, double... expected) {
    double[] result = new double[6];
    map.apply(gradient(), 0, result);
    assertPrinted(result, expected);
    map.close();
  }

  /** An update as the fixture prints it, W row by row. */
  private static void assertPrinted(double[] update, double... expected) {
    double[][] u = Dense.transposed(Dense.matrix(update, 0, 3, 2));
    assertClose(u, Dense.matrix(expected, 0, 2, 3), Tolerance.PRINTED);
  }

  private static EigenbasisMap fresh(KroneckerFactors factors) {
    return EigenbasisMap.of(factors, 0.25, "layer", Machines.DOUBLE);
  }

  /** The map with eigenvalues from the examples. */
  private static EigenbasisMap rescaled(KroneckerFactors factors) {
    EigenbasisMap map = fresh(factors);
    Sums sums = sums(DENSE, BlockForm.KRONECKER, List.of(map.inputBasis(), map.gradientBasis()));
    sums.average(SumNames.scalings(BLOCK), 3, 0, map.eigenvalues());
    return map;
  }

  private static double[][] fisher() {
    double[][] sum = Dense.zeros(6, 6);
    for (int n = 0; n < 3; n++) {
      double[] u =
          Dense.flat(
              Dense.outer(
                  new double[] {X[2 * n], X[2 * n + 1], 1}, new double[] {G[2 * n], G[2 * n + 1]}));
      sum = Dense.plus(sum, Dense.scaled(1.0 / 3, Dense.outer(u, u)));
    }
    return sum;
  }

  /** The matrix that a map inverts, without its damping. */
  private static double[][] approximated(EigenbasisMap map) {
    double[][] q =
        Dense.kronecker(
            Dense.matrix(map.inputBasis(), 0, 3, 3), Dense.matrix(map.gradientBasis(), 0, 2, 2));
    return Dense.times(Dense.transposed(q), Dense.times(Dense.diagonal(map.eigenvalues()), q));
  }

  private static double error(double[][] approximation) {
    return Dense.squares(Dense.minus(fisher(), approximation));
  }

  @Test
  void theFactorsAreThoseOfTheFixture() {
    KroneckerFactors factors = factors();
    assertClose(
        Dense.scaled(3, Dense.unpacked(factors.inputs(), 3)),
        new double[][] {{5, 4, 3}, {4, 6, 2}, {3, 2, 3}},
        Tolerance.F64);
    assertClose(
        Dense.scaled(3, Dense.unpacked(factors.gradients(), 2)),
        new double[][] {{6, -4}, {-4, 10}},
        Tolerance.F64);
    assertThat(factors.pi()).isCloseTo(0.7637626158, within(Tolerance.PRINTED));
    assertThat(Dense.trace(fisher())).isCloseTo(80.0 / 3, within(1e-12));
    assertThat(factors.fisherTrace()).isCloseTo(224.0 / 9, within(1e-12));
    assertThat(error(Problem.block(factors))).isCloseTo(117.0370370, within(1e-7));
  }

  @Test
  void traceFactorsAreThoseOfTheFixture() {
    TraceFactors factors = traces(DENSE);
    assertThat(factors.trace()[0]).isCloseTo(80.0 / 3, within(1e-12));
    assertClose(
        Dense.scaled(3, Dense.unpacked(factors.inputs(), 3)),
        new double[][] {{42, 24, 22}, {24, 22, 10}, {22, 10, 16}},
        Tolerance.F64);
    assertClose(
        Dense.scaled(3, Dense.unpacked(factors.gradients(), 2)),
        new double[][] {{20, -24}, {-24, 60}},
        Tolerance.F64);
    double[][] product = Problem.block(factors.factors());
    assertThat(error(product)).isCloseTo(22.68, within(1e-7));
    assertThat(Dense.trace(product)).isCloseTo(80.0 / 3, within(1e-12));
    double phi = Dense.squares(Dense.unpacked(factors.inputs(), 3)) * 9 / 6400;
    double psi = Dense.squares(Dense.unpacked(factors.gradients(), 2)) * 9 / 6400;
    double bound = 6400.0 / 9 * (1 - phi) * (1 - psi);
    assertThat(bound).isCloseTo(34.1466667, within(1e-6));
    assertThat(error(product)).isLessThan(bound);
  }

  @Test
  void updatesAreThoseOfTheFixture() {
    assertUpdate(
        new KfacPreconditioner().factor(factors(), 0.25, "layer", Machines.DOUBLE),
        -.0702006746,
        -.1140660380,
        .3972595890,
        .2803261013,
        -.1621811738,
        .0937910283);
    assertUpdate(
        new EigenPreconditioner().factor(factors(), 0.25, "layer", Machines.DOUBLE),
        -.2324057590,
        -.1647268052,
        .8335566570,
        .5912039502,
        -.3617047261,
        .0432239488);
    assertUpdate(
        rescaled(factors()),
        -.1646605768,
        .2345476261,
        .7595596812,
        .6049254048,
        -.1692512515,
        .0640103014);
    assertUpdate(
        new TkfacPreconditioner().factor(traces(DENSE), 0.25, "layer", Machines.DOUBLE),
        -.1409377587,
        -.2095010291,
        .6929850957,
        .1230691256,
        -.1667552067,
        .2236506599);
    assertUpdate(
        rescaled(traces(DENSE).factors()),
        -.1239572559,
        .5013694859,
        1.0674896127,
        .5608803069,
        -.1651953882,
        .0041826294);
  }

  /** (F + λ I)⁻¹ is what CG-FAC solves with, run to convergence. */
  @Test
  void theUpdateWithTheFisherMatrixItselfIsThatOfTheFixture() {
    CgfacPreconditioner exact =
        new CgfacPreconditioner(CgfacPreconditioner.Operator.FISHER, 1e-13, 100, true, false);
    try (Inverted inverted = Inverted.of(exact, DENSE, new double[6], FisherType.EMPIRICAL, 0.25)) {
      assertPrinted(
          inverted.apply(gradient()),
          .0602874312,
          .0861572684,
          .5199095792,
          .3649171228,
          -.2268760009,
          .0460137073);
    }
  }

  private static void assertEigenvalues(double[] packed, int n, double... expected) {
    try (Eigen eigen = Machines.DOUBLE.factorizations().eigen(packed, n, Precision.DOUBLE)) {
      assertThat(eigen.values())
          .usingComparatorWithPrecision(Tolerance.PRINTED)
          .containsExactly(expected);
    }
  }

  @Test
  void theFactorsEigenvaluesAreThoseOfTheFixture() {
    assertEigenvalues(factors().inputs(), 3, .2078548774, .7736385221, 3.6851732672);
    assertEigenvalues(factors().gradients(), 2, 1.1759546817, 4.1573786517);
    TraceFactors traces = traces(DENSE);
    double scale = 1 / traces.trace()[0];
    assertEigenvalues(
        Dense.scaled(scale, traces.inputs()), 3, .0254188292, .1143296935, .8602514774);
    assertEigenvalues(Dense.scaled(scale, traces.gradients()), 2, .1094875162, .8905124838);
  }

  /** S as the fixture prints it: rows by the eigenvalues of G, columns by those of A, ascending. */
  private static void assertArranged(
      EigenbasisMap map, KroneckerFactors factors, double... expected) {
    int[] rows = ascending(map.inputBasis(), Dense.unpacked(factors.inputs(), 3));
    int[] columns = ascending(map.gradientBasis(), Dense.unpacked(factors.gradients(), 2));
    double[] arranged = new double[6];
    Arrays.setAll(arranged, i -> map.eigenvalues()[2 * rows[i % 3] + columns[i / 3]]);
    // The specification's last digit, of numbers up to 20.
    assertThat(arranged).usingComparatorWithPrecision(2e-9).containsExactly(expected);
  }

  /** The order of eigenvectors, the rows of Uᵀ, by uᵀ S u. */
  private static int[] ascending(double[] transposed, double[][] s) {
    double[][] u = Dense.matrix(transposed, 0, s.length, s.length);
    return IntStream.range(0, s.length)
        .boxed()
        .sorted(Comparator.comparingDouble(i -> Dense.dot(u[i], Dense.times(s, u[i]))))
        .mapToInt(i -> i)
        .toArray();
  }

  @Test
  void eigenvaluesAreThoseOfTheFixtureAndTheirErrorsGoDownByTheirDifference() {
    EigenbasisMap kfac = fresh(factors());
    EigenbasisMap ekfac = rescaled(factors());
    assertArranged(
        ekfac,
        factors(),
        .1815468478,
        1.7981205362,
        1.2168244513,
        .9269226344,
        1.8559687892,
        20.6872834077);
    assertThat(error(approximated(ekfac))).isCloseTo(75.8745299, within(1e-6));
    assertDifference(kfac, ekfac);
    EigenbasisMap tkfac = fresh(traces(DENSE).factors());
    EigenbasisMap tekfac = rescaled(traces(DENSE).factors());
    assertArranged(
        tekfac,
        traces(DENSE).factors(),
        .1491292545,
        2.1401041856,
        .6304336587,
        .5287061901,
        .9086876399,
        22.3096057378);
    assertThat(error(approximated(tekfac))).isCloseTo(9.0654052, within(1e-6));
    assertDifference(tkfac, tekfac);
  }

  /** ‖F − F₀‖² − ‖F − F₁‖² = ‖S₁ − S₀‖² for two approximations in one basis, S₁ the best. */
  private static void assertDifference(EigenbasisMap product, EigenbasisMap best) {
    double[] difference = Dense.minus(best.eigenvalues(), product.eigenvalues());
    assertThat(error(approximated(product)) - error(approximated(best)))
        .isCloseTo(Dense.dot(difference, difference), within(1e-10));
    assertThat(Arrays.stream(best.eigenvalues()).sum()).isCloseTo(80.0 / 3, within(1e-12));
  }

  @Test
  void theWrongSplitOfTheTraceIsAnotherDirection() {
    TraceFactors factors = traces(DENSE);
    double delta = factors.trace()[0];
    double[][] a = Dense.scaled(1 / Math.sqrt(delta), Dense.unpacked(factors.inputs(), 3));
    double[][] g = Dense.scaled(1 / Math.sqrt(delta), Dense.unpacked(factors.gradients(), 2));
    // √δ (Φ + √λ I) in the place of √δ Φ + √λ I
    double wrong = Math.sqrt(delta) * 0.5;
    double[] v = gradient();
    double[] other =
        Dense.solve(Dense.kronecker(Dense.shifted(a, wrong), Dense.shifted(g, wrong)), v);
    // (1/δ) (Ψ + √(λ/δ) I)⁻¹ M (Φ + √(λ/δ) I)⁻¹, the paper's other way of writing it
    double shift = 0.5 / Math.sqrt(delta);
    double[] same =
        Dense.scaled(
            1 / delta,
            Dense.solve(
                Dense.kronecker(
                    Dense.shifted(Dense.scaled(1 / Math.sqrt(delta), a), shift),
                    Dense.shifted(Dense.scaled(1 / Math.sqrt(delta), g), shift)),
                v));
    double[] result = new double[6];
    try (LinearMap map =
        new TkfacPreconditioner().factor(factors, 0.25, "layer", Machines.DOUBLE)) {
      map.apply(v, 0, result);
    }
    assertClose(result, same, Tolerance.F64);
    assertThat(Dense.distance(result, other)).isGreaterThan(0.1);
  }

  @Test
  void convolutionsTraceFactorsAreThoseOfTheFixture() {
    TraceFactors factors = traces(MAPS);
    assertThat(factors.trace()[0]).isCloseTo(72.5, within(1e-12));
    assertClose(
        Dense.scaled(2, Dense.unpacked(factors.inputs(), 5)),
        new double[][] {
          {14, 19, 9, 13, 12},
          {19, 70, 28, 8, 30},
          {9, 28, 21, 9, 17},
          {13, 8, 9, 22, 12},
          {12, 30, 17, 12, 18}
        },
        Tolerance.F64);
    assertClose(
        Dense.scaled(2, Dense.unpacked(factors.gradients(), 2)),
        new double[][] {{73, -28}, {-28, 72}},
        Tolerance.F64);
    KroneckerFactors kfc =
        KroneckerFactors.of(
            sums(MAPS, BlockForm.KRONECKER, List.of()), CONVOLUTION.blocks().get(0));
    assertThat(kfc.fisherTrace()).isCloseTo(68.625, within(1e-12));
    try (EigenbasisMap basis = fresh(kfc)) {
      Sums sums =
          sums(MAPS, BlockForm.KRONECKER, List.of(basis.inputBasis(), basis.gradientBasis()));
      double[] scalings = sums.mean(SumNames.scalings(CONVOLUTION.blocks().get(0)), 2);
      assertThat(Arrays.stream(scalings).sum()).isCloseTo(78.5, within(1e-11));
    }
    double[] diagonal =
        sums(MAPS, BlockForm.DIAGONAL, List.of())
            .mean(SumNames.diagonal(CONVOLUTION.blocks().get(0)), 2);
    double[][] first = {{3, 7, 0, 0, 2}, {1, -2, 2, 4, 1}};
    double[][] second = {{2, 1, 1, 3, 2}, {0, 6, 2, 1, 3}};
    for (int i = 0; i < 5; i++) {
      for (int j = 0; j < 2; j++) {
        assertThat(diagonal[i * 2 + j])
            .isCloseTo((Math.pow(first[j][i], 2) + Math.pow(second[j][i], 2)) / 2, within(1e-12));
      }
    }
  }
}
