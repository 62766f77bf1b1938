package org.kfac4j.curvature;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.kfac4j.Dense;
import org.kfac4j.Tolerance;

class RunningAverageTest {
  @Test
  void theWeightOfThePastIsOneMinusOneOverKUpToItsCap() {
    double[] expected = {0, 0.5, 2.0 / 3, 0.75, 0.8};
    for (int k = 1; k <= expected.length; k++) {
      assertThat(RunningAverage.weightOfPast(k, 0.95, 1))
          .isCloseTo(expected[k - 1], within(Tolerance.F64));
    }
    assertThat(RunningAverage.weightOfPast(19, 0.95, 1)).isLessThan(0.9499);
    assertThat(RunningAverage.weightOfPast(20, 0.95, 1)).isCloseTo(0.95, within(1e-15));
    assertThat(RunningAverage.weightOfPast(21, 0.95, 1)).isEqualTo(0.95);
    assertThat(RunningAverage.weightOfPast(1_000_000, 0.95, 1)).isEqualTo(0.95);
  }

  @Test
  void aBatchThatStandsForSeveralIterationsForgetsAsMuchAsTheyWould() {
    assertThat(RunningAverage.weightOfPast(1000, 0.95, 10))
        .isCloseTo(Math.pow(0.95, 10), within(Tolerance.F64));
    assertThat(RunningAverage.weightOfPast(1, 0.95, 10)).isZero();
  }

  @Test
  void theAverageIsThePlainMeanOfTwentyBatchesAndNoLongerOfTwentyOne() {
    double[][] batches = Dense.normal(1, 21, 3);
    double[] average = {Double.NaN, Double.NaN, Double.NaN}; // the first batch needs no start
    double[] sum = new double[3];
    for (int k = 1; k <= 21; k++) {
      Sums batch = new Sums();
      batch.put("A", Dense.scaled(7, batches[k - 1]));
      batch.average("A", 7, RunningAverage.weightOfPast(k, 0.95, 1), average);
      assertThat(batch.mean("A", 7)).containsExactly(batches[k - 1], within(1e-15));
      sum = Dense.plus(sum, batches[k - 1]);
      double distance = Dense.distance(average, Dense.scaled(1.0 / k, sum));
      if (k <= 20) {
        assertThat(distance).as("k = %d", k).isLessThan(Tolerance.F64);
      } else {
        assertThat(distance).isGreaterThan(1e-4);
      }
    }
  }

  @Test
  void impossibleAveragesAreRefused() {
    assertThatThrownBy(() -> RunningAverage.weightOfPast(0, 0.95, 1)).hasMessageContaining("got 0");
    Sums sums = new Sums();
    sums.put("A", new double[3]);
    assertThatThrownBy(() -> sums.average("A", 1, 0.5, new double[2]))
        .hasMessageContaining("2 and 3");
    assertThatThrownBy(() -> sums.average("G", 1, 0.5, new double[3])).hasMessageContaining("G");
  }
}
