package org.kfac4j.curvature;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.kfac4j.Dense.assertClose;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.kfac4j.Dense;
import org.kfac4j.PlainNetwork;
import org.kfac4j.Problem;
import org.kfac4j.Tolerance;
import org.kfac4j.data.Batch;
import org.kfac4j.data.Hashing;
import org.kfac4j.linalg.Packed;
import org.kfac4j.network.Activation.Function;
import org.kfac4j.network.Loss;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.SoftmaxCrossEntropy;
import org.kfac4j.network.SquaredError;

/**
 * Kronecker statistics and exact products against the Fisher matrix in full, arXiv:1503.05671 §2,
 * §3 and §5.
 */
class FisherTest {
  private static final long KEY = 99;

  static Stream<Loss> losses() {
    return Problem.losses(3);
  }

  /** Sums over all examples, with all of them in the statistics. */
  private static Sums sums(Problem problem, double[] theta, FisherType fisher, long key) {
    Batch all = problem.all();
    return problem.sums(theta, new Request.Gradient(all, new Request.Statistics(all, fisher, key)));
  }

  private static KroneckerFactors factors(Sums sums, ParameterBlock block) {
    return KroneckerFactors.of(sums, block);
  }

  /** Mean over examples of Dθ Dθᵀ with the training targets. */
  private static double[][] empiricalFisher(Problem problem, double[] theta) {
    PlainNetwork plain = new PlainNetwork(problem.network(), theta);
    double[][] sum = Dense.zeros(theta.length, theta.length);
    for (int n = 0; n < problem.count(); n++) {
      double[] gradient = gradient(problem, plain, n);
      sum = Dense.plus(sum, Dense.outer(gradient, gradient));
    }
    return Dense.scaled(1.0 / problem.count(), sum);
  }

  private static double[] gradient(Problem problem, PlainNetwork plain, int n) {
    PlainNetwork.Pass pass = plain.forward(problem.x(n));
    Loss loss = problem.network().loss();
    double[] g = PlainNetwork.lossGradient(loss, pass.z(), problem.target(n));
    return plain.backward(pass, g).gradient();
  }

  private static double relative(double[][] actual, double[][] expected) {
    return Math.sqrt(Dense.squares(Dense.minus(actual, expected)) / Dense.squares(expected));
  }

  @ParameterizedTest
  @EnumSource(FisherType.class)
  void factorsAreMeansOverTheStatisticsSubsetOfInputsAndOutputGradients(FisherType fisher) {
    for (Loss loss : losses().toList()) {
      for (boolean bias : new boolean[] {true, false}) {
        assertFactors(
            fisher, Problem.random(1, Problem.network(loss, Function.TANH, bias, 4, 5, 4, 3), 23));
      }
    }
  }

  private static void assertFactors(FisherType fisher, Problem problem) {
    Network network = problem.network();
    double[] theta = problem.theta(2, 1);
    Batch batch = new Batch(problem.count(), 7, 2, 17);
    Batch subset = batch.subset(0.5);
    Sums sums =
        problem.sums(
            theta, new Request.Gradient(batch, new Request.Statistics(subset, fisher, KEY)));
    assertThat(sums.scalar(SumNames.COUNT)).isEqualTo(17);
    assertThat(sums.scalar(SumNames.STATISTICS_COUNT)).isEqualTo(9);

    PlainNetwork plain = new PlainNetwork(network, theta);
    double[] gradient = new double[theta.length];
    double[][][] a = new double[3][][];
    double[][][] g = new double[3][][];
    for (int i = 0; i < 3; i++) {
      ParameterBlock block = network.blocks().get(i);
      a[i] = Dense.zeros(block.rows(), block.rows());
      g[i] = Dense.zeros(block.columns(), block.columns());
    }
    for (int n = 0; n < problem.count(); n++) {
      PlainNetwork.Pass pass = plain.forward(problem.x(n));
      if (batch.visits().place(n, 0) >= 0) {
        gradient = Dense.plus(gradient, Dense.scaled(1.0 / 17, gradient(problem, plain, n)));
      }
      if (subset.visits().place(n, 0) < 0) {
        continue;
      }
      for (int i = 0; i < 3; i++) {
        double[] input = plain.inputs(pass).get(i);
        a[i] = Dense.plus(a[i], Dense.scaled(1.0 / 9, Dense.outer(input, input)));
        for (double[] v : vectors(problem, fisher, n, pass.z())) {
          double[] each = plain.backward(pass, v).g().get(i);
          g[i] = Dense.plus(g[i], Dense.scaled(1.0 / 9, Dense.outer(each, each)));
        }
      }
    }
    assertClose(sums.mean(SumNames.GRADIENT, 17), gradient, Tolerance.F64);
    for (int i = 0; i < 3; i++) {
      KroneckerFactors factors = factors(sums, network.blocks().get(i));
      assertClose(factors.inputs(), Dense.packed(a[i]), Tolerance.F64);
      assertClose(factors.gradients(), Dense.packed(g[i]), Tolerance.F64);
    }
  }

