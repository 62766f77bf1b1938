package org.kfac4j.jobs;

import java.util.Set;
import java.util.TreeSet;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerApplicationEnd;
import org.apache.spark.scheduler.SparkListenerJobStart;

/**
 * A listener of Spark's ({@code spark.extraListeners}) that prints at the end for which phases of
 * iterations there were jobs.
 */
public final class PhasePrinter extends SparkListener {
  static final String PREFIX = "jobs for ";

  private final Set<String> phases = new TreeSet<>();

  @Override
  public synchronized void onJobStart(SparkListenerJobStart start) {
    String description = String.valueOf(start.properties().get("spark.job.description"));
    if (description.startsWith("kfac4j iteration")) {
      phases.add(description.substring(description.indexOf(": ") + 2));
    }
  }

  @Override
  public synchronized void onApplicationEnd(SparkListenerApplicationEnd end) {
    System.out.println(PREFIX + phases);
  }
}
