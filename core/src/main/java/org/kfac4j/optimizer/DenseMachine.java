package org.kfac4j.optimizer;

import java.io.Serializable;
import org.kfac4j.linalg.Factorizations;
import org.kfac4j.linalg.Precision;

/**
 * With what the driver computes on curvature.
 *
 * @param threads layers that are worked on at a time
 */
public record DenseMachine(Factorizations factorizations, Precision precision, int threads)
    implements Serializable {}
