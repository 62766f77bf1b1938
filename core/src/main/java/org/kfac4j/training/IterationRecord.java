package org.kfac4j.training;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What happened in one iteration; one line of {@code metrics.jsonl}.
 *
 * @param iteration from 1
 * @param seconds since training began, evaluation and checkpoints excluded; goes on counting in a
 *     resumed run
 * @param batchSize examples in the mini-batch
 * @param loss mean over the mini-batch before the update, nats per example, without l2
 * @param damping λ that the update was computed with; null for first-order methods
 * @param alpha coefficient of the preconditioned gradient (or learning rate)
 * @param mu coefficient of the previous update; null if none
 * @param rho reduction ratio; null in iterations that do not compute it
 * @param phaseSeconds seconds by phase: {@code map}, {@code aggregate}, {@code precondition},
 *     {@code inverse}, {@code broadcast}, …
 * @param passSeconds seconds by kind of pass over examples: {@code gradient}, {@code statistics}
 *     (inside of it), {@code products}, {@code loss}, {@code curvature} of the slowest task, and of
 *     each job the {@code rest}, such as {@code "gradient rest"}; empty without Spark
 * @param curvature health of the curvature by "layer figure", for example {@code "layer0 pi"};
 *     empty in iterations without refresh
 * @param evaluation null in iterations without evaluation
 */
public record IterationRecord(
    int iteration,
    double seconds,
    long batchSize,
    double loss,
    @Nullable Double damping,
    @Nullable Double alpha,
    @Nullable Double mu,
    @Nullable Double rho,
    Map<String, Double> phaseSeconds,
    Map<String, Double> passSeconds,
    Map<String, Double> curvature,
    @Nullable Evaluation evaluation) {
  /** Without seconds of passes. */
  public IterationRecord(
      int iteration,
      double seconds,
      long batchSize,
      double loss,
      @Nullable Double damping,
      @Nullable Double alpha,
      @Nullable Double mu,
      @Nullable Double rho,
      Map<String, Double> phaseSeconds,
      Map<String, Double> curvature,
      @Nullable Evaluation evaluation) {
    this(
        iteration,
        seconds,
        batchSize,
        loss,
        damping,
        alpha,
        mu,
        rho,
        phaseSeconds,
        Map.of(),
        curvature,
        evaluation);
  }

  public IterationRecord {
    phaseSeconds = Map.copyOf(phaseSeconds);
    passSeconds = Map.copyOf(passSeconds);
    curvature = Map.copyOf(curvature);
  }

  public IterationRecord with(Evaluation result) {
    return new IterationRecord(
        iteration,
        seconds,
        batchSize,
        loss,
        damping,
        alpha,
        mu,
        rho,
        phaseSeconds,
        passSeconds,
        curvature,
        result);
  }
}
