package org.kfac4j.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class ChartAxisTest {
  @Test
  void ticksAreRoundNumbersInsideTheRange() {
    assertThat(ChartAxis.linear(0, 200, true).ticks())
        .containsExactly(0.0, 50.0, 100.0, 150.0, 200.0);
    assertThat(ChartAxis.log(0.07, 120).ticks().stream().map(ChartAxis::label))
        .containsExactly("0.1", "1", "10", "100");
    assertThat(ChartAxis.log(1e-8, 1e8).ticks()).hasSizeBetween(4, 8);
  }

  @Test
  void theAxisIsLogarithmicOnlyForPositiveValuesThatSpanEnough() {
    assertThat(ChartAxis.fitting(1, 100).isLog()).isTrue();
    assertThat(ChartAxis.fitting(1, 10).isLog()).isFalse();
    assertThat(ChartAxis.fitting(-1, 100).isLog()).isFalse();
    assertThat(ChartAxis.fitting(0, 100).isLog()).isFalse();
  }

  @Test
  void valuesLieBetweenTheEnds() {
    assertThat(ChartAxis.linear(3, 7, true).fraction(5)).isEqualTo(0.5);
    assertThat(ChartAxis.log(10, 10).fraction(10)).isEqualTo(0.5);
    assertThat(ChartAxis.linear(5, 5, false).fraction(5)).isBetween(0.0, 1.0);
    assertThat(ChartAxis.linear(0, 0, false).ticks()).isNotEmpty();
    assertThat(ChartAxis.log(1, 10).fraction(-1)).isNaN();
  }

  @Test
  void roundLogarithmicAxesHaveTicksHoweverNearTheEndsAre() {
    ChartAxis near = ChartAxis.logRound(110, 130);
    assertThat(near.ticks().get(0)).isEqualTo(100);
    assertThat(near.ticks()).hasSizeGreaterThan(1).last().isEqualTo(200.0);
    assertThat(near.fraction(100)).isEqualTo(0);
    assertThat(ChartAxis.logRound(1, 1).ticks()).hasSizeGreaterThan(1);
    assertThat(ChartAxis.logRound(0.3, 4200).fraction(0.3)).isBetween(0.0, 0.2);
    assertThat(ChartAxis.logRound(0.2, 5000).fraction(5000)).isCloseTo(1, within(1e-12));
  }

  @Test
  void batchesHavePowersOfTwoInFull() {
    ChartAxis axis = ChartAxis.powersOfTwo(128, 16_384);
    assertThat(axis.ticks().stream().map(axis::labelOf))
        .containsExactly("128", "256", "512", "1024", "2048", "4096", "8192", "16384");
    assertThat(ChartAxis.powersOfTwo(1, 1024).ticks())
        .containsExactly(1.0, 4.0, 16.0, 64.0, 256.0, 1024.0);
    assertThat(ChartAxis.powersOfTwo(100, 100).ticks()).contains(64.0, 128.0, 256.0);
    assertThat(ChartAxis.powersOfTwo(100, 100).fraction(100)).isCloseTo(0.5, within(1e-12));
  }

  @Test
  void labelsAreShort() {
    assertThat(ChartAxis.label(0.1 + 0.2)).isEqualTo("0.3");
    assertThat(ChartAxis.label(1e-8)).isEqualTo("1e-8");
    assertThat(ChartAxis.label(2e6)).isEqualTo("2e6");
    assertThat(ChartAxis.label(50_000)).isEqualTo("50000");
  }
}
