package org.kfac4j.optimizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.kfac4j.Dense.assertClose;
import static org.kfac4j.Dense.dot;
import static org.kfac4j.Dense.minus;
import static org.kfac4j.Dense.plus;
import static org.kfac4j.Dense.scaled;
import static org.kfac4j.Dense.times;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.kfac4j.Dense;
import org.kfac4j.Tolerance;

/** Step size and momentum on a quadratic, arXiv:1503.05671 §6.4 and §7. */
class QuadraticModelTest {
  private static final int N = 9;

  private static QuadraticModel onPlane(double[][] c, double[] slope, double[] u, double[] v) {
    return QuadraticModel.onPlane(
        dot(u, times(c, u)),
        dot(u, times(c, v)),
        dot(v, times(c, v)),
        dot(slope, u),
        dot(slope, v));
  }

  private static double[] step(QuadraticModel model, double[] u, double[] v) {
    return plus(scaled(model.alpha(), u), scaled(model.mu(), v));
  }

  /** M(δ) − M(0). */
  private static double change(double[][] c, double[] slope, double[] delta) {
    return 0.5 * dot(delta, times(c, delta)) + dot(slope, delta);
  }

  @Test
  void thePrintedExampleComesOut() {
    double[][] c = Dense.diagonal(4.5, 1.5);
    double[] slope = {1, -2};
    double[] update = {-0.25, 2};
    double[] previous = {0.5, 0.5};
    QuadraticModel model = onPlane(c, slope, update, previous);
    assertThat(model.alpha()).isCloseTo(0.6913580247, within(Tolerance.PRINTED));
    assertThat(model.mu()).isCloseTo(-0.0987654321, within(Tolerance.PRINTED));
    assertThat(model.change()).isCloseTo(-1.4444444444, within(Tolerance.PRINTED));
    assertClose(
        step(model, update, previous),
        scaled(-1, Dense.solve(c, slope)),
        Tolerance.F64); // the two directions span the plane

    QuadraticModel alone = QuadraticModel.along(6.28125, -4.25);
    assertThat(alone.alpha()).isCloseTo(0.6766169154, within(Tolerance.PRINTED));
    assertThat(alone.mu()).isZero();
    assertThat(alone.change()).isCloseTo(-1.4378109453, within(Tolerance.PRINTED));
  }

  @Test
  void theMinimumIsStationaryAndTheModelFallsByHalfTheSlope() {
    for (int trial = 0; trial < 20; trial++) {
      double[][] c = Dense.positiveDefinite(10 + trial, N);
      double[] slope = Dense.normal(100 + trial, N);
      double[] u = Dense.normal(200 + trial, N);
      double[] v = Dense.normal(300 + trial, N);
      QuadraticModel model = onPlane(c, slope, u, v);
      double[] delta = step(model, u, v);
      double[] gradient = plus(times(c, delta), slope);
      double size = Dense.norm(slope) * Math.max(Dense.norm(u), Dense.norm(v));
      assertThat(dot(gradient, u)).isCloseTo(0, within(size * Tolerance.F64));
      assertThat(dot(gradient, v)).isCloseTo(0, within(size * Tolerance.F64));
      assertClose(model.change(), 0.5 * dot(slope, delta), Tolerance.F64);
      assertClose(model.change(), change(c, slope, delta), Tolerance.F64);

      QuadraticModel alone = QuadraticModel.along(dot(u, times(c, u)), dot(slope, u));
      assertClose(alone.change(), change(c, slope, scaled(alone.alpha(), u)), Tolerance.F64);
      assertThat(model.change()).isLessThan(alone.change()).isNegative();
    }
  }

  @Test
  void aPreviousUpdateThatAddsNothingIsLeftOut() {
    double[][] c = Dense.positiveDefinite(1, N);
    double[] slope = Dense.normal(2, N);
    double[] u = Dense.normal(3, N);
    QuadraticModel alone = QuadraticModel.along(dot(u, times(c, u)), dot(slope, u));
    assertThat(onPlane(c, slope, u, new double[N])).isEqualTo(alone);
    assertThat(onPlane(c, slope, u, scaled(-3, u))).isEqualTo(alone);
    assertThat(QuadraticModel.onPlane(1, Double.NaN, 1, -1, 0))
        .isEqualTo(QuadraticModel.along(1, -1));
  }

  @Test
  void aPlaneThatIsOnlyNearlyALineIsStillUsed() {
    double[][] c = Dense.positiveDefinite(1, N);
    double[] slope = Dense.normal(2, N);
    double[] u = Dense.normal(3, N);
    double[] v = plus(u, scaled(1e-3, Dense.normal(4, N)));
    assertThat(onPlane(c, slope, u, v).mu()).isNotZero();
  }

  @Test
  void curvatureThatIsNotPositiveIsRefusedUnlessThereIsNoSlopeEither() {
    assertThat(QuadraticModel.along(0, 0)).isEqualTo(new QuadraticModel(0, 0, 0));
    for (double curvature : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThatThrownBy(() -> QuadraticModel.along(curvature, -1))
          .hasMessageContaining(String.valueOf(curvature));
    }
  }

  /**
   * On a fixed quadratic the recursion is preconditioned conjugate gradients, which end after n
   * steps.
   */
  @Test
  void stepsOnAFixedQuadraticArePreconditionedConjugateGradients() {
    double[][] c = Dense.positiveDefinite(21, N);
    double[][] preconditioner = Dense.inverse(Dense.positiveDefinite(22, N));
    double[] b = Dense.normal(23, N);
    List<double[]> expected = conjugateGradients(c, preconditioner, b);

    double[] theta = new double[N];
    double[] previous = new double[N];
    for (int k = 1; k <= N; k++) {
      double[] slope = minus(times(c, theta), b);
      double[] direction = scaled(-1, times(preconditioner, slope));
      QuadraticModel model = onPlane(c, slope, direction, previous);
      previous = step(model, direction, previous);
      theta = plus(theta, previous);
      assertClose("iteration " + k, theta, expected.get(k - 1), Tolerance.ITERATIONS);
    }
    double[] minimum = Dense.solve(c, b);
    assertClose(theta, minimum, Tolerance.ITERATIONS);
    assertThat(Dense.distance(expected.get(N / 2), minimum)).isGreaterThan(1e-3);
  }

  /** Iterates of the textbook algorithm for C x = b from 0. */
  private static List<double[]> conjugateGradients(
      double[][] c, double[][] preconditioner, double[] b) {
    List<double[]> iterates = new ArrayList<>();
    double[] x = new double[N];
    double[] r = b.clone();
    double[] y = times(preconditioner, r);
    double[] p = y;
    for (int k = 0; k < N; k++) {
      double alpha = dot(r, y) / dot(p, times(c, p));
      x = plus(x, scaled(alpha, p));
      iterates.add(x);
      double before = dot(r, y);
      r = minus(r, scaled(alpha, times(c, p)));
      y = times(preconditioner, r);
      p = plus(y, scaled(dot(r, y) / before, p));
    }
    return iterates;
  }
}
