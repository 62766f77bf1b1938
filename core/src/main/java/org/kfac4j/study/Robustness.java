package org.kfac4j.study;

import java.util.List;
import java.util.OptionalDouble;

/**
 * How much depends on the choice of hyperparameters: over the grid, with the tuning seed. Best
 * values are those of runs that stop once they have reached all targets, so that quartiles tell
 * about the poor part of a grid more than about the good one.
 *
 * @param points that were run
 * @param reached of them that reached the target
 * @param best the quarter of the grid has this best metric or better; empty if that needs the value
 *     of a run without one
 * @param median half of the grid
 * @param worst three quarters of the grid
 */
public record Robustness(
    int points, int reached, OptionalDouble best, OptionalDouble median, OptionalDouble worst) {
  static Robustness of(StudyCell cell) {
    List<StudyRun> runs = cell.tuned();
    Target.Metric metric = cell.target().metric();
    double[] scores =
        runs.stream()
            .mapToDouble(
                run -> {
                  Double best = run.best().get(metric);
                  // a run that diverged before it was evaluated is worse than any other
                  return best == null || !Double.isFinite(best)
                      ? Double.POSITIVE_INFINITY
                      : metric.score(best);
                })
            .toArray();
    return new Robustness(
        runs.size(),
        (int) runs.stream().filter(run -> run.reached(cell.target()).isPresent()).count(),
        quartile(metric, scores, 0.25),
        quartile(metric, scores, 0.5),
        quartile(metric, scores, 0.75));
  }

  private static OptionalDouble quartile(Target.Metric metric, double[] scores, double share) {
    double score = scores.length == 0 ? Double.POSITIVE_INFINITY : Order.quantile(scores, share);
    // + 0.0: no negative zero
    return Double.isFinite(score)
        ? OptionalDouble.of(metric.score(score) + 0.0)
        : OptionalDouble.empty();
  }

  /** Reached / points; empty without a run. */
  public OptionalDouble share() {
    return points == 0 ? OptionalDouble.empty() : OptionalDouble.of((double) reached / points);
  }
}
