/**
 * Studies of how training scales, and what iterations cost on clusters: a model of one iteration,
 * fitted to measured runs.
 */
@NullMarked
package org.kfac4j.study;

import org.jspecify.annotations.NullMarked;
