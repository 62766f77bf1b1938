package org.kfac4j.training;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.kfac4j.Snapshot;
import org.kfac4j.data.Batch;
import org.kfac4j.network.Network;
import org.kfac4j.optimizer.DivergedException;
import org.kfac4j.optimizer.Objective;
import org.kfac4j.optimizer.Optimizer;
import org.kfac4j.optimizer.Step;

/**
 * The training loop: batches, steps, averaged weights, evaluation, early stopping, checkpoints.
 * Knows neither Spark nor files.
 */
public final class Trainer {
  private final TrainingSettings settings;
  private final BatchSizes batchSizes;
  private final Network network;
  private final Objective train;
  private final @Nullable Evaluator test;
  private final List<TrainingListener> listeners;
  private final Checkpoints checkpoints;

  /** Keeps states of a run. */
  @FunctionalInterface
  public interface Checkpoints {
    void save(int iteration, Snapshot snapshot);
  }

  /**
   * @param test null for no evaluation
   */
  public Trainer(
      TrainingSettings settings,
      BatchSizes batchSizes,
      Network network,
      Objective train,
      @Nullable Evaluator test,
      List<TrainingListener> listeners,
      Checkpoints checkpoints) {
    this.settings = settings;
    this.batchSizes = batchSizes;
    this.network = network;
    this.train = train;
    this.test = test;
    this.listeners = List.copyOf(listeners);
    this.checkpoints = checkpoints;
  }

  /**
   * The trained weights.
   *
   * @param theta the chosen weights: the best evaluation's if so set, otherwise the last ones
   */
  public record Result(double[] theta, RunSummary summary) {}

  /**
   * Trains from {@code theta}, or from {@code saved} if given.
   *
   * @throws DivergedException if training leaves the range in which it can go on; names iteration
   *     and layer
   */
  public Result train(Optimizer optimizer, double[] theta, @Nullable Snapshot saved) {
    TrainingState state =
        saved == null
            ? new TrainingState(theta, settings.averaging() > 0)
            : TrainingState.restore(saved);
    state.history.forEach(record -> listeners.forEach(listener -> listener.replayed(record)));
    List<Double> iterationSeconds = new ArrayList<>();
    DivergenceGuard guard =
        new DivergenceGuard(network, theta, settings.divergenceFactor(), state.firstLoss);
    String reason = stopReason(state);
    try (Optimizer.Run run = optimizer.start(network, state.theta, saved)) {
      while (reason == null) {
        int k = state.iteration + 1;
        long size = batchSizes.at(k);
        Batch batch = new Batch(train.size(), settings.seed(), state.visited, size);
        train.phases().drain();
        train.passes().drain();
        train.begin(k);
        long begin = System.nanoTime();
        Step step = run.step(train, batch, k);
        state.average(run.theta(), settings.averaging());
        double seconds = (System.nanoTime() - begin) * 1e-9;
        iterationSeconds.add(seconds);
        guard.check(k, step.loss(), run.theta());
        state.advance(run.theta(), size, seconds, guard.firstLoss());
        IterationRecord record = record(k, state, size, step, train);
        if (test != null && (isEvaluationDue(k) || state.timeIsUp(settings))) {
          Evaluation evaluation = state.evaluate(test, k);
          guard.checkTest(k, evaluation.loss(), run.theta());
          record = record.with(evaluation);
        }
        state.history.add(record);
        IterationRecord told = record;
        listeners.forEach(listener -> listener.iteration(told));
        reason = stopReason(state);
        boolean checkpointDue =
            settings.checkpointEvery() > 0 && k % settings.checkpointEvery() == 0;
        if (checkpointDue || (reason != null && settings.checkpointEvery() > 0)) {
          Snapshot snapshot = state.save();
          run.save(snapshot);
          checkpoints.save(k, snapshot);
        }
      }
    }
    return new Result(
        state.chosen(settings.restoreBest()), state.summary(reason, median(iterationSeconds)));
  }

  private @Nullable String stopReason(TrainingState state) {
    String reason = state.stopReason(settings);
    for (TrainingListener listener : listeners) {
      reason = reason == null ? listener.enough() : reason;
    }
    return reason;
  }

  private boolean isEvaluationDue(int k) {
    return k == settings.iterations()
        || (settings.evaluateEvery() > 0 && k % settings.evaluateEvery() == 0);
  }

  private static IterationRecord record(
      int k, TrainingState state, long size, Step step, Objective train) {
    return new IterationRecord(
        k,
        state.seconds,
        size,
        step.loss(),
        step.damping(),
        step.alpha(),
        step.mu(),
        step.rho(),
        train.phases().drain(),
        train.passes().drain(),
        step.curvature(),
        null);
  }

  private static double median(List<Double> seconds) {
    if (seconds.isEmpty()) {
      return 0;
    }
    double[] sorted = seconds.stream().mapToDouble(each -> each).toArray();
    Arrays.sort(sorted);
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : 0.5 * (sorted[middle - 1] + sorted[middle]);
  }
}
