/**
 * kfac4j: second-order training of neural networks, on one JVM or on Apache Spark. What every
 * package may use.
 */
@NullMarked
package org.kfac4j;

import org.jspecify.annotations.NullMarked;
