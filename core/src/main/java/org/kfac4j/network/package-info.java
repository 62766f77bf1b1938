/**
 * Networks: a chain of layers over one flat parameter vector, and losses that are negative
 * log-likelihoods of one example.
 *
 * <p>A dense layer's parameters are the matrix X = [nIn + 1, nOut] row by row, the bias as last
 * row: X is the transpose of the papers' W = [nOut, nIn + 1], and its flat form is cvec(W).
 * Activations are kept with a last column of ones, the papers' homogeneous coordinate.
 */
@NullMarked
package org.kfac4j.network;

import org.jspecify.annotations.NullMarked;
