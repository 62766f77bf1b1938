/**
 * Jobs: one main class each, for {@code ./kfac4j} and spark-submit. They read settings, wire the
 * parts together, run and report.
 */
@NullMarked
package org.kfac4j.jobs;

import org.jspecify.annotations.NullMarked;
