package org.kfac4j.optimizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.kfac4j.Dense.assertClose;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.kfac4j.Dense;
import org.kfac4j.Problem;
import org.kfac4j.Snapshot;
import org.kfac4j.Tolerance;
import org.kfac4j.curvature.KroneckerFactors;
import org.kfac4j.linalg.Precision;

/** What every preconditioner promises, and what tells the two apart. */
class PreconditionerTest {
  /** The curvature of a layer with damping, in full, as the preconditioner is defined. */
  private interface Definition {
    double[][] damped(double[][] a, double[][] g, double pi, double strength);
  }

  private record Case(Preconditioner preconditioner, Definition definition) {
    @Override
    public String toString() {
      return preconditioner.describe();
    }
  }

  static Stream<Case> preconditioners() {
    return Stream.of(
        new Case(
            new KfacPreconditioner(),
            (a, g, pi, strength) ->
                Dense.kronecker(
                    Dense.shifted(a, pi * Math.sqrt(strength)),
                    Dense.shifted(g, Math.sqrt(strength) / pi))),
        new Case(
            new EigenPreconditioner(),
            (a, g, pi, strength) -> Dense.shifted(Dense.kronecker(a, g), strength)));
  }

  private static KroneckerFactors factors(double[][] a, double[][] g) {
    return new KroneckerFactors(Dense.packed(a), Dense.packed(g), a.length, g.length);
  }

  private static double[] apply(
      Preconditioner preconditioner, double[][] a, double[][] g, double strength, double[] v) {
    try (LinearMap map = preconditioner.factor(factors(a, g), strength, "layer", Machines.DOUBLE)) {
      assertThat(map.recoveries()).isZero();
      double[] result = new double[v.length];
      map.apply(v, 0, result);
      return result;
    }
  }

  private static double pi(double[][] a, double[][] g) {
    double mean = Dense.trace(a) / a.length;
    double other = Dense.trace(g) / g.length;
    return mean > 0 && other > 0 ? Math.sqrt(mean / other) : 1;
  }

  private static void assertSolves(Case each, double[][] a, double[][] g, double strength) {
    double[] v = Dense.normal(5, a.length * g.length);
    double[] expected = Dense.solve(each.definition.damped(a, g, pi(a, g), strength), v);
    assertClose(
        each.toString(), apply(each.preconditioner, a, g, strength, v), expected, Tolerance.F64);
  }

