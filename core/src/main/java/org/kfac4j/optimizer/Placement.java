package org.kfac4j.optimizer;

/** Where layers' inverses and eigendecompositions are made. */
public enum Placement {
  /** On the driver's cores. */
  DRIVER,
  /** On executors, layer by layer. */
  EXECUTORS,
  /** On executors where there are any and a layer is wide enough to be worth a job of Spark's. */
  AUTO;

  /** Multiplications of the costliest layer from which on {@link #AUTO} uses executors. */
  private static final double WORTH_A_JOB = 4e9;

  boolean usesWorkers(double costliest) {
    return this == EXECUTORS || (this == AUTO && costliest >= WORTH_A_JOB);
  }
}
