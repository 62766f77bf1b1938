package org.kfac4j.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.kfac4j.Dense.assertClose;

import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.kfac4j.Dense;
import org.kfac4j.PlainNetwork;
import org.kfac4j.Problem;
import org.kfac4j.Tolerance;
import org.kfac4j.data.Hashing;

/** Losses and the distributions that belong to them, arXiv:1503.05671 appendix C. */
class LossTest {
  private static final int OUTPUTS = 4;
  private static final int ROWS = 6;
  private static final double[] Z = Dense.scaled(1.5, Dense.normal(1, ROWS * OUTPUTS));

  static Stream<Loss> losses() {
    return Problem.losses(OUTPUTS);
  }

  private static double[] row(double[] rows, int n) {
    return Arrays.copyOfRange(rows, n * OUTPUTS, (n + 1) * OUTPUTS);
  }

  @ParameterizedTest
  @MethodSource("losses")
  void exactVectorsMakeUpTheFisherMatrix(Loss loss) {
    double[][][] sums = new double[ROWS][OUTPUTS][OUTPUTS];
    double[] v = new double[ROWS * OUTPUTS];
    for (int c = 0; c < loss.fisherVectors(); c++) {
      Arrays.fill(v, Double.NaN); // nothing of an earlier vector may stay
      loss.fisherVector(c, Z, ROWS, v);
      for (int n = 0; n < ROWS; n++) {
        sums[n] = Dense.plus(sums[n], Dense.outer(row(v, n), row(v, n)));
      }
    }
    for (int n = 0; n < ROWS; n++) {
      assertClose(sums[n], PlainNetwork.outputFisher(loss, row(Z, n)), Tolerance.F64);
    }
  }

  @ParameterizedTest
  @MethodSource("losses")
  void productsAreThoseOfTheFisherMatrix(Loss loss) {
    double[][] tangents = Dense.normal(2, 3, ROWS * OUTPUTS);
    double[][] sums = Dense.normal(3, 3, 3);
    double[][] expected = Dense.normal(3, 3, 3);
    for (int i = 0; i < 3; i++) {
      for (int j = 0; j < 3; j++) {
        double product = 0;
        for (int n = 0; n < ROWS; n++) {
          double[][] fisher = PlainNetwork.outputFisher(loss, row(Z, n));
          product += Dense.dot(row(tangents[i], n), Dense.times(fisher, row(tangents[j], n)));
        }
        assertClose(loss.fisherProduct(Z, tangents[i], tangents[j], ROWS), product, Tolerance.F64);
        expected[i][j] += j >= i ? product : 0;
      }
    }
    loss.addFisherProducts(Z, tangents, ROWS, sums);
    assertClose(sums, expected, Tolerance.F64);
  }

