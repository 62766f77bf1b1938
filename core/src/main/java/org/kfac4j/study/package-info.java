/**
 * The scaling study: how many iterations, examples and seconds an optimizer needs to reach a target
 * as the batch grows (arXiv:1903.06237, arXiv:1811.03600). Pure arithmetic on finished runs, and
 * what is said and drawn of it; running them is a job's.
 *
 * <p>Symbols: B batch size, B₀ the smallest one, k optimizer steps to a target, k* the fewest of a
 * grid, S speedup. A run that ends before it reaches a target is <i>censored</i> there: it is
 * counted and shown, and never enters a minimum, a quotient or a fit as a number.
 */
@NullMarked
package org.kfac4j.study;

import org.jspecify.annotations.NullMarked;
