/**
 * Whether what kfac4j computes for a given network, weights and sample of examples is right:
 * identities that must hold, checked in float64 against computations that share as little as can be
 * with what they check, and how good the approximations of the Fisher matrix are there. No Spark.
 *
 * <p>Symbols: ā and g are a layer's rows of inputs (with a trailing 1 for the bias) and gradients,
 * X its weights, [rows, columns], Y = Σ_t ā_t g_tᵀ the gradient of one example, F its Fisher block
 * E[vec(Y) vec(Y)ᵀ] and F̂ what a preconditioner takes for it.
 */
@NullMarked
package org.kfac4j.verify;

import org.jspecify.annotations.NullMarked;
