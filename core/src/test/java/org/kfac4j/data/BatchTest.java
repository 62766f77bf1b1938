package org.kfac4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BatchTest {
  /** The example at each place of a batch, from asking all examples; −1 where nobody is. */
  private static List<Long> order(Batch batch) {
    Batch.Visits visits = batch.visits();
    List<Long> order = new ArrayList<>();
    for (long place = 0; place < batch.count(); place++) {
      order.add(-1L);
    }
    for (long id = 0; id < batch.size(); id++) {
      for (int epoch = 0; epoch < visits.epochs(); epoch++) {
        long place = visits.place(id, epoch);
        if (place >= 0) {
          assertThat(order.set((int) place, id)).as("place %d is free", place).isEqualTo(-1L);
        }
      }
    }
    assertThat(order).doesNotContain(-1L);
    return order;
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "10, 3", "10, 10", "10, 7", "37, 5", "100, 250", "7, 8"})
  void everyEpochVisitsEveryExampleOnce(long size, long batchSize) {
    List<Long> visited = new ArrayList<>();
    Batch batch = new Batch(size, 42, 0, batchSize);
    int epochs = 6;
    while (visited.size() < epochs * size) {
      visited.addAll(order(batch));
      batch = batch.next(batchSize);
    }
    for (int epoch = 0; epoch < epochs; epoch++) {
      assertThat(visited.subList((int) (epoch * size), (int) ((epoch + 1) * size)))
          .doesNotHaveDuplicates();
    }
  }

  @Test
  void epochsAndSeedsHaveOrdersOfTheirOwn() {
    List<Long> first = order(new Batch(50, 1, 0, 50));
    assertThat(order(new Batch(50, 1, 50, 50))).isNotEqualTo(first);
    assertThat(order(new Batch(50, 2, 0, 50))).isNotEqualTo(first);
    assertThat(order(new Batch(50, 1, 0, 50))).isEqualTo(first);
  }

  @Test
  void aBatchAcrossTheEndOfAnEpochHoldsTheLastOfOneAndTheFirstOfTheNext() {
    List<Long> two = order(new Batch(20, 9, 0, 40));
    assertThat(order(new Batch(20, 9, 13, 15))).isEqualTo(two.subList(13, 28));
    assertThat(order(new Batch(20, 9, 13, 1))).isEqualTo(two.subList(13, 14));
    assertThat(order(new Batch(20, 9, 19, 2))).isEqualTo(two.subList(19, 21));
  }

  @Test
  void subsetsAreTheBeginningOfTheBatchAndNested() {
    Batch batch = new Batch(1000, 5, 4321, 400);
    List<Long> order = order(batch);
    long previous = 0;
    for (double fraction : new double[] {0.0025, 0.125, 0.25, 0.5, 0.9, 1}) {
      Batch subset = batch.subset(fraction);
      assertThat(order(subset)).isEqualTo(order.subList(0, (int) subset.count()));
      assertThat(subset.count())
          .isEqualTo(Math.round(fraction * 400))
          .isGreaterThanOrEqualTo(previous);
      previous = subset.count();
    }
    assertThat(batch.subset(1e-9).count()).isEqualTo(1);
  }

  @Test
  void theFirstPlacesAreARandomSample() {
    int hits = 0;
    int seeds = 4000;
    for (int seed = 0; seed < seeds; seed++) {
      hits += new Batch(64, seed, 0, 64).subset(0.25).visits().place(17, 0) >= 0 ? 1 : 0;
    }
    assertThat(hits / (double) seeds).isCloseTo(0.25, within(6 * Math.sqrt(0.25 * 0.75 / seeds)));
  }

  @Test
  void everythingIsEveryExampleOnce() {
    assertThat(order(Batch.everything(77))).doesNotHaveDuplicates().hasSize(77);
  }

  @Test
  void impossibleBatchesAreRefused() {
    assertThatThrownBy(() -> new Batch(0, 1, 0, 1)).hasMessageContaining("size 0");
    assertThatThrownBy(() -> new Batch(5, 1, -1, 1)).hasMessageContaining("-1");
    assertThatThrownBy(() -> new Batch(5, 1, 0, 0)).hasMessageContaining("count");
    Batch batch = new Batch(5, 1, 0, 5);
    assertThatThrownBy(() -> batch.subset(0)).hasMessageContaining("0.0");
    assertThatThrownBy(() -> batch.subset(1.5)).hasMessageContaining("1.5");
  }
}
