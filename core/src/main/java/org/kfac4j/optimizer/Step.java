package org.kfac4j.optimizer;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What one step of an optimizer did.
 *
 * @param loss mean loss of the batch before the step, without l2
 * @param damping λ that the step was computed with, or null
 * @param alpha coefficient of the (preconditioned) gradient, or the learning rate
 * @param mu coefficient of the previous update, or null
 * @param rho reduction ratio, or null if it was not computed
 * @param curvature health of the curvature after a refresh, by "layer figure"
 */
public record Step(
    double loss,
    @Nullable Double damping,
    double alpha,
    @Nullable Double mu,
    @Nullable Double rho,
    Map<String, Double> curvature) {}
