package org.kfac4j.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.kfac4j.InvalidInputException;
import org.kfac4j.data.Examples;

class SparkExamplesTest {
  private static JavaSparkContext spark;

  @BeforeAll
  static void start() {
    spark = LocalSpark.start();
  }

  @AfterAll
  static void stop() {
    spark.close();
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "1, 5", "5, 7", "10, 2", "2500, 1", "2500, 2", "2049, 3"})
  void everyExampleIsThereOnceInOrderWhateverTheNumberOfPartitions(int size, int partitions) {
    try (SparkExamples examples = SparkExamples.load(spark, ListSource.of(size), partitions)) {
      assertThat(examples.size()).isEqualTo(size);
      assertThat(examples.partitions()).isEqualTo(partitions);
      List<Long> ids = new ArrayList<>();
      for (Examples block : examples.blocks().collect()) {
        for (int row = 0; row < block.count(); row++) {
          ids.add(block.firstId() + row);
          assertThat(block.features()[row]).isEqualTo((float) (block.firstId() + row));
        }
      }
      assertThat(ids).containsExactlyElementsOf(LongStream.range(0, size).boxed().toList());
    }
  }

  @Test
  void partitionsDifferByOneExampleAtMost() {
    try (SparkExamples examples = SparkExamples.load(spark, ListSource.of(23), 7)) {
      List<Integer> sizes =
          examples
              .blocks()
              .mapPartitions(
                  blocks -> {
                    int count = 0;
                    while (blocks.hasNext()) {
                      count += blocks.next().count();
                    }
                    return List.of(count).iterator();
                  })
              .collect();
      assertThat(sizes).hasSize(7).allMatch(size -> size == 3 || size == 4);
    }
  }

  @Test
  void aMistakeInTheDataIsReportedAsTheSourceSaysItAndNothingIsKept() {
    assertThatThrownBy(() -> SparkExamples.load(spark, new ListSource(3000, 1500, -1), 2))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("list: example 1500 is odd");
    assertThat(spark.getPersistentRDDs()).isEmpty();
  }

  @Test
  void ofSeveralMistakesTheOneInTheFirstPartitionIsReported() {
    assertThatThrownBy(() -> SparkExamples.load(spark, new ListSource(3000, 2500, 10), 4))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("list: disk on fire");
  }

  @Test
  void afterAMistakeTheSameContextLoadsOtherData() {
    assertThatThrownBy(() -> SparkExamples.load(spark, new ListSource(10, 3, -1), 2))
        .isInstanceOf(InvalidInputException.class);
    try (SparkExamples examples = SparkExamples.load(spark, ListSource.of(10), 2)) {
      assertThat(examples.blocks().count()).isEqualTo(2);
    }
  }

  @Test
  void atLeastOnePartitionIsNeeded() {
    assertThatThrownBy(() -> SparkExamples.load(spark, ListSource.of(10), 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("at least one partition")
        .hasMessageContaining("0");
  }

  @Test
  void closingGivesTheCacheBack() {
    SparkExamples examples = SparkExamples.load(spark, ListSource.of(5000), 2);
    assertThat(spark.getPersistentRDDs()).hasSize(1);
    assertThat(spark.sc().getRDDStorageInfo()).hasSize(1);
    assertThat(spark.sc().getRDDStorageInfo()[0].numCachedPartitions()).isEqualTo(2);
    examples.close();
    assertThat(spark.getPersistentRDDs()).isEmpty();
  }
}
