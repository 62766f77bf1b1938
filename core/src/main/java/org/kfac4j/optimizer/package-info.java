/**
 * Optimizers: settings are immutable records, a run of one holds its state. An optimizer asks an
 * {@link org.kfac4j.optimizer.Objective} for sums and never sees where the data is.
 */
@NullMarked
package org.kfac4j.optimizer;

import org.jspecify.annotations.NullMarked;
