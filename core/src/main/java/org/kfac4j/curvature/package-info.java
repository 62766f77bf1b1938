/**
 * What is summed over examples: loss, gradient, Kronecker second moments, exact Fisher products.
 * Sums travel and merge by addition; the driver divides once. In the papers' symbols: ā is a
 * layer's input with the homogeneous coordinate, g the gradient of one example's loss with respect
 * to the layer's output s, A = E[ā āᵀ], G = E[g gᵀ].
 */
@NullMarked
package org.kfac4j.curvature;

import org.jspecify.annotations.NullMarked;
