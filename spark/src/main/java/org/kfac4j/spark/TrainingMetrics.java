package org.kfac4j.spark;

import com.codahale.metrics.Gauge;
import com.codahale.metrics.MetricRegistry;
import org.apache.spark.SparkEnv;
import org.apache.spark.metrics.source.Source;
import org.jspecify.annotations.Nullable;
import org.kfac4j.training.Evaluation;
import org.kfac4j.training.IterationRecord;
import org.kfac4j.training.TrainingListener;

/**
 * A training's figures in Spark's metrics system, on the driver: {@code kfac4j.iteration}, {@code
 * .loss}, {@code .damping}, {@code .batchSize}, {@code .seconds} and, of the last evaluation,
 * {@code .testLoss}. Figures that there are not (yet) are NaN.
 */
public final class TrainingMetrics implements Source, TrainingListener {
  private final MetricRegistry registry = new MetricRegistry();
  private volatile @Nullable IterationRecord last;
  private volatile @Nullable Evaluation evaluation;

  /** Adds the figures to the running application's. */
  public TrainingMetrics() {
    gauge("iteration", record -> (double) record.iteration());
    gauge("loss", IterationRecord::loss);
    gauge("damping", IterationRecord::damping);
    gauge("batchSize", record -> (double) record.batchSize());
    gauge("seconds", IterationRecord::seconds);
    registry.register(
        "testLoss",
        (Gauge<Double>)
            () -> {
              Evaluation seen = evaluation;
              return seen == null ? Double.NaN : seen.loss();
            });
    SparkEnv.get().metricsSystem().registerSource(this);
  }

  private interface Figure {
    @Nullable Double of(IterationRecord record);
  }

  private void gauge(String name, Figure figure) {
    registry.register(
        name,
        (Gauge<Double>)
            () -> {
              IterationRecord seen = last;
              Double value = seen == null ? null : figure.of(seen);
              return value == null ? Double.NaN : value;
            });
  }

  @Override
  public String sourceName() {
    return "kfac4j";
  }

  @Override
  public MetricRegistry metricRegistry() {
    return registry;
  }

  @Override
  public void iteration(IterationRecord record) {
    last = record;
    if (record.evaluation() != null) {
      evaluation = record.evaluation();
    }
  }

  @Override
  public void close() {
    SparkEnv environment = SparkEnv.get();
    if (environment != null) {
      environment.metricsSystem().removeSource(this);
    }
  }
}
