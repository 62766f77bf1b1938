package org.kfac4j.optimizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.kfac4j.Tolerance.F64;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ScheduleTest {
  @ParameterizedTest
  @CsvSource({
    "0, 0.5",
    "249, 0.5",
    "250, 0.75",
    "499, 0.75",
    "500, 0.8333333",
    "1000, 0.9",
    "2000, 0.9444444",
    "10000, 0.9878049",
    "200000, 0.999",
    "1000000, 0.999"
  })
  void sutskeversMomentumHasTheTablesValues(int t, double mu) {
    assertThat(Schedule.sutskever(0.999).at(t + 1)).isCloseTo(mu, within(1e-7));
    // The formula as it is printed.
    double printed = 1 - Math.pow(2, -1 - Math.log(Math.floor(t / 250.0) + 1) / Math.log(2));
    assertThat(Schedule.sutskever(0.999).at(t + 1))
        .isCloseTo(Math.min(printed, 0.999), within(F64));
    assertThat(Schedule.sutskever(0.9).at(t + 1)).isLessThanOrEqualTo(0.9);
    assertThat(Schedule.sutskever(0).at(t + 1)).isZero();
  }

  @Test
  void warmUpRisesLinearlyAndReachesTheScheduleAtItsEnd() {
    Schedule schedule = Schedule.constant(0.8).warmedUp(4);
    double[] expected = {0.2, 0.4, 0.6, 0.8, 0.8, 0.8};
    for (int k = 1; k <= expected.length; k++) {
      assertThat(schedule.at(k)).isCloseTo(expected[k - 1], within(F64));
    }
    assertThat(Schedule.constant(0.8).warmedUp(0).at(1)).isEqualTo(0.8);
    // Scales what is below it rather than replacing it.
    assertThat(Schedule.exponential(1, 0.5).warmedUp(4).at(2)).isCloseTo(0.25, within(F64));
  }

  @Test
  void cosineGoesFromTheFirstToTheLastValueAndStaysThere() {
    Schedule schedule = Schedule.cosine(1, 0.2, 10);
    assertThat(schedule.at(1)).isEqualTo(1);
    assertThat(schedule.at(6)).isCloseTo(0.6, within(F64));
    assertThat(schedule.at(11)).isCloseTo(0.2, within(F64));
    assertThat(schedule.at(1000)).isCloseTo(0.2, within(F64));
    assertThat(schedule.at(3)).isCloseTo(0.2 + 0.4 * (1 + Math.cos(Math.PI * 0.2)), within(F64));
  }

  @Test
  void polynomialGoesFromTheFirstToTheLastValueWithItsPower() {
    Schedule schedule = Schedule.polynomial(2, 1, 3, 4);
    double[] expected = {2, 1 + 27.0 / 64, 1 + 1.0 / 8, 1 + 1.0 / 64, 1, 1};
    for (int k = 1; k <= expected.length; k++) {
      assertThat(schedule.at(k)).isCloseTo(expected[k - 1], within(F64));
    }
  }

  @Test
  void stepsFallAfterEachPeriod() {
    Schedule schedule = Schedule.step(1, 0.5, 3);
    double[] expected = {1, 1, 1, 0.5, 0.5, 0.5, 0.25};
    for (int k = 1; k <= expected.length; k++) {
      assertThat(schedule.at(k)).isEqualTo(expected[k - 1]);
    }
  }

  @Test
  void exponentialMultipliesByTheRateEachIteration() {
    assertThat(Schedule.exponential(150, 0.9).at(1)).isEqualTo(150);
    assertThat(Schedule.exponential(150, 0.9).at(4))
        .isCloseTo(150 * 0.9 * 0.9 * 0.9, within(150 * F64));
  }
}
