package org.kfac4j.verify;

/** How close is close, in float64. Errors are relative to the size of what is compared. */
final class Tolerances {
  /** Sums that differ by the order of additions and by the rounding of scalars to 40 bits. */
  static final double SUMS = 1e-10;

  /** Identities that hold in exact arithmetic. */
  static final double EXACT = 1e-9;

  /** Derivatives by {@link Differences}. */
  static final double DIFFERENCES = 1e-6;

  /**
   * An inverse times its matrix: rounding grows by the condition number, which the damping keeps
   * below the number of rows times columns.
   */
  static final double INVERSE = 1e-7;

  /** A negative eigenvalue of what has none, relative to the trace. */
  static final double NEGATIVE = 1e-12;

  /** Outputs of DL4J in float64, whose operations round some constants to float32. */
  static final double DL4J = 1e-5;

  private Tolerances() {}
}