  /**
   * The mean of g gᵀ over targets drawn with many keys is F_R, and the mean of g is 0, within six
   * standard deviations as measured from the draws themselves.
   */
  @ParameterizedTest
  @MethodSource("losses")
  void sampledGradientsHaveMeanZeroAndTheFisherMatrixAsCovariance(Loss loss) {
    int draws = 40_000;
    double[] z = row(Z, 0);
    double[] g = new double[OUTPUTS];
    double[] mean = new double[OUTPUTS];
    double[][] sum = new double[OUTPUTS][OUTPUTS];
    double[][] squares = new double[OUTPUTS][OUTPUTS];
    for (int draw = 0; draw < draws; draw++) {
      loss.sampledGradient(z, new long[] {Hashing.key(4, draw)}, 1, g);
      for (int i = 0; i < OUTPUTS; i++) {
        mean[i] += g[i] / draws;
        for (int j = 0; j < OUTPUTS; j++) {
          sum[i][j] += g[i] * g[j] / draws;
          squares[i][j] += g[i] * g[j] * g[i] * g[j] / draws;
        }
      }
    }
    double[][] fisher = PlainNetwork.outputFisher(loss, z);
    for (int i = 0; i < OUTPUTS; i++) {
      assertThat(mean[i]).isCloseTo(0, within(6 * Math.sqrt(fisher[i][i] / draws)));
      for (int j = 0; j < OUTPUTS; j++) {
        double variance = squares[i][j] - sum[i][j] * sum[i][j];
        assertThat(sum[i][j])
            .as("%d, %d", i, j)
            .isCloseTo(fisher[i][j], within(6 * Math.sqrt(variance / draws)));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("losses")
  void aRowsSampleDependsOnItsKeyAloneAndNotOnItsPlace(Loss loss) {
    long[] keys = {11, 12, 13, 14, 15, 16};
    double[] together = new double[ROWS * OUTPUTS];
    loss.sampledGradient(Z, keys, ROWS, together);
    for (int n = 0; n < ROWS; n++) {
      double[] alone = new double[OUTPUTS];
      loss.sampledGradient(row(Z, n), new long[] {keys[n]}, 1, alone);
      assertThat(alone).isEqualTo(row(together, n));
    }
  }

  /** By going through all targets there are. */
  @Test
  void theExpectedGradientOfTheModelsOwnTargetsIsZero() {
    double[] z = row(Z, 0);
    SoftmaxCrossEntropy softmax = new SoftmaxCrossEntropy(OUTPUTS);
    double[] p = PlainNetwork.mean(softmax, z);
    double[] g = new double[OUTPUTS];
    double[] sum = new double[OUTPUTS];
    for (int c = 0; c < OUTPUTS; c++) {
      softmax.gradient(z, new Targets(new int[] {c}, null), 1, g);
      sum = Dense.plus(sum, Dense.scaled(p[c], g));
    }
    assertThat(Dense.norm(sum)).isLessThan(Tolerance.F64);

    SigmoidCrossEntropy sigmoid = new SigmoidCrossEntropy(OUTPUTS);
    p = PlainNetwork.mean(sigmoid, z);
    sum = new double[OUTPUTS];
    double total = 0;
    for (int bits = 0; bits < 1 << OUTPUTS; bits++) {
      float[] target = new float[OUTPUTS];
      double probability = 1;
      for (int j = 0; j < OUTPUTS; j++) {
        target[j] = (bits >> j) & 1;
        probability *= target[j] == 1 ? p[j] : 1 - p[j];
      }
      sigmoid.gradient(z, new Targets(null, target), 1, g);
      sum = Dense.plus(sum, Dense.scaled(probability, g));
      total += probability;
    }
    assertThat(total).isCloseTo(1, within(Tolerance.F64));
    assertThat(Dense.norm(sum)).isLessThan(Tolerance.F64);
  }

  @ParameterizedTest
  @MethodSource("losses")
  void valueAndGradientAreTheFormulas(Loss loss) {
    float[] vectors = new float[ROWS * OUTPUTS];
    for (int i = 0; i < vectors.length; i++) {
      vectors[i] = (float) Hashing.uniform(5, i);
    }
    int[] labels = {0, 1, 2, 3, 0, 1};
    boolean classes = loss instanceof SoftmaxCrossEntropy;
    Targets targets = classes ? new Targets(labels, null) : new Targets(null, vectors);
    double sum = 0;
    double[] expected = new double[ROWS * OUTPUTS];
    for (int n = 0; n < ROWS; n++) {
      double[] t = new double[OUTPUTS];
      for (int j = 0; j < OUTPUTS; j++) {
        t[j] = classes ? labels[n] == j ? 1 : 0 : vectors[n * OUTPUTS + j];
      }
      sum += PlainNetwork.loss(loss, row(Z, n), t);
      double[] g = PlainNetwork.lossGradient(loss, row(Z, n), t);
      System.arraycopy(g, 0, expected, n * OUTPUTS, OUTPUTS);
    }
    double[] g = new double[ROWS * OUTPUTS];
    assertClose(loss.gradient(Z, targets, ROWS, g), sum, Tolerance.F64);
    assertClose(loss.value(Z, targets, ROWS), sum, Tolerance.F64);
    assertClose(g, expected, Tolerance.F64);
  }

  @Test
  void crossEntropyOfManyOutputsDoesNotOverflowOnTheWay() {
    int n = 3000; // more factors 1 + e^−|z| than one product holds
    SigmoidCrossEntropy loss = new SigmoidCrossEntropy(n);
    double value = loss.value(new double[n], new Targets(null, new float[n]), 1);
    assertClose(value, n * Math.log(2), Tolerance.F64);
  }

  @Test
  void extremeLogitsGiveTheLimitsOfTheFormulas() {
    SigmoidCrossEntropy sigmoid = new SigmoidCrossEntropy(OUTPUTS);
    double[] g = new double[OUTPUTS];
    double[] far = {1000, -1000, 1e300, -1e300};
    assertThat(sigmoid.gradient(far, new Targets(null, new float[] {1, 0, 1, 0}), 1, g)).isZero();
    assertThat(Dense.norm(g)).isZero();
    double[] near = {1000, -1000, 900, 0};
    assertThat(sigmoid.gradient(near, new Targets(null, new float[] {0, 1, 0, 0}), 1, g))
        .isEqualTo(2900 + Math.log(2));
    assertThat(g).containsExactly(1, -1, 1, 0.5);

    SoftmaxCrossEntropy softmax = new SoftmaxCrossEntropy(OUTPUTS);
    double[] spread = {1e300, 0, -1e300, 1000};
    assertThat(softmax.gradient(spread, new Targets(new int[] {0}, null), 1, g)).isZero();
    assertThat(Dense.norm(g)).isZero();
    assertThat(softmax.gradient(spread, new Targets(new int[] {1}, null), 1, g)).isEqualTo(1e300);
    assertThat(g).containsExactly(1, -1, 0, 0);
    double[] shifted = {-1e5, -1e5, -1e5 + 1, -2e5};
    softmax.gradient(shifted, new Targets(new int[] {3}, null), 1, g);
    double e = Math.E;
    assertClose(g, new double[] {1 / (2 + e), 1 / (2 + e), e / (2 + e), -1}, Tolerance.F64);
  }

  @ParameterizedTest
  @MethodSource("losses")
  void curvatureAndSamplesStayFiniteAtExtremeLogits(Loss loss) {
    for (double[] z : new double[][] {{1e300, -1e300, 0, 800}, {-800, -801, -802, -803}}) {
      double[] v = new double[OUTPUTS];
      double trace = 0;
      for (int c = 0; c < loss.fisherVectors(); c++) {
        loss.fisherVector(c, z, 1, v);
        trace += Dense.dot(v, v);
      }
      loss.sampledGradient(z, new long[] {1}, 1, v);
      double[] u = {1, 2, 3, 4};
      double product = loss.fisherProduct(z, u, u, 1);
      assertThat(trace).isFinite().isNotNegative();
      assertThat(Dense.dot(v, v)).isFinite();
      assertThat(product).isFinite().isNotNegative();
    }
  }

  @Test
  void predictionsAreMeansAndAreJudgedByThem() {
    SoftmaxCrossEntropy softmax = new SoftmaxCrossEntropy(3);
    double[] z = {0, Math.log(2), 0, 5, 1, 2};
    Targets targets = new Targets(new int[] {1, 2}, null);
    assertThat(softmax.correct(z, targets, 2)).isEqualTo(1);
    double[] prediction = z.clone();
    softmax.predict(prediction, 2);
    assertThat(prediction[1]).isCloseTo(0.5, within(Tolerance.F64));
    assertThat(softmax.squaredError(z, targets, 1)).isCloseTo(0.375, within(Tolerance.F64));
    double[] even = {0, 0};
    assertThat(
            new SigmoidCrossEntropy(2).squaredError(even, new Targets(null, new float[] {1, 0}), 1))
        .isCloseTo(0.5, within(Tolerance.F64));
    assertThat(even).containsExactly(0, 0);
  }
}
