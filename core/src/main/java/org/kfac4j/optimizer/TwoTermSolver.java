package org.kfac4j.optimizer;

import org.kfac4j.Snapshot;
import org.kfac4j.linalg.Blas;
import org.kfac4j.linalg.Eigen;
import org.kfac4j.linalg.FactorizationException;
import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Packed;
import org.kfac4j.linalg.Precision;

/**
 * Solves A X B ± C X D = V for symmetric matrices, A and B positive definite: with K₁ᵀ A K₁ = I and
 * K₁ᵀ C K₁ = diag s₁, K₂ and s₂ likewise of B and D,
 *
 * <pre>  X = K₁ [(K₁ᵀ V K₂) ⊘ (1 ± s₁ s₂ᵀ)] K₂ᵀ,</pre>
 *
 * arXiv:1503.05671, appendix B. K₁ = R E with A⁻¹ = R Rᵀ and E the eigenvectors of Rᵀ C R.
 */
final class TwoTermSolver implements AutoCloseable {
  /** What may be added to a diagonal for a root to exist, relative to its mean. */
  private static final double[] JITTERS = {0, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3};

  private final Matrix k1;
  private final Matrix k2;
  private final double[] divisor;
  private final int recoveries;

  private TwoTermSolver(Matrix k1, Matrix k2, double[] divisor, int recoveries) {
    this.k1 = k1;
    this.k2 = k2;
    this.divisor = divisor;
    this.recoveries = recoveries;
  }

  /**
   * Does the work that does not depend on V.
   *
   * @param inverseA A⁻¹; left alone
   * @param inverseB B⁻¹; left alone
   * @param c symmetric; the lower triangle is read
   * @param d symmetric; the lower triangle is read
   * @param sign 1 or −1
   * @param layer whose these are, for messages
   * @throws DivergedException if they cannot be decomposed
   */
  static TwoTermSolver of(
      Matrix inverseA,
      Matrix inverseB,
      Matrix c,
      Matrix d,
      int sign,
      String layer,
      DenseMachine machine) {
    Basis one = basis(inverseA, c, "layer " + layer + ": A", machine);
    Basis two = basis(inverseB, d, "layer " + layer + ": G", machine);
    double floor = floor(machine.precision());
    double[] divisor = new double[one.values.length * two.values.length];
    int below = 0;
    for (int i = 0; i < divisor.length; i++) {
      double exact =
          1 + sign * one.values[i / two.values.length] * two.values[i % two.values.length];
      // With "−" this is positive in exact arithmetic: C and D are Schur complements' parts.
      below += exact < floor ? 1 : 0;
      divisor[i] = Math.max(exact, floor);
    }
    return new TwoTermSolver(
        one.k, two.k, divisor, Math.max(below > 0 ? 2 : 0, Math.max(one.rung, two.rung)));
  }

  private record Basis(Matrix k, double[] values, int rung) {}

  /**
   * @param what A or B are, for messages
   */
  private static Basis basis(Matrix inverse, Matrix c, String what, DenseMachine machine) {
    int n = inverse.rows();
    double[] packed = Packed.doubles(inverse);
    int rung = 0;
    Matrix root;
    try {
      root = machine.factorizations().cholesky(packed, n, machine.precision());
    } catch (FactorizationException notInThisPrecision) {
      JitteredRoot found = jittered(packed, n, what, machine);
      root = found.root;
      rung = found.rung;
    }
    try (Matrix r = root;
        Matrix half = Matrix.zeros(machine.precision(), n, n);
        Matrix whole = Matrix.zeros(machine.precision(), n, n)) {
      Blas.multiply(c, false, r, false, 0, half);
      Blas.multiply(r, true, half, false, 0, whole);
      EigenLadder found =
          EigenLadder.climb(
              Packed.doubles(whole), n, what + " with what the next layer explains", machine);
      try (Eigen eigen = found.eigen()) {
        Matrix k = Matrix.zeros(machine.precision(), n, n);
        Blas.multiply(r, false, eigen.transposed(), true, 0, k);
        return new Basis(k, eigen.values(), Math.max(rung, found.rung()));
      }
    }
  }

  /**
   * Divisors are kept above this: eigenvalues are not known better, and a direction that another
   * layer explains nearly all of is damped rather than blown up.
   */
  private static double floor(Precision precision) {
    return precision == Precision.FLOAT ? 1e-4 : 1e-12;
  }

  private record JitteredRoot(Matrix root, int rung) {}

  /**
   * A root in float64, with as little as possible added to the diagonal: an inverse that was
   * rounded to float32 need not be positive definite.
   */
  private static JitteredRoot jittered(double[] packed, int n, String what, DenseMachine machine) {
    double mean = Packed.trace(packed, n) / n;
    for (double jitter : JITTERS) {
      double[] shifted = packed.clone();
      Packed.addToDiagonal(shifted, n, jitter * mean);
      try (Matrix full = machine.factorizations().cholesky(shifted, n, Precision.DOUBLE)) {
        return new JitteredRoot(
            Matrix.of(machine.precision(), n, n, full.toArray()), jitter == 0 ? 1 : 2);
      } catch (FactorizationException notPositive) {
        // Next one.
      }
    }
    throw new DivergedException(what + "⁻¹ has no root");
  }

  /** How far the recovery ladder had to be climbed: 1 float64, 2 more damping. */
  int recoveries() {
    return recoveries;
  }

  /** x ← the solution for v; both [rows of A, rows of B], x may be v. */
  void solve(Matrix v, Matrix x) {
    try (Matrix half = Matrix.zeros(v.precision(), v.rows(), v.columns());
        Matrix whole = Matrix.zeros(v.precision(), v.rows(), v.columns())) {
      Blas.multiply(k1, true, v, false, 0, half);
      Blas.multiply(half, false, k2, false, 0, whole);
      double[] projected = whole.toArray();
      for (int i = 0; i < projected.length; i++) {
        projected[i] /= divisor[i];
      }
      whole.put(0, projected, 0, projected.length);
      Blas.multiply(k1, false, whole, false, 0, half);
      Blas.multiply(half, false, k2, true, 0, x);
    }
  }

  void save(Snapshot snapshot, String prefix) {
    snapshot.put(prefix + "K1", k1.toArray());
    snapshot.put(prefix + "K2", k2.toArray());
    snapshot.put(prefix + "divisor", divisor.clone());
    snapshot.put(prefix + "recoveries", recoveries);
  }

  static TwoTermSolver restore(
      Snapshot snapshot, String prefix, int rows, int columns, DenseMachine machine) {
    Matrix k1 = Matrix.of(machine.precision(), rows, rows, snapshot.doubles(prefix + "K1"));
    Matrix k2 = Matrix.of(machine.precision(), columns, columns, snapshot.doubles(prefix + "K2"));
    return new TwoTermSolver(
        k1,
        k2,
        snapshot.doubles(prefix + "divisor"),
        Math.toIntExact(snapshot.longValue(prefix + "recoveries")));
  }

  @Override
  public void close() {
    k1.close();
    k2.close();
  }
}