  /** The vectors at the output whose backward passes make up an example's part of G. */
  private static List<double[]> vectors(Problem problem, FisherType fisher, int n, double[] z) {
    Loss loss = problem.network().loss();
    switch (fisher) {
      case EMPIRICAL -> {
        return List.of(PlainNetwork.lossGradient(loss, z, problem.target(n)));
      }
      case SAMPLED -> {
        double[] g = new double[z.length];
        loss.sampledGradient(z, new long[] {Hashing.key(KEY, n)}, 1, g);
        return List.of(g);
      }
      default -> {
        double[] p = PlainNetwork.mean(loss, z);
        double[][] fisherMatrix = PlainNetwork.outputFisher(loss, z);
        double[][] v = Dense.identity(z.length);
        for (int c = 0; c < z.length; c++) {
          v[c] =
              loss instanceof SoftmaxCrossEntropy
                  ? Dense.scaled(Math.sqrt(p[c]), Dense.minus(v[c], p))
                  : Dense.scaled(Math.sqrt(fisherMatrix[c][c]), v[c]);
        }
        return List.of(v);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("losses")
  void theBlockOfASingleExampleIsItsFisherMatrix(Loss loss) {
    Problem problem = Problem.random(3, Problem.network(loss, Function.SIGMOID, true, 3, 4, 3), 1);
    double[] theta = problem.theta(4, 2);
    Sums exact = sums(problem, theta, FisherType.EXACT, KEY);
    Sums empirical = sums(problem, theta, FisherType.EMPIRICAL, KEY);
    ParameterBlock last = problem.network().blocks().get(1);
    // At the output one example has one F_R, below it the same holds of Jᵀ F_R J.
    for (ParameterBlock block : problem.network().blocks()) {
      assertClose(
          Problem.block(factors(exact, block)),
          Problem.block(problem.exactFisher(theta, problem.all()), block),
          Tolerance.F64);
      assertClose(
          Problem.block(factors(empirical, block)),
          Problem.block(empiricalFisher(problem, theta), block),
          Tolerance.F64);
    }
    assertThat(
            relative(Problem.block(factors(exact, last)), Problem.block(factors(empirical, last))))
        .isGreaterThan(0.05);
  }

  /**
   * Inputs and output gradients independent by construction: each of one set with each of the
   * other.
   */
  @Test
  void theBlockOfAProductSetIsItsFisherMatrix() {
    float[][] inputs = {{1, 2}, {0, -1}, {2, 0.5f}, {-1, 1}};
    float[][] gradients = {{1, -1}, {2, 0}, {-1, 3}};
    float[] features = new float[24];
    float[] targets = new float[24];
    for (int p = 0; p < 4; p++) {
      for (int q = 0; q < 3; q++) {
        System.arraycopy(inputs[p], 0, features, 2 * (3 * p + q), 2);
        targets[2 * (3 * p + q)] = -gradients[q][0];
        targets[2 * (3 * p + q) + 1] = -gradients[q][1];
      }
    }
    // With θ = 0 and ½‖z − t‖², g = −t.
    Network network = Problem.network(new SquaredError(2, 0.5), Function.IDENTITY, true, 2, 2);
    Problem problem = new Problem(network, features, null, targets);
    Sums sums = sums(problem, new double[6], FisherType.EMPIRICAL, KEY);
    assertClose(
        Problem.block(factors(sums, network.blocks().get(0))),
        empiricalFisher(problem, new double[6]),
        Tolerance.F64);
  }

  private static Problem deepLinear(double scale) {
    return Problem.random(
        5, Problem.network(new SquaredError(3, scale), Function.IDENTITY, true, 4, 5, 3, 3), 12);
  }

  @Test
  void blocksOfADeepLinearNetworkWithSquaredErrorAreExact() {
    for (double scale : new double[] {0.5, 1, 1.0 / 3}) {
      Problem problem = deepLinear(scale);
      double[] theta = problem.theta(6, 1.3);
      double[][] fisher = problem.exactFisher(theta, problem.all());
      double[][] ofTargets = empiricalFisher(problem, theta);
      Sums exact = sums(problem, theta, FisherType.EXACT, KEY);
      Sums empirical = sums(problem, theta, FisherType.EMPIRICAL, KEY);
      for (ParameterBlock block : problem.network().blocks()) {
        assertClose(
            Problem.block(factors(exact, block)), Problem.block(fisher, block), Tolerance.F64);
        // Residuals are no samples of the model, and depend on the inputs.
        double[][] other = Problem.block(factors(empirical, block));
        assertThat(relative(other, Problem.block(fisher, block))).isGreaterThan(0.05);
        assertThat(relative(other, Problem.block(ofTargets, block))).isGreaterThan(0.05);
      }
    }
  }

  /**
   * In a deep linear network with squared error g is normal with covariance Σ, so a mean of n
   * products g_i g_j has variance (Σ_ii Σ_jj + Σ_ij²) / n. Errors in units of that deviation have
   * mean square 1 for few and for many draws alike: the estimate converges, and at 1/√n.
   */
  @Test
  void sampledFactorsConvergeToTheExactOnesLikeOneOverTheRootOfTheDraws() {
    Problem problem = deepLinear(1);
    List<ParameterBlock> blocks = problem.network().blocks();
    double[] theta = problem.theta(6, 1.3);
    Sums exact = sums(problem, theta, FisherType.EXACT, KEY);
    for (int keys : new int[] {8, 512}) {
      double[][] means = new double[3][];
      Arrays.setAll(means, i -> new double[Packed.length(blocks.get(i).columns())]);
      for (int key = 0; key < keys; key++) {
        Sums sampled = sums(problem, theta, FisherType.SAMPLED, Hashing.key(keys, key));
        for (int i = 0; i < 3; i++) {
          KroneckerFactors factors = factors(sampled, blocks.get(i));
          means[i] = Dense.plus(means[i], Dense.scaled(1.0 / keys, factors.gradients()));
          assertThat(factors.inputs()).isEqualTo(factors(exact, blocks.get(i)).inputs());
        }
      }
      double squares = 0;
      int entries = 0;
      for (int i = 0; i < 3; i++) {
        int n = blocks.get(i).columns();
        double[][] sigma = Dense.unpacked(factors(exact, blocks.get(i)).gradients(), n);
        double[][] mean = Dense.unpacked(means[i], n);
        for (int r = 0; r < n; r++) {
          for (int c = 0; c <= r; c++) {
            double variance =
                (sigma[r][r] * sigma[c][c] + sigma[r][c] * sigma[r][c]) / (keys * problem.count());
            double error = (mean[r][c] - sigma[r][c]) / Math.sqrt(variance);
            assertThat(error).isBetween(-6.0, 6.0);
            squares += error * error;
            entries++;
          }
        }
      }
      assertThat(squares / entries).isBetween(0.1, 4.0);
    }
  }

  @ParameterizedTest
  @MethodSource("losses")
  void blocksOfANonlinearNetworkAreOnlyNearTheFisherMatrix(Loss loss) {
    Problem problem = Problem.random(8, Problem.network(loss, Function.TANH, true, 4, 5, 3), 15);
    double[] theta = problem.theta(9, 2);
    double[][] fisher = problem.exactFisher(theta, problem.all());
    Sums exact = sums(problem, theta, FisherType.EXACT, KEY);
    ParameterBlock first = problem.network().blocks().get(0);
    assertThat(relative(Problem.block(factors(exact, first)), Problem.block(fisher, first)))
        .isBetween(0.01, 0.9);
  }

  @Test
  void theFixtureOfOneDenseLayerComesOut() {
    // Inputs (1, 2), (0, −1), (2, 1); output gradients (1, −1), (2, 0), (−1, 3).
    Network network = Problem.network(new SquaredError(2, 0.5), Function.IDENTITY, true, 2, 2);
    Problem problem =
        new Problem(
            network, new float[] {1, 2, 0, -1, 2, 1}, null, new float[] {-1, 1, -2, 0, 1, -3});
    Sums sums = sums(problem, new double[6], FisherType.EMPIRICAL, KEY);
    KroneckerFactors factors = factors(sums, network.blocks().get(0));
    assertClose(
        Dense.scaled(3, Dense.unpacked(factors.inputs(), 3)),
        new double[][] {{5, 4, 3}, {4, 6, 2}, {3, 2, 3}},
        Tolerance.F64);
    assertClose(
        Dense.scaled(3, Dense.unpacked(factors.gradients(), 2)),
        new double[][] {{6, -4}, {-4, 10}},
        Tolerance.F64);
    double[][] mean = Dense.matrix(sums.mean(SumNames.GRADIENT, 3), 0, 3, 2);
    assertClose(
        Dense.scaled(3, Dense.transposed(mean)),
        new double[][] {{-1, -1, 2}, {5, 1, 2}},
        Tolerance.F64);

    // tr F exceeds tr A tr G by the covariance of ‖ā‖² and ‖g‖².
    double[][] fisher = empiricalFisher(problem, new double[6]);
    assertThat(Dense.trace(fisher)).isCloseTo(80.0 / 3, within(Tolerance.F64));
    double product = Packed.trace(factors.inputs(), 3) * Packed.trace(factors.gradients(), 2);
    assertThat(product).isCloseTo(224.0 / 9, within(Tolerance.F64));
    assertThat(Dense.trace(fisher) - product).isCloseTo(16.0 / 9, within(Tolerance.F64));
    assertThat(Dense.squares(fisher)).isCloseTo(512.8888889, within(1e-7));
    assertThat(Dense.squares(Dense.minus(fisher, Problem.block(factors))))
        .isCloseTo(117.0370370, within(1e-7));
    assertThat(factors.pi()).isCloseTo(0.7637626158, within(Tolerance.PRINTED));
    assertThat(factors.pi()).isCloseTo(Math.sqrt(7.0 / 12), within(Tolerance.F64));

    // Products with M, in the order of cvec.
    double[] fm = Dense.times(fisher, Dense.flat(mean));
    assertClose(
        Dense.transposed(Dense.matrix(fm, 0, 3, 2)),
        new double[][] {{-10, -8, -38.0 / 9}, {250.0 / 9, 140.0 / 9, 130.0 / 9}},
        Tolerance.F64);
    double[] gma = Dense.times(Problem.block(factors), Dense.flat(mean));
    assertClose(
        Dense.transposed(Dense.matrix(gma, 0, 3, 2)),
        new double[][] {
          {-5.8518518519, -5.7777777778, -3.1851851852}, {13.4074074074, 12, 8.3703703704}
        },
        Tolerance.PRINTED);
  }

  @ParameterizedTest
  @MethodSource("losses")
  void productsAreThoseOfTheFisherMatrixInFull(Loss loss) {
    for (boolean bias : new boolean[] {true, false}) {
      for (Function function : new Function[] {Function.TANH, Function.SOFTPLUS, Function.RELU}) {
        assertProducts(Problem.random(10, Problem.network(loss, function, bias, 4, 5, 4, 3), 13));
      }
    }
  }

  private static void assertProducts(Problem problem) {
    double[] theta = problem.theta(11, 1.5);
    Batch batch = new Batch(problem.count(), 3, 1, 11);
    double[][] fisher = problem.exactFisher(theta, batch);
    double[][] directions = Dense.normal(12, 4, theta.length);
    directions[3] = new double[theta.length];
    directions[3][0] = 1;
    Sums sums = problem.sums(theta, new Request.Products(batch, 4), directions);
    assertThat(sums.scalar(SumNames.COUNT)).isEqualTo(11);
    double[][] expected =
        Dense.times(directions, Dense.times(fisher, Dense.transposed(directions)));
    for (int i = 0; i < 4; i++) {
      for (int j = 0; j < 4; j++) {
        assertThat(sums.scalar(SumNames.product(i, j)) / 11)
            .as("%d %d", i, j)
            .isCloseTo(
                expected[i][j], within(Math.sqrt(expected[i][i] * expected[j][j]) * Tolerance.F64));
      }
    }
  }

  /** ½‖z − t‖² has F_R = I, so a product is Σ‖J v‖². */
  @ParameterizedTest
  @EnumSource(Function.class)
  void forwardDerivativesAreWhatCentralDifferencesSay(Function function) {
    Network network = Problem.network(new SquaredError(3, 0.5), function, true, 4, 5, 3);
    Problem problem = Problem.random(13, network, 9);
    double[] theta = problem.theta(14, 1);
    double[] v = Dense.scaled(0.3, Dense.normal(15, theta.length));
    double[] step = Dense.scaled(Tolerance.STEP, v);
    double expected = 0;
    for (int n = 0; n < problem.count(); n++) {
      double[] right = outputs(network, Dense.plus(theta, step), problem.x(n));
      double[] left = outputs(network, Dense.minus(theta, step), problem.x(n));
      double[] derivative = Dense.scaled(0.5 / Tolerance.STEP, Dense.minus(right, left));
      expected += Dense.dot(derivative, derivative);
    }
    Sums sums = problem.sums(theta, new Request.Products(problem.all(), 1), v);
    assertClose(sums.scalar(SumNames.product(0, 0)), expected, Tolerance.DIFFERENCES);
  }

  private static double[] outputs(Network network, double[] theta, double[] x) {
    return new PlainNetwork(network, theta).forward(x).z();
  }

  /** Σ_c p_c Dθ^(c), by going through all classes. */
  @Test
  void theExpectedParameterGradientOfTheModelsOwnTargetsIsZero() {
    Network network = Problem.network(new SoftmaxCrossEntropy(3), Function.TANH, true, 4, 5, 3);
    Problem problem = Problem.random(16, network, 1);
    double[] theta = problem.theta(17, 1);
    double[] p = PlainNetwork.mean(network.loss(), outputs(network, theta, problem.x(0)));
    double[] sum = new double[theta.length];
    double size = 0;
    for (int c = 0; c < 3; c++) {
      Problem labelled = new Problem(network, problem.features(), new int[] {c}, null);
      double[] gradient =
          labelled
              .sums(theta, new Request.Gradient(problem.all(), null))
              .mean(SumNames.GRADIENT, 1);
      sum = Dense.plus(sum, Dense.scaled(p[c], gradient));
      size = Math.max(size, Dense.norm(gradient));
    }
    assertThat(Dense.norm(sum)).isLessThan(size * Tolerance.F64);
  }
}
