package org.kfac4j.spark;

import java.util.function.Supplier;
import org.apache.spark.api.java.JavaSparkContext;
import org.jspecify.annotations.Nullable;

/**
 * Says in Spark's UI and event log what jobs are for: a description with iteration and phase, and,
 * if the caller has no job group, one group per iteration. What the caller had set comes back.
 */
final class JobLabels {
  private static final String DESCRIPTION = "spark.job.description";
  private static final String GROUP = "spark.jobGroup.id";

  private final JavaSparkContext spark;
  private String iteration = "";

  JobLabels(JavaSparkContext spark) {
    this.spark = spark;
  }

  /** Jobs from now on are of this iteration. */
  void begin(int now) {
    iteration = " iteration " + now;
  }

  /** Runs jobs of a phase. */
  <T> T label(String phase, Supplier<T> jobs) {
    @Nullable String description = spark.getLocalProperty(DESCRIPTION);
    @Nullable String group = spark.getLocalProperty(GROUP);
    spark.setLocalProperty(DESCRIPTION, "kfac4j" + iteration + ": " + phase);
    if (group == null) {
      spark.setLocalProperty(GROUP, "kfac4j" + iteration);
    }
    try {
      return jobs.get();
    } finally {
      spark.setLocalProperty(DESCRIPTION, description);
      spark.setLocalProperty(GROUP, group);
    }
  }
}
