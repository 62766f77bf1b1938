/** Training: what an optimizer may ask of data, the loop, what listens to it, and checkpoints. */
@NullMarked
package org.kfac4j.training;

import org.jspecify.annotations.NullMarked;
