package org.kfac4j.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.kfac4j.curvature.Request;
import org.kfac4j.curvature.SumNames;
import org.kfac4j.curvature.Sums;
import org.kfac4j.data.Augmentation;
import org.kfac4j.data.Batch;
import org.kfac4j.datasets.Curves;
import org.kfac4j.optimizer.Objective;

class SparkObjectiveTest {
  /** Far above what Spark broadcasts to describe a task, below the smallest vector of weights. */
  private static final long LARGE = 200_000;

  private static JavaSparkContext spark;

  @BeforeAll
  static void start() {
    spark = LocalSpark.start();
  }

  @AfterAll
  static void stop() {
    spark.close();
  }

  private static Training training() {
    return Training.of(
        """
        model { layers = [784, 60, 784], activation = tanh, loss = xent, init = xavier }
        training { iterations = 4, batch-size = 50 }
        """,
        new Curves(1, Curves.Part.TRAIN, 100));
  }

  /** Broadcasts are destroyed in the background. */
  private static long broadcastBytesInTheEnd() throws InterruptedException {
    Instant deadline = Instant.now().plus(Duration.ofSeconds(20));
    while (LocalSpark.broadcastBytes(LARGE) > 0 && Instant.now().isBefore(deadline)) {
      Thread.sleep(20);
    }
    return LocalSpark.broadcastBytes(LARGE);
  }

  @Test
  void weightsAreSharedWhileAPointIsOpenAndReleasedAfterwards() {
    Training training = training();
    int before = Handover.openRounds();
    try (SparkObjective objective = training.objective(spark, 2)) {
      try (Objective.Point point = objective.at(training.initial())) {
        point.evaluate(new Request.Loss(Batch.everything(objective.size()), true));
        assertThat(Handover.openRounds()).isEqualTo(before + 1);
      }
      assertThat(Handover.openRounds()).isEqualTo(before);
    }
  }

  @Test
  void directionsAreReleasedAsSoonAsTheirProductsAreThere() {
    Training training = training();
    double[] direction = training.initial().clone();
    try (SparkObjective objective = training.objective(spark, 2);
        Objective.Point point = objective.at(training.initial())) {
      int weights = Handover.openRounds();
      Request request = new Request.Products(Batch.everything(objective.size()), 2);
      Sums sums = point.evaluate(request, List.of(direction, direction));
      assertThat(sums.scalar(SumNames.product(0, 1))).isPositive();
      assertThat(Handover.openRounds()).isEqualTo(weights);
    }
  }

  /** What tasks in other processes read; local ones do not need it. */
  @Test
  void aBroadcastIsReadByTasksAndDestroyedWhenReleased() throws InterruptedException {
    float[] values = new float[100_000];
    values[99_999] = 3;
    Shared<float[]> shared = new Shared.ByBroadcast<>(spark.broadcast(values));
    assertThat(spark.parallelize(List.of(1, 2), 2).map(i -> shared.value()[99_999]).collect())
        .containsExactly(3f, 3f);
    assertThat(LocalSpark.broadcastBytes(LARGE)).isGreaterThan(4L * values.length - 1);
    shared.release();
    assertThat(broadcastBytesInTheEnd()).isZero();
  }

  /** Training on changed images gives the same on any number of partitions. */
  @Test
  void changedImagesDoNotDependOnPartitions() {
    Training training = training();
    Augmentation changes = new Augmentation(1, 28, 28, 2, true, 9);
    Request loss = new Request.Loss(new Batch(100, 3, 40, 130), false);
    double plain;
    double one;
    double three;
    try (SparkObjective objective = training.objective(spark, 1)) {
      plain = loss(objective, training, loss);
      one = loss(objective.augmented(changes), training, loss);
    }
    try (SparkObjective objective = training.objective(spark, 3)) {
      three = loss(objective.augmented(changes), training, loss);
    }
    assertThat(three).isCloseTo(one, within(1e-6 * one));
    assertThat(Math.abs(plain - one)).isGreaterThan(1e-4 * one);
  }

  private static double loss(SparkObjective objective, Training training, Request request) {
    try (Objective.Point point = objective.at(training.initial())) {
      return point.evaluate(request).scalar(SumNames.LOSS);
    }
  }

  @Test
  void afterATrainingNothingIsLeftInSpark() throws InterruptedException {
    training().on(spark, 3);
    assertThat(spark.getPersistentRDDs()).isEmpty();
    assertThat(Handover.openRounds()).isZero();
    assertThat(broadcastBytesInTheEnd()).isZero();
  }

  @Test
  void requestsAreChargedToPhases() {
    Training training = training();
    try (SparkObjective objective = training.objective(spark, 2);
        Objective.Point point = objective.at(training.initial())) {
      point.evaluate(new Request.Loss(Batch.everything(objective.size()), false));
      assertThat(objective.phases().drain())
          .containsOnlyKeys("broadcast", "map", "aggregate")
          .allSatisfy((phase, seconds) -> assertThat(seconds).isNotNegative());
      assertThat(objective.phases().drain()).isEmpty();
    }
  }

  @Test
  void theCallersJobDescriptionIsGivenBack() {
    Training training = training();
    spark.setJobDescription("mine");
    try (SparkObjective objective = training.objective(spark, 1);
        Objective.Point point = objective.at(training.initial())) {
      point.evaluate(new Request.Loss(Batch.everything(objective.size()), false));
      assertThat(spark.getLocalProperty("spark.job.description")).isEqualTo("mine");
    } finally {
      spark.setJobDescription(null);
    }
  }

  @Test
  void weightsOfAnotherNetworkAreRefusedBeforeAJobStarts() {
    Training training = training();
    try (SparkObjective objective = training.objective(spark, 2)) {
      assertThatThrownBy(() -> objective.at(new double[] {1, 2, 3}))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("%d parameters", training.initial().length)
          .hasMessageContaining("3 weights");
    }
  }
}
