package org.kfac4j.jobs;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.kfac4j.study.Reached;
import org.kfac4j.study.StudyRun;
import org.kfac4j.study.Target;
import org.kfac4j.study.Target.Metric;
import org.kfac4j.training.Evaluation;
import org.kfac4j.training.IterationRecord;
import org.kfac4j.training.TrainingListener;

/**
 * Watches a run of a study: when it reaches each target, and whether going on is of any use. The
 * training loss is the mean over the mini-batches of an epoch (of the whole run, if it is shorter);
 * test metrics are those of the epochs' ends, as arXiv:1903.06237 has them, or of
 * study.evaluations.
 */
final class StudyRecorder implements TrainingListener {
  private final StudyTask task;
  private final List<Target> targets;
  private final int window;
  private final int steps;
  private final double hopelessAfter;

  private final Map<Target, Reached> reached = new LinkedHashMap<>();
  private final Map<Metric, Double> best = new EnumMap<>(Metric.class);
  private final Map<Metric, Double> last = new EnumMap<>(Metric.class);
  private final Deque<Double> losses = new ArrayDeque<>();
  private final List<Double> seconds = new ArrayList<>();
  private double firstLoss = Double.NaN;
  private int iteration;
  private double total;
  private @Nullable String enough;

  /**
   * @param window steps of an epoch, or of the run if that is shorter
   * @param steps that the run may take
   * @param hopelessAfter share of them after which a loss that has not fallen ends it
   */
  StudyRecorder(StudyTask task, List<Target> targets, int window, int steps, double hopelessAfter) {
    this.task = task;
    this.targets = targets;
    this.window = window;
    this.steps = steps;
    this.hopelessAfter = hopelessAfter;
  }

  @Override
  public void replayed(IterationRecord record) {
    iteration(record);
  }

  @Override
  public void iteration(IterationRecord record) {
    iteration = record.iteration();
    seconds.add(record.seconds() - total);
    total = record.seconds();
    firstLoss = Double.isNaN(firstLoss) ? record.loss() : firstLoss;
    losses.add(record.loss());
    if (losses.size() > window) {
      losses.remove();
    }
    if (losses.size() == window) {
      note(Metric.TRAIN_LOSS, losses.stream().mapToDouble(each -> each).sum() / window);
    }
    Evaluation evaluation = record.evaluation();
    if (evaluation != null) {
      note(Metric.TEST_LOSS, evaluation.loss());
      note(Metric.TEST_ERROR, evaluation.error());
      note(Metric.TEST_ACCURACY, evaluation.accuracy());
    }
    enough = reached.size() == targets.size() ? "targets met" : hopeless();
  }

  private void note(Metric metric, @Nullable Double value) {
    if (value == null) {
      return;
    }
    last.put(metric, value);
    best.merge(metric, value, (old, now) -> metric.score(now) < metric.score(old) ? now : old);
    for (Target target : targets) {
      if (target.metric() == metric && target.isMetBy(value)) {
        reached.putIfAbsent(target, new Reached(iteration, total));
      }
    }
  }

  private @Nullable String hopeless() {
    Double now = last.get(Metric.TRAIN_LOSS);
    // A mean that the first loss is part of does not say that it has not fallen.
    boolean early = iteration <= window || iteration < hopelessAfter * steps;
    if (hopelessAfter >= 1 || early || now == null || now < firstLoss) {
      return null;
    }
    return String.format(
        Locale.ROOT,
        "hopeless: a mean loss of %.4g after %d of %d steps, %.4g at the first",
        now,
        iteration,
        steps,
        firstLoss);
  }

  @Override
  public @Nullable String enough() {
    return enough;
  }

  /**
   * What is kept of the run.
   *
   * @param outcome how it ended, if not by what was seen here
   */
  StudyRun run(String outcome) {
    double[] sorted = seconds.stream().mapToDouble(each -> each).sorted().toArray();
    int middle = sorted.length / 2;
    double median =
        sorted.length == 0
            ? Double.NaN
            : sorted.length % 2 == 1 ? sorted[middle] : 0.5 * (sorted[middle - 1] + sorted[middle]);
    return new StudyRun(
        task.optimizer().name(),
        task.budget(),
        task.batch(),
        task.seed(),
        task.point(),
        steps,
        iteration,
        total,
        enough == null ? outcome : enough,
        reached,
        best,
        last,
        median);
  }
}
