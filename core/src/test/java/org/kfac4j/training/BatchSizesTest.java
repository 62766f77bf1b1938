package org.kfac4j.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BatchSizesTest {
  /** The printed sizes are the integer parts of what is rounded here. */
  @ParameterizedTest
  @CsvSource({
    "20000, 100, 1811", "20000, 200, 3302", "20000, 400, 10972",
    "60000, 100, 2253", "60000, 200, 5118", "60000, 400, 26412",
    "103500, 100, 2510", "103500, 200, 6361", "103500, 400, 40845"
  })
  void batchesGrowAsInTheArticle(long total, int iteration, long printed) {
    double size = 1000 * Math.exp((iteration - 1) / (499 / Math.log(total / 1000.0)));
    assertThat((long) size).isEqualTo(printed);
    assertThat(new BatchSizes(1000, total, 500).at(iteration)).isEqualTo(Math.round(size));
  }

  @ParameterizedTest
  @ValueSource(longs = {20_000, 60_000, 103_500, 1009})
  void theFirstBatchIsTheSmallestAndThe500thHoldsEverything(long total) {
    BatchSizes sizes = new BatchSizes(1000, total, 500);
    assertThat(sizes.at(1)).isEqualTo(1000);
    assertThat(sizes.at(500)).isEqualTo(total);
    assertThat(sizes.at(501)).isEqualTo(total);
    assertThat(sizes.at(1_000_000)).isEqualTo(total);
  }

  @Test
  void batchesNeverShrinkAndNeverExceedTheExamples() {
    BatchSizes sizes = new BatchSizes(3, 1009, 37);
    for (int k = 1; k < 60; k++) {
      assertThat(sizes.at(k + 1)).isBetween(sizes.at(k), 1009L);
    }
    assertThat(sizes.at(36)).isLessThan(1009);
    assertThat(sizes.at(37)).isEqualTo(1009);
  }

  @Test
  void withoutGrowthTheSizeIsConstant() {
    assertThat(new BatchSizes(250, 1000, 0).at(1)).isEqualTo(250);
    assertThat(new BatchSizes(250, 1000, 0).at(12_345)).isEqualTo(250);
    assertThat(new BatchSizes(1000, 1000, 500).at(2)).isEqualTo(1000);
  }

  @Test
  void sizesBeyondTheExamplesAreRefused() {
    assertThatThrownBy(() -> new BatchSizes(11, 10, 0)).hasMessageContaining("training.batch-size");
    assertThatThrownBy(() -> new BatchSizes(0, 10, 0)).hasMessageContaining("got 0");
    assertThatThrownBy(() -> new BatchSizes(1, 10, 1)).hasMessageContaining("batch-growth");
  }
}
