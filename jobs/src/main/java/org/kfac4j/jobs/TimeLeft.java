package org.kfac4j.jobs;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalDouble;

/**
 * What a study's remaining runs will take, judged by those that have ended. A run takes the mean of
 * those of its optimizer with its batch size. Where there is none, it is judged by the runs with
 * the nearest batch size: its seconds grow with its steps if those cost the same whatever the
 * batch, and with its examples if these decide; in between, their geometric mean is taken.
 */
final class TimeLeft {
  private record Ended(String optimizer, int batch, long steps, double seconds) {}

  private final StudyPlan plan;
  private final List<Ended> ended = new ArrayList<>();

  TimeLeft(StudyPlan plan) {
    this.plan = plan;
  }

  /** Notes that a run took so many seconds, evaluation and the start included. */
  void ended(StudyTask task, double seconds) {
    ended.add(new Ended(task.optimizer().name(), task.batch(), plan.steps(task), seconds));
  }

  /** Seconds of a run that has not begun; empty if none has ended. */
  OptionalDouble seconds(StudyTask task) {
    String optimizer = task.optimizer().name();
    List<Ended> own = ended.stream().filter(run -> run.optimizer.equals(optimizer)).toList();
    List<Ended> like = own.isEmpty() ? ended : own;
    OptionalDouble nearest =
        like.stream()
            .map(run -> distance(run, task))
            .min(Comparator.naturalOrder())
            .map(OptionalDouble::of)
            .orElse(OptionalDouble.empty());
    if (nearest.isEmpty()) {
      return nearest;
    }
    long steps = plan.steps(task);
    return like.stream()
        .filter(run -> distance(run, task) == nearest.getAsDouble())
        .mapToDouble(
            run -> {
              double more = (double) steps / run.steps;
              return run.seconds * Math.sqrt(more * more * task.batch() / run.batch);
            })
        .average();
  }

  private static double distance(Ended run, StudyTask task) {
    return Math.abs(Math.log((double) run.batch / task.batch()));
  }
}
