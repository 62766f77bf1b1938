package org.kfac4j;

/** How close is close: relative to the largest number compared, unless a test says otherwise. */
public final class Tolerance {
  /** Identities that hold in exact arithmetic, in float64. */
  public static final double F64 = 1e-10;

  /** Sums that differ by the order of additions and by the rounding of scalars to 40 bits. */
  public static final double SUMS = 1e-12;

  /** Runs of several iterations, whose rounding errors grow. */
  public static final double ITERATIONS = 1e-8;

  /** Numbers that the specification prints with ten digits. */
  public static final double PRINTED = 2e-10;

  /** Central differences with step {@link #STEP} in float64. */
  public static final double DIFFERENCES = 1e-7;

  /** Step of central differences: its square and 2⁻⁵² divided by it are both small. */
  public static final double STEP = 1e-5;

  /** Agreement with DL4J, in either precision. */
  public static final double DL4J = 1e-5;

  /** Arithmetic in float32 against float64. */
  public static final double F32 = 2e-5;

  private Tolerance() {}
}
