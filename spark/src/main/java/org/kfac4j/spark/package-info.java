/**
 * kfac4j on Apache Spark: examples in a cached RDD, sums by treeAggregate, files by Hadoop. Knows
 * no mathematics.
 */
@NullMarked
package org.kfac4j.spark;

import org.jspecify.annotations.NullMarked;
