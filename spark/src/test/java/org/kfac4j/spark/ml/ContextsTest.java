package org.kfac4j.spark.ml;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.stream.Stream;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.kfac4j.training.IterationRecord;
import org.kfac4j.training.TrainingListener;

/** What a fit leaves behind in its application, and what it does not. */
class ContextsTest {
  private static final int COUNT = 60;

  private SparkSession session;
  private Dataset<Row> data;

  @BeforeEach
  void start() {
    session = Stages.session();
    data = Stages.data(session, COUNT);
  }

  @AfterEach
  void stop() {
    session.stop();
  }

  static Stream<KfacEstimator<?, ?>> estimators() {
    return Stages.estimators().stream();
  }

  @ParameterizedTest
  @MethodSource("estimators")
  void fitsInThreadsAndCancelledOnesLeaveNothing(KfacEstimator<?, ?> estimator) throws Exception {
    JavaSparkContext spark = JavaSparkContext.fromSparkContext(session.sparkContext());
    Vector expected = estimator.fit(data).weights();
    assertThat(estimator.fit(data).weights()).isEqualTo(expected);
    List<Vector> found = java.util.Collections.synchronizedList(new ArrayList<>());
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      Thread thread =
          new Thread(
              () ->
                  found.add(
                      ((KfacEstimator<?, ?>) estimator.copy(ParamMap.empty()))
                          .fit(data)
                          .weights()));
      threads.add(thread);
      thread.start();
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(found).containsExactly(expected, expected);
    Throwable[] thrown = new Throwable[1];
    KfacEstimator<?, ?> endless = (KfacEstimator<?, ?>) estimator.copy(ParamMap.empty());
    endless.setMaxIter(1_000_000);
    Thread cancelled =
        new Thread(
            () -> {
              spark.setJobGroup("to be cancelled", "a fit");
              try {
                endless.fit(data);
              } catch (RuntimeException e) {
                thrown[0] = e;
              }
            });
    cancelled.start();
    // Spark cancels jobs that are running; between two of them there is nothing to cancel.
    for (int i = 0; i < 200 && cancelled.isAlive(); i++) {
      cancelled.join(100);
      spark.cancelJobGroup("to be cancelled");
    }
    assertThat(cancelled.isAlive()).isFalse();
    assertThat(thrown[0]).isNotNull();
    assertThat(spark.getPersistentRDDs()).isEmpty();
    assertThat(estimator.fit(data).weights()).isEqualTo(expected);
  }

  @Test
  void nothingOfTheSessionIsChanged() {
    scala.collection.immutable.Map<String, String> before = session.conf().getAll();
    for (KfacEstimator<?, ?> each : Stages.estimators()) {
      each.fit(data).transform(data).collectAsList();
    }
    assertThat(session.conf().getAll()).isEqualTo(before);
    assertThat(session.sparkContext().getLocalProperty("spark.job.description")).isNull();
    assertThat(Encoders.row(data.schema())).isNotNull();
  }

  @ParameterizedTest
  @MethodSource("estimators")
  void aModelOutlivesItsSession(KfacEstimator<?, ?> estimator) {
    KfacModel<?> model = estimator.fit(data);
    List<Row> before = model.transform(data).collectAsList();
    session.stop();
    session = Stages.session();
    data = Stages.data(session, COUNT);
    assertThat(model.transform(data).collectAsList()).isEqualTo(before);
    assertThat(estimator.fit(data).weights()).isEqualTo(model.weights());
  }

  @ParameterizedTest
  @MethodSource("estimators")
  void aFitThatFailsLeavesNothing(KfacEstimator<?, ?> estimator) throws InterruptedException {
    estimator.setListeners(
        List.of(
            new TrainingListener() {
              @Override
              public void iteration(IterationRecord record) {
                throw new IllegalStateException("a listener fails");
              }
            }));
    assertThatThrownBy(() -> estimator.fit(data)).hasMessageContaining("a listener fails");
    estimator.setListeners(List.of());
    assertNothingIsKept();
    assertThat(estimator.fit(data).weights().size()).isPositive();
    assertNothingIsKept();
  }

  /** Cached blocks at once; what is broadcast as soon as Spark's cleaners have come by. */
  private void assertNothingIsKept() throws InterruptedException {
    assertThat(JavaSparkContext.fromSparkContext(session.sparkContext()).getPersistentRDDs())
        .isEmpty();
    int left = Integer.MAX_VALUE;
    for (int i = 0; i < 100 && left > 0; i++) {
      System.gc(); // Spark removes a task's own broadcast when nobody has it any more.
      Thread.sleep(50);
      left =
          SparkEnv.get()
              .blockManager()
              .master()
              .getMatchingBlockIds(
                  new scala.runtime.AbstractFunction1<>() {
                    @Override
                    public Object apply(org.apache.spark.storage.BlockId block) {
                      return block.isBroadcast();
                    }
                  },
                  true)
              .size();
    }
    assertThat(left).isZero();
  }

  @Test
  @Tag("slow")
  void memoryStaysWhatItIsFitAfterFit() throws IOException {
    KfacClassifier classifier =
        new KfacClassifier().setLayers(new int[] {Stages.INPUTS, 600, 600, Stages.CLASSES});
    classifier.setMaxIter(2);
    fits(classifier, 6);
    long before = residentMegabytes();
    fits(classifier, 20);
    // One fit's buffers, sums and factors are some 30 MB.
    assertThat(residentMegabytes() - before).isLessThan(100);
  }

  private void fits(KfacClassifier classifier, int times) {
    for (int i = 0; i < times; i++) {
      KfacClassificationModel model = classifier.fit(data);
      assertThat(model.transform(data).count()).isEqualTo(COUNT);
      assertThat(model.predict(Vectors.zeros(Stages.INPUTS))).isNotNegative();
    }
    System.gc();
  }

  private static long residentMegabytes() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("VmRSS"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) >> 10)
        .findFirst()
        .orElseThrow();
  }

  @Test
  void figuresAreInSparksMetricsWhileATrainingRuns() {
    List<Double> losses = new ArrayList<>();
    List<Double> seen = new ArrayList<>();
    KfacClassifier classifier =
        new KfacClassifier().setLayers(new int[] {Stages.INPUTS, 5, Stages.CLASSES});
    classifier.setMaxIter(3).setDamping(1);
    classifier.setListeners(
        List.of(
            new org.kfac4j.spark.TrainingMetrics(),
            new TrainingListener() {
              @Override
              public void iteration(IterationRecord record) {
                losses.add(record.loss());
                gauges().forEach((name, value) -> seen.add(name.equals("loss") ? value : 0));
              }
            }));
    classifier.fit(data);
    assertThat(losses).hasSize(3);
    assertThat(seen).containsAll(losses);
  }

  private static SortedMap<String, Double> gauges() {
    SortedMap<String, Double> gauges = new java.util.TreeMap<>();
    SparkEnv.get()
        .metricsSystem()
        .getSourcesByName("kfac4j")
        .foreach(
            new scala.runtime.AbstractFunction1<>() {
              @Override
              public Object apply(org.apache.spark.metrics.source.Source source) {
                source
                    .metricRegistry()
                    .getGauges()
                    .forEach((name, gauge) -> gauges.put(name, (Double) gauge.getValue()));
                return scala.runtime.BoxedUnit.UNIT;
              }
            });
    return gauges;
  }
}
