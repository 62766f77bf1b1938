package org.kfac4j.training;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.kfac4j.Snapshot;
import org.kfac4j.linalg.Vectors;

/**
 * Everything about a run that the next iteration depends on, but for the optimizer's own state.
 * What a checkpoint holds.
 */
final class TrainingState {
  double[] theta;
  int iteration;
  long visited;
  double seconds;
  double firstLoss = Double.NaN;
  final List<IterationRecord> history = new ArrayList<>();

  private double @Nullable [] averaged;
  private double @Nullable [] best;
  private @Nullable Evaluation bestEvaluation;
  private @Nullable Evaluation lastEvaluation;
  private int bestIteration;
  private int evaluationsSinceBest;

  TrainingState(double[] theta, boolean averages) {
    this.theta = theta.clone();
    this.averaged = averages ? theta.clone() : null;
  }

  /** θ̄ ← ξ θ̄ + (1 − ξ) θ. */
  void average(double[] current, double xi) {
    double[] mean = averaged;
    if (mean != null) {
      Vectors.forRanges(
          0,
          mean.length,
          (from, to) -> {
            for (int i = from; i < to; i++) {
              mean[i] = xi * mean[i] + (1 - xi) * current[i];
            }
          });
    }
  }

  void advance(double[] current, long batchSize, double spent, double first) {
    System.arraycopy(current, 0, theta, 0, theta.length);
    iteration++;
    visited += batchSize;
    seconds += spent;
    firstLoss = first;
  }

  /** The better of θ and θ̄ on the test set. */
  Evaluation evaluate(Evaluator test, int k) {
    Evaluation result = test.evaluate(theta, false);
    double[] weights = theta;
    if (averaged != null) {
      Evaluation ofAverage = test.evaluate(averaged, true);
      if (ofAverage.score() < result.score()) {
        result = ofAverage;
        weights = averaged;
      }
    }
    lastEvaluation = result;
    if (bestEvaluation == null || result.score() < bestEvaluation.score()) {
      bestEvaluation = result;
      bestIteration = k;
      best = weights.clone();
      evaluationsSinceBest = 0;
    } else {
      evaluationsSinceBest++;
    }
    return result;
  }

  /** Why training should stop now, or null. */
  @Nullable String stopReason(TrainingSettings settings) {
    Evaluation last = lastEvaluation;
    Double target = settings.target();
    if (last != null && target != null) {
      Double accuracy = last.accuracy();
      Double error = last.error();
      if (accuracy != null ? accuracy >= target : error != null && error <= target) {
        return "target";
      }
    }
    if (settings.patience() > 0 && evaluationsSinceBest >= settings.patience()) {
      return "patience";
    }
    if (timeIsUp(settings)) {
      return "seconds";
    }
    return iteration >= settings.iterations() ? "iterations" : null;
  }

  boolean timeIsUp(TrainingSettings settings) {
    return settings.seconds() > 0 && seconds >= settings.seconds();
  }

  double[] chosen(boolean restoreBest) {
    return restoreBest && best != null ? best : theta;
  }

  RunSummary summary(String reason, double medianSeconds) {
    return new RunSummary(
        reason, iteration, seconds, medianSeconds, bestIteration, bestEvaluation, lastEvaluation);
  }

  Snapshot save() {
    Snapshot snapshot = new Snapshot();
    snapshot.put("iteration", (long) iteration);
    snapshot.put("visited", visited);
    snapshot.put("seconds", seconds);
    snapshot.put("firstLoss", firstLoss);
    snapshot.put("theta", theta.clone());
    snapshot.put("averaged", averaged == null ? new double[0] : averaged.clone());
    snapshot.put("best", best == null ? new double[0] : best);
    snapshot.put("bestIteration", (long) bestIteration);
    snapshot.put("evaluationsSinceBest", (long) evaluationsSinceBest);
    snapshot.put(
        "history", history.stream().map(MetricsWriter::format).collect(Collectors.joining("\n")));
    return snapshot;
  }

  static TrainingState restore(Snapshot snapshot) {
    double[] averaged = snapshot.doubles("averaged");
    TrainingState state = new TrainingState(snapshot.doubles("theta"), false);
    state.iteration = Math.toIntExact(snapshot.longValue("iteration"));
    state.visited = snapshot.longValue("visited");
    state.seconds = snapshot.doubleValue("seconds");
    state.firstLoss = snapshot.doubleValue("firstLoss");
    state.averaged = averaged.length == 0 ? null : averaged.clone();
    double[] best = snapshot.doubles("best");
    state.best = best.length == 0 ? null : best.clone();
    state.bestIteration = Math.toIntExact(snapshot.longValue("bestIteration"));
    state.evaluationsSinceBest = Math.toIntExact(snapshot.longValue("evaluationsSinceBest"));
    for (String line : snapshot.text("history").split("\n")) {
      if (!line.isEmpty()) {
        IterationRecord record = MetricsWriter.parse(line);
        state.history.add(record);
        if (record.evaluation() != null) {
          state.lastEvaluation = record.evaluation();
          if (record.iteration() == state.bestIteration) {
            state.bestEvaluation = record.evaluation();
          }
        }
      }
    }
    return state;
  }
}
