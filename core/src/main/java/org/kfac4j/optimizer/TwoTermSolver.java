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
  /** Divisors are kept above this many units in the last place of the precision. */
  private static final double FLOOR = 8;

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
   */
  static TwoTermSolver of(
      Matrix inverseA, Matrix inverseB, Matrix c, Matrix d, int sign, DenseMachine machine) {
    Basis one = basis(inverseA, c, machine);
    Basis two = basis(inverseB, d, machine);
    double floor = FLOOR * (machine.precision() == Precision.FLOAT ? Math.ulp(1f) : Math.ulp(1.0));
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

  private static Basis basis(Matrix inverse, Matrix c, DenseMachine machine) {
    int n = inverse.rows();
    double[] packed = Packed.doubles(inverse);
    int rung = 0;
    Matrix root;
    try {
      root = machine.factorizations().cholesky(packed, n, machine.precision());
    } catch (FactorizationException notInThisPrecision) {
      rung = 1;
      try (Matrix full = machine.factorizations().cholesky(packed, n, Precision.DOUBLE)) {
        root = Matrix.zeros(machine.precision(), n, n);
        double[] values = full.toArray();
        root.put(0, values, 0, values.length);
      }
    }
    try (Matrix r = root;
        Matrix half = Matrix.zeros(machine.precision(), n, n);
        Matrix whole = Matrix.zeros(machine.precision(), n, n)) {
      Blas.multiply(c, false, r, false, 0, half);
      Blas.multiply(r, true, half, false, 0, whole);
      try (Eigen eigen =
          machine.factorizations().eigen(Packed.doubles(whole), n, machine.precision())) {
        Matrix k = Matrix.zeros(machine.precision(), n, n);
        Blas.multiply(r, false, eigen.transposed(), true, 0, k);
        return new Basis(k, eigen.values(), rung);
      }
    }
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
    Matrix k1 = Matrix.zeros(machine.precision(), rows, rows);
    Matrix k2 = Matrix.zeros(machine.precision(), columns, columns);
    double[] one = snapshot.doubles(prefix + "K1");
    double[] two = snapshot.doubles(prefix + "K2");
    k1.put(0, one, 0, one.length);
    k2.put(0, two, 0, two.length);
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