  @ParameterizedTest
  @MethodSource("preconditioners")
  void applyingSolvesWithTheDampedCurvature(Case each) {
    for (int rows = 1; rows <= 7; rows++) {
      double[][] a = Dense.scaled(30, Dense.positiveDefinite(rows, rows));
      double[][] g = Dense.positiveDefinite(50 + rows, 8 - rows);
      for (double strength : new double[] {0, 1e-3, 0.25, 40}) {
        assertSolves(each, a, g, strength);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("preconditioners")
  void withoutDampingBothAreTheInverseOfTheKroneckerProduct(Case each) {
    double[][] a = Dense.positiveDefinite(1, 4);
    double[][] g = Dense.positiveDefinite(2, 3);
    double[][] v = Dense.normal(3, 4, 3);
    double[][] expected = Dense.times(Dense.inverse(a), Dense.times(v, Dense.inverse(g)));
    assertClose(
        apply(each.preconditioner, a, g, 0, Dense.flat(v)), Dense.flat(expected), Tolerance.F64);
  }

  @ParameterizedTest
  @MethodSource("preconditioners")
  void largeDampingDividesByIt(Case each) {
    double[][] a = Dense.positiveDefinite(1, 4);
    double[][] g = Dense.positiveDefinite(2, 3);
    double[] v = Dense.normal(3, 12);
    double strength = 1e16;
    assertClose(Dense.scaled(strength, apply(each.preconditioner, a, g, strength, v)), v, 1e-7);
  }

  @ParameterizedTest
  @MethodSource("preconditioners")
  void onlyTheLayersPartOfAVectorIsReadAndWritten(Case each) {
    double[][] a = Dense.positiveDefinite(1, 4);
    double[][] g = Dense.positiveDefinite(2, 3);
    double[] v = Dense.normal(3, 30);
    double[] before = v.clone();
    double[] result = Dense.normal(4, 30);
    try (LinearMap map = each.preconditioner.factor(factors(a, g), 0.1, "layer", Machines.DOUBLE)) {
      map.apply(v, 7, result);
    }
    assertThat(v).isEqualTo(before);
    double[] part = java.util.Arrays.copyOfRange(v, 7, 19);
    double[] expected = Dense.normal(4, 30);
    System.arraycopy(apply(each.preconditioner, a, g, 0.1, part), 0, expected, 7, 12);
    assertThat(result).isEqualTo(expected);
  }

  @ParameterizedTest
  @MethodSource("preconditioners")
  void whatIsSavedIsRestored(Case each) {
    double[] v = Dense.normal(3, 12);
    KroneckerFactors factors = factors(Dense.positiveDefinite(1, 4), Dense.positiveDefinite(2, 3));
    for (Precision precision : Precision.values()) {
      DenseMachine machine = Machines.of(precision);
      Snapshot snapshot = new Snapshot();
      double[] expected = new double[12];
      double[] actual = new double[12];
      try (LinearMap map = each.preconditioner.factor(factors, 0.1, "layer", machine)) {
        map.apply(v, 0, expected);
        map.save(snapshot, "it ");
      }
      try (LinearMap map = each.preconditioner.restore(snapshot, "it ", 4, 3, machine)) {
        map.apply(v, 0, actual);
        assertThat(map.recoveries()).isZero();
      }
      assertThat(actual).isEqualTo(expected);
      assertClose(
          actual,
          apply(
              each.preconditioner,
              Dense.positiveDefinite(1, 4),
              Dense.positiveDefinite(2, 3),
              0.1,
              v),
          precision == Precision.DOUBLE ? Tolerance.F64 : 10 * Tolerance.F32);
    }
  }

  @ParameterizedTest
  @MethodSource("preconditioners")
  void degenerateFactorsAreNoTroubleOnceDamped(Case each) {
    double[][] a = Dense.positiveDefinite(1, 4);
    double[][] g = Dense.positiveDefinite(2, 3);
    double[][] dead = Dense.positiveDefinite(1, 4);
    for (int i = 0; i < 4; i++) {
      dead[1][i] = 0;
      dead[i][1] = 0;
    }
    double[] u = Dense.normal(6, 4);
    double[] w = Dense.normal(7, 3);
    for (double strength : new double[] {1e-4, 1}) {
      assertSolves(each, dead, g, strength); // an input that is always zero
      assertSolves(each, a, Dense.zeros(3, 3), strength); // no gradient at all: π = 1
      assertSolves(each, Dense.zeros(4, 4), g, strength);
      assertSolves(each, Dense.zeros(4, 4), Dense.zeros(3, 3), strength);
      assertSolves(each, Dense.outer(u, u), Dense.outer(w, w), strength); // one example
      assertSolves(each, Dense.identity(4), Dense.identity(3), strength); // equal eigenvalues
      assertSolves(each, Dense.diagonal(2, 2, 0, 2), Dense.diagonal(3, 0, 3), strength);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "true, -.0702006746, -.1140660380, .3972595890, .2803261013, -.1621811738, .0937910283",
    "false, -.2324057590, -.1647268052, .8335566570, .5912039502, -.3617047261, .0432239488"
  })
  void theFixtureOfOneDenseLayerComesOut(
      boolean factored, double u11, double u12, double u13, double u21, double u22, double u23) {
    Preconditioner preconditioner = factored ? new KfacPreconditioner() : new EigenPreconditioner();
    double[][] a = Dense.scaled(1.0 / 3, new double[][] {{5, 4, 3}, {4, 6, 2}, {3, 2, 3}});
    double[][] g = Dense.scaled(1.0 / 3, new double[][] {{6, -4}, {-4, 10}});
    double[][] m = Dense.scaled(1.0 / 3, new double[][] {{-1, -1, 2}, {5, 1, 2}});
    double[] v = Dense.flat(Dense.transposed(m));
    double[] u = apply(preconditioner, a, g, 0.25, v);
    double[][] expected = {{u11, u12, u13}, {u21, u22, u23}};
    assertClose(Dense.transposed(Dense.matrix(u, 0, 3, 2)), expected, Tolerance.PRINTED);
    if (factored) {
      double product = Dense.dot(u, v);
      assertThat(product).isCloseTo(0.8019390933, within(Tolerance.PRINTED));
      StepRule.Scheduled rule =
          new StepRule.Scheduled(Schedule.constant(0.1), Schedule.constant(0), 1e-3);
      assertThat(rule.clip(0.1, product)).isCloseTo(0.3531256848, within(Tolerance.PRINTED));
    }
  }

  @Test
  void klClipBringsTheChangeDownToKappaAndTouchesNoSmallerOne() {
    StepRule.Scheduled rule =
        new StepRule.Scheduled(Schedule.constant(0.1), Schedule.constant(0), 1e-3);
    for (double product : new double[] {1e-9, 0.05, 0.0999, 0.1001, 1, 1e8, -1, -0.05}) {
      double nu = rule.clip(0.1, product);
      double change = Math.abs(nu * nu * 0.01 * product); // ⟨νv, F νv⟩ α²
      assertThat(change).isLessThanOrEqualTo(1e-3 * (1 + 1e-12));
      if (Math.abs(product) < 0.1) {
        assertThat(nu).isEqualTo(1);
      } else {
        assertThat(change).isCloseTo(1e-3, within(1e-15));
      }
    }
    assertThat(rule.clip(0.1, 0)).isEqualTo(1);
    StepRule.Scheduled off =
        new StepRule.Scheduled(Schedule.constant(0.1), Schedule.constant(0), 0);
    assertThat(off.clip(0.1, 1e9)).isEqualTo(1);
  }

  @Test
  void negativeEigenvaluesOfRoundingAreTakenAsZero() {
    double[][] a = Dense.diagonal(2, -1e-3, 1);
    double[][] g = Dense.diagonal(3, 5);
    double[] v = Dense.normal(1, 6);
    double[] expected =
        Dense.solve(Dense.shifted(Dense.kronecker(Dense.diagonal(2, 0, 1), g), 1e-3), v);
    assertClose(apply(new EigenPreconditioner(), a, g, 1e-3, v), expected, Tolerance.F64);
  }

  @Test
  void factorsThatAreNotFiniteStopTheEigenFormAndAreReportedByTheFactoredOne() {
    double[][] bad = Dense.diagonal(1, Double.NaN, 1);
    double[][] g = Dense.positiveDefinite(2, 2);
    assertThatThrownBy(
            () -> new EigenPreconditioner().factor(factors(bad, g), 1, "code", Machines.DOUBLE))
        .isInstanceOf(DivergedException.class)
        .hasMessageContaining("layer code")
        .hasMessageContaining(" A");
    try (LinearMap map =
        new KfacPreconditioner().factor(factors(bad, g), 1, "code", Machines.DOUBLE)) {
      assertThat(map.recoveries()).isEqualTo(4);
    }
  }

  @Test
  void theTwoFormsDifferByTheirCrossTerms() {
    double[][] a = Dense.positiveDefinite(1, 4);
    double[][] g = Dense.positiveDefinite(2, 3);
    double[] v = Dense.normal(3, 12);
    assertThat(
            Dense.distance(
                apply(new KfacPreconditioner(), a, g, 0.1, v),
                apply(new EigenPreconditioner(), a, g, 0.1, v)))
        .isGreaterThan(0.05);
    assertThat(Problem.block(factors(a, g))).isDeepEqualTo(Dense.kronecker(a, g));
  }
}
