package org.kfac4j.optimizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.kfac4j.Tolerance.F64;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** λ after a step, arXiv:1503.05671 §6.5. */
class DampingTest {
  private static final double OMEGA = 0.95 * 0.95 * 0.95 * 0.95 * 0.95;
  private static final Damping.LevenbergMarquardt RULE =
      new Damping.LevenbergMarquardt(150, 1e-3, 1000, 5, 0.95, true);

  @ParameterizedTest
  @CsvSource({
    "1, 0.7737809375",
    "0.7500001, 0.7737809375",
    "1e300, 0.7737809375",
    "Infinity, 0.7737809375",
    "0.75, 1",
    "0.5, 1",
    "0.25, 1",
    "0.2499999, 1.2923554349",
    "0, 1.2923554349",
    "-3, 1.2923554349",
    "-Infinity, 1.2923554349",
    "NaN, 1.2923554349"
  })
  void aGoodStepShrinksLambdaAndABadOneGrowsIt(double rho, double factor) {
    assertThat(RULE.adapted(150, rho)).isCloseTo(150 * factor, within(150 * 1e-9));
  }

  @Test
  void lambdaStaysBetweenFloorAndCeiling() {
    double lambda = 150;
    for (int i = 0; i < 100; i++) {
      lambda = RULE.adapted(lambda, 1);
    }
    assertThat(lambda).isEqualTo(1e-3);
    assertThat(RULE.adapted(lambda, 0)).isCloseTo(1e-3 / OMEGA, within(F64));
    for (int i = 0; i < 100; i++) {
      lambda = RULE.adapted(lambda, Double.NaN);
    }
    assertThat(lambda).isEqualTo(1000);
  }

  @Test
  void ratiosAreMeasuredOncePerPeriodAndLambdaIsKeptBetween() {
    assertThat(RULE.isDue(4)).isFalse();
    assertThat(RULE.isDue(5)).isTrue();
    assertThat(RULE.isDue(6)).isFalse();
    assertThat(RULE.isDue(10)).isTrue();
    assertThat(RULE.at(7, 33)).isEqualTo(33);
    assertThat(RULE.initial()).isEqualTo(150);
  }

  @Test
  void aScheduledLambdaFollowsItsSchedule() {
    Damping damping = new Damping.Scheduled(Schedule.exponential(8, 0.5));
    assertThat(damping.initial()).isEqualTo(8);
    assertThat(damping.at(3, 77)).isEqualTo(2);
  }

  @Test
  void impossibleRulesAreRefused() {
    assertThatThrownBy(() -> new Damping.LevenbergMarquardt(1, 0, 10, 5, 0.95, true))
        .hasMessageContaining("0 < minimum");
    assertThatThrownBy(() -> new Damping.LevenbergMarquardt(11, 1, 10, 5, 0.95, true))
        .hasMessageContaining("initial");
    assertThatThrownBy(() -> new Damping.LevenbergMarquardt(1, 1, 10, 0, 0.95, true))
        .hasMessageContaining("period");
    assertThatThrownBy(() -> new Damping.LevenbergMarquardt(1, 1, 10, 5, 1, true))
        .hasMessageContaining("decay");
  }
}
