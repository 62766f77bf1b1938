package org.kfac4j.training;

import org.jspecify.annotations.Nullable;

/**
 * How a run ended.
 *
 * @param reason {@code iterations}, {@code target}, {@code patience} or {@code seconds}
 * @param iterations done in total
 * @param seconds of training, evaluation and checkpoints excluded
 * @param medianIterationSeconds over this process's iterations
 * @param bestIteration of the best evaluation, 0 if there was none
 * @param best the best evaluation
 * @param last the last evaluation
 */
public record RunSummary(
    String reason,
    int iterations,
    double seconds,
    double medianIterationSeconds,
    int bestIteration,
    @Nullable Evaluation best,
    @Nullable Evaluation last) {}
