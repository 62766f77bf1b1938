package org.kfac4j.optimizer;

import org.kfac4j.Snapshot;
import org.kfac4j.curvature.KroneckerFactors;
import org.kfac4j.linalg.Blas;
import org.kfac4j.linalg.Matrix;

/**
 * V ↦ A⁻¹ V G⁻¹. Two matrices to work in are kept, because allocating them costs a good part of a
 * product.
 *
 * @param a A⁻¹
 * @param g G⁻¹
 */
record KroneckerInverse(Matrix a, Matrix g, int recoveries, Matrix gradient, Matrix half)
    implements LinearMap {
  KroneckerInverse(Matrix a, Matrix g, int recoveries) {
    this(
        a,
        g,
        recoveries,
        Matrix.zeros(a.precision(), a.rows(), g.rows()),
        Matrix.zeros(a.precision(), a.rows(), g.rows()));
  }

  /** (A + a I)⁻¹ ⊗ (G + g I)⁻¹ with A and G packed, by all means. */
  static KroneckerInverse of(
      KroneckerFactors factors, double inputShift, double gradientShift, DenseMachine machine) {
    RecoveryLadder a = RecoveryLadder.climb(factors.inputs(), factors.rows(), inputShift, machine);
    RecoveryLadder g =
        RecoveryLadder.climb(factors.gradients(), factors.columns(), gradientShift, machine);
    return new KroneckerInverse(a.inverse(), g.inverse(), Math.max(a.rung(), g.rung()));
  }

  static KroneckerInverse restore(
      Snapshot snapshot, String prefix, int rows, int columns, DenseMachine machine) {
    Matrix a = Matrix.of(machine.precision(), rows, rows, snapshot.doubles(prefix + "A"));
    Matrix g = Matrix.of(machine.precision(), columns, columns, snapshot.doubles(prefix + "G"));
    return new KroneckerInverse(a, g, Math.toIntExact(snapshot.longValue(prefix + "recoveries")));
  }

  @Override
  public void apply(double[] v, int offset, double[] result) {
    int length = a.rows() * g.rows();
    gradient.put(0, v, offset, length);
    Blas.multiply(a, false, gradient, false, 0, half);
    Blas.multiply(half, false, g, false, 0, gradient);
    gradient.get(0, result, offset, length);
  }

  @Override
  public void save(Snapshot snapshot, String prefix) {
    snapshot.put(prefix + "A", a.toArray());
    snapshot.put(prefix + "G", g.toArray());
    snapshot.put(prefix + "recoveries", recoveries);
  }

  @Override
  public void close() {
    a.close();
    g.close();
    gradient.close();
    half.close();
  }
}
