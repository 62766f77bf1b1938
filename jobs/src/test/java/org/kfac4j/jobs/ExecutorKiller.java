package org.kfac4j.jobs;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerApplicationEnd;
import org.apache.spark.scheduler.SparkListenerJobStart;

/**
 * A listener of Spark's ({@code spark.extraListeners}) in the driver of a {@code local-cluster}
 * that kills executors' JVMs with SIGKILL: one in the middle of the first job of every phase of an
 * iteration, then others at random, up to {@link #KILLS} in all.
 */
public final class ExecutorKiller extends SparkListener {
  static final int KILLS = 10;

  /** Executors come back in this time, mostly. */
  private static final long PAUSE = 2000;

  private final Random random = new Random(5);
  private final Set<String> phases = new TreeSet<>();
  private int kills;
  private long last;

  @Override
  public synchronized void onJobStart(SparkListenerJobStart start) {
    String description = String.valueOf(start.properties().get("spark.job.description"));
    if (!description.startsWith("kfac4j iteration") || kills >= KILLS) {
      return;
    }
    String phase = description.substring(description.indexOf(": ") + 2);
    long now = System.currentTimeMillis();
    boolean first = !phases.contains(phase);
    if (now - last < PAUSE || !(first || random.nextInt(8) == 0)) {
      return;
    }
    List<ProcessHandle> executors = executors();
    if (executors.size() < 2) {
      return; // the last one is still on its way back
    }
    phases.add(phase);
    kills++;
    last = now;
    ProcessHandle victim = executors.get(random.nextInt(executors.size()));
    int delay = random.nextInt(30);
    Thread killer =
        new Thread(
            () -> {
              try {
                Thread.sleep(delay);
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
              victim.destroyForcibly();
            });
    killer.setDaemon(true);
    killer.start();
  }

  /** The JVMs of this application's executors. */
  static List<ProcessHandle> executors() {
    List<ProcessHandle> executors = new ArrayList<>();
    // Their command lines are too long to be read; a driver starts no other java.
    ProcessHandle.current()
        .children()
        .filter(each -> each.info().command().orElse("").endsWith("java"))
        .forEach(executors::add);
    return executors;
  }

  @Override
  public synchronized void onApplicationEnd(SparkListenerApplicationEnd end) {
    System.out.println("killed " + kills + " executors in " + phases);
  }
}
