package org.kfac4j.jobs;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.spark.api.java.JavaSparkContext;
import org.kfac4j.Settings;
import org.kfac4j.Snapshot;
import org.kfac4j.optimizer.DivergedException;
import org.kfac4j.spark.SparkObjective;
import org.kfac4j.study.StudyRun;
import org.kfac4j.training.Figures;
import org.kfac4j.training.MetricsWriter;
import org.kfac4j.training.RunInfo;

/** Does a study's runs that have not ended yet, some at a time, and says how far it is. */
final class StudyRunner {
  /** Spark's name of what jobs of a thread are scheduled in. */
  private static final String POOL = "spark.scheduler.pool";

  private final JavaSparkContext spark;
  private final StudyPlan plan;
  private final TrainingRun base;
  private final Map<Long, double[]> starts;
  private final StudyFolder folder;
  private final SparkObjective train;
  private final SparkObjective test;
  private final int parallel;
  private final Map<String, String> cluster;
  private final TimeLeft timeLeft;
  private final List<StudyTask> expected;
  private int ended;

  /**
   * @param starts initial weights by seed
   * @param parallel runs at a time
   * @param cluster that runs are made on, to be noted
   */
  StudyRunner(
      JavaSparkContext spark,
      StudyPlan plan,
      TrainingRun base,
      Map<Long, double[]> starts,
      StudyFolder folder,
      SparkObjective train,
      SparkObjective test,
      int parallel,
      Map<String, String> cluster) {
    this.spark = spark;
    this.plan = plan;
    this.base = base;
    this.starts = starts;
    this.folder = folder;
    this.train = train;
    this.test = test;
    this.parallel = parallel;
    this.cluster = cluster;
    timeLeft = new TimeLeft(plan);
    expected = plan.expected();
  }

  /**
   * The tasks' runs, in their order. Each thread's jobs have a pool of their own: Spark's fair
   * scheduler is fair between pools, and within one the first job comes first.
   */
  List<StudyRun> all(List<StudyTask> tasks) throws IOException {
    AtomicInteger count = new AtomicInteger();
    ExecutorService threads =
        Executors.newFixedThreadPool(
            parallel,
            work -> {
              String pool = "run-" + count.incrementAndGet();
              return new Thread(
                  () -> {
                    spark.setLocalProperty(POOL, pool);
                    work.run();
                  },
                  "kfac4j-" + pool);
            });
    try {
      List<Future<StudyRun>> runs = new ArrayList<>();
      for (StudyTask task : tasks) {
        runs.add(threads.submit(() -> one(task)));
      }
      List<StudyRun> results = new ArrayList<>();
      for (Future<StudyRun> run : runs) {
        results.add(run.get());
      }
      return results;
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw new IOException(String.valueOf(e.getMessage()), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("the study was interrupted", e);
    } finally {
      threads.shutdownNow();
    }
  }

  private StudyRun one(StudyTask task) throws IOException {
    Optional<StudyRun> before = folder.ended(task);
    if (before.isPresent()) {
      tell(task, before.get(), " (earlier)");
      return before.get();
    }
    long begin = System.nanoTime();
    StudyRun run = train(task);
    folder.end(task, run, cluster, parallel);
    tell(task, run, left(task, (System.nanoTime() - begin) * 1e-9));
    return run;
  }

  private StudyRun train(StudyTask task) throws IOException {
    Settings settings = plan.settings(task);
    TrainingRun run =
        base.with(settings, task.title())
            .from(java.util.Objects.requireNonNull(starts.get(task.seed())));
    RunFolder own =
        new RunFolder(
            folder.storage(), folder.run(task), settings.positiveInt("training.checkpoints-kept"));
    Snapshot saved = own.latest().orElse(null);
    if (saved == null) {
      own.clear();
    }
    StudyRecorder recorder =
        new StudyRecorder(
            task,
            plan.targets(),
            Math.min(plan.stepsPerEpoch(task.batch()), plan.steps(task)),
            plan.steps(task),
            settings.doubleValue("study.hopeless-after"));
    int from = saved == null ? 0 : Math.toIntExact(saved.longValue("iteration"));
    RunInfo info = run.info(own.dir(), from, Map.of());
    try (MetricsWriter metrics = new MetricsWriter(folder.storage())) {
      metrics.started(info);
      SparkObjective objective =
          train
              .withNetwork(run.problem().network())
              .augmented(run.problem().augmentation().withSeed(task.seed()));
      run.warmUp(objective); // Else the first runs of a study are its slowest.
      run.train(
          objective,
          test.withNetwork(run.problem().network()),
          List.of(metrics, recorder),
          own::save,
          saved);
      return recorder.run("budget spent");
    } catch (DivergedException e) {
      return recorder.run("diverged: " + e.getMessage());
    }
  }

  private synchronized String left(StudyTask task, double seconds) {
    timeLeft.ended(task, seconds);
    double left = 0;
    for (StudyTask next : expected.subList(Math.min(ended + 1, expected.size()), expected.size())) {
      left += timeLeft.seconds(next).orElse(0);
    }
    return ", about " + Figures.duration(left / parallel) + " left";
  }

  private synchronized void tell(StudyTask task, StudyRun run, String more) {
    ended++;
    System.out.printf(
        "run %d of %d: %s: %s after %d steps, %s%s%n",
        ended,
        Math.max(ended, expected.size()),
        task.title(),
        run.outcome(),
        run.steps(),
        Figures.duration(run.seconds()),
        more);
  }
}
