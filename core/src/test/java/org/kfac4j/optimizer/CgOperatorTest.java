package org.kfac4j.optimizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.kfac4j.Dense.assertClose;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.kfac4j.Dense;
import org.kfac4j.Networks;
import org.kfac4j.Problem;
import org.kfac4j.Tolerance;
import org.kfac4j.curvature.BlockForm;
import org.kfac4j.curvature.BlockForms;
import org.kfac4j.curvature.BlockStatistics;
import org.kfac4j.curvature.Coupling;
import org.kfac4j.curvature.ExampleRows;
import org.kfac4j.curvature.FisherType;
import org.kfac4j.curvature.Request;
import org.kfac4j.curvature.RowWindow;
import org.kfac4j.network.Activation.Function;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.SoftmaxCrossEntropy;
import org.kfac4j.network.WeightSharing;
import org.kfac4j.optimizer.CgfacPreconditioner.Operator;

/** CG-FAC's products with rows against those with the matrices that the rows make up. */
class CgOperatorTest {
  private static final int COUNT = 12;
  private static final double STRENGTH = 0.02;
  private static final int WINDOW = 3;
  private static final BlockForms ROWS =
      new BlockForms(
          BlockForm.ROWS, Coupling.NONE, WeightSharing.KFC, BlockForm.EXACT, false, 1_000_000);

  private record Case(Operator operator, FisherType fisher, String kind, Network network) {
    @Override
    public String toString() {
      return operator + " " + fisher + " " + kind;
    }
  }

  static Stream<Case> cases() {
    List<Case> cases = new ArrayList<>();
    for (Operator operator : Operator.values()) {
      for (FisherType fisher : FisherType.values()) {
        cases.add(new Case(operator, fisher, "dense", Networks.dense()));
        cases.add(new Case(operator, fisher, "dense without bias", withoutBias()));
        cases.add(new Case(operator, fisher, "convolution", Networks.convolution()));
        cases.add(new Case(operator, fisher, "depthwise", Networks.depthwise()));
      }
    }
    return cases.stream();
  }

  private static Network withoutBias() {
    return Problem.network(new SoftmaxCrossEntropy(3), Function.TANH, false, 4, 5, 3);
  }

  /** θ of the batches, one after the other. */
  private static List<double[]> thetas(Problem problem, int count) {
    return Stream.iterate(1, k -> k + 1).limit(count).map(k -> problem.theta(k, 1)).toList();
  }

  /**
   * @param past weights of the past, batch by batch
   */
  private static RowWindow window(
      Problem problem,
      List<double[]> thetas,
      FisherType fisher,
      ParameterBlock block,
      double... past) {
    RowWindow window = (RowWindow) BlockStatistics.zeros(problem.network(), block, ROWS, WINDOW);
    for (int k = 0; k < past.length; k++) {
      window.update(
          problem.sums(
              thetas.get(k),
              new Request.Curvature(
                  new Request.Statistics(problem.all(), fisher, Inverted.SEED, ROWS))),
          block,
          past[k]);
    }
    return window;
  }

  private static double[] product(CgOperator operator, double[] x) {
    double[] product = new double[x.length];
    operator.apply(x, product);
    return product;
  }

  /** Column by column. */
  private static double[][] matrix(CgOperator operator, int n) {
    return Dense.transposed(
        Arrays.stream(Dense.identity(n)).map(x -> product(operator, x)).toArray(double[][]::new));
  }

  private static void assertProducts(Case each, double[] past, double[] weights) {
    Problem problem = Problem.random(3, each.network, COUNT);
    List<double[]> thetas = thetas(problem, past.length);
    for (ParameterBlock block : each.network.weightBlocks()) {
      List<ExampleRows> rows =
          thetas.stream().map(at -> ExampleRows.of(problem, at, each.fisher, block)).toList();
      CgMatrix expected = new CgMatrix(each.operator, rows, weights, STRENGTH);
      RowWindow window = window(problem, thetas, each.fisher, block, past);
      try (CgOperator operator = CgOperator.of(each.operator, window, STRENGTH, Machines.DOUBLE)) {
        int n = block.shape().size();
        double[][] actual = matrix(operator, n);
        assertClose(actual, expected.matrix(), Tolerance.F64);
        assertClose(actual, Dense.transposed(actual), Tolerance.F64);
        double[] x = Dense.normal(block.index(), n);
        assertThat(Dense.dot(x, product(operator, x))).isGreaterThan(STRENGTH * Dense.dot(x, x));
        assertClose(operator.diagonal(), expected.diagonal(), Tolerance.F64);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void productsAreThoseOfTheMatrixInFull(Case each) {
    assertProducts(each, new double[] {0}, new double[] {1});
  }

  /** Of four batches the first has left the window, and the others' weights add up to one. */
  @ParameterizedTest
  @MethodSource("cases")
  void aWindowsBatchesHaveTheirWeights(Case each) {
    double kept = 0.5 * 0.7 * 0.4 + 0.3 * 0.4 + 0.6;
    assertProducts(
        each,
        new double[] {0, 0.5, 0.7, 0.4},
        new double[] {0, 0.5 * 0.7 * 0.4 / kept, 0.3 * 0.4 / kept, 0.6 / kept});
  }

  private static RowWindow fixture() {
    Problem problem = FamilyFixtureTest.DENSE;
    return window(
        problem,
        List.of(new double[6]),
        FisherType.EMPIRICAL,
        problem.network().weightBlocks().get(0),
        0);
  }

  /** Of X = [3, 2], as the specification prints its transpose. */
  private static void assertFixture(double[] actual, double... expected) {
    assertClose(
        Dense.transposed(Dense.matrix(actual, 0, 3, 2)),
        Dense.matrix(expected, 0, 2, 3),
        Tolerance.PRINTED);
  }

  @Test
  void productsWithTheMeanGradientAreThoseOfTheFixture() {
    double[] m = FamilyFixtureTest.gradient();
    try (CgOperator kronecker = CgOperator.of(Operator.KRONECKER, fixture(), 0, Machines.DOUBLE);
        CgOperator fisher = CgOperator.of(Operator.FISHER, fixture(), 0, Machines.DOUBLE)) {
      assertFixture(
          product(kronecker, m),
          -5.8518518519,
          -5.7777777778,
          -3.1851851852,
          13.4074074074,
          12,
          8.3703703704);
      assertFixture(
          product(fisher, m), -10, -8, -4.2222222222, 27.7777777778, 15.5555555556, 14.4444444444);
    }
  }

  @Test
  void solutionsAreThoseOfTheFixture() {
    assertFixture(
        solution(Operator.KRONECKER),
        -.0702006746,
        -.1140660380,
        .3972595890,
        .2803261013,
        -.1621811738,
        .0937910283);
    assertFixture(
        solution(Operator.FISHER),
        .0602874312,
        .0861572684,
        .5199095792,
        .3649171228,
        -.2268760009,
        .0460137073);
  }

  private static double[] solution(Operator operator) {
    double[] result = new double[6];
    try (LinearMap map =
        new CgfacPreconditioner(operator, 1e-13, 100, true, false)
            .factor(fixture(), 0.25, "layer", Machines.DOUBLE)) {
      map.apply(FamilyFixtureTest.gradient(), 0, result);
    }
    return result;
  }
}
