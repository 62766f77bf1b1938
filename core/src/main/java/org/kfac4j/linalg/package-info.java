/**
 * Matrices on the device and what is computed with them: products, packed triangles, inverses and
 * eigendecompositions of symmetric matrices. The only package, with the network's kernels, that
 * knows where arrays live.
 */
@NullMarked
package org.kfac4j.linalg;

import org.jspecify.annotations.NullMarked;
