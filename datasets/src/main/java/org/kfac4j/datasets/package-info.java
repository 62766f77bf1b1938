/**
 * Data sets: one {@link org.kfac4j.data.DataSource} per file, and {@link DataSources}, the table of
 * them. Nothing here knows of Spark; files are read through {@link org.kfac4j.data.Storage}.
 */
@NullMarked
package org.kfac4j.datasets;

import org.jspecify.annotations.NullMarked;
