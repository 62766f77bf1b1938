package org.kfac4j.optimizer;

import org.kfac4j.Snapshot;
import org.kfac4j.curvature.ExactStatistics;
import org.kfac4j.linalg.Blas;
import org.kfac4j.linalg.Matrix;

/**
 * The inverse of a block's whole Fisher matrix, v ↦ (F + (λ + η) I)⁻¹ v.
 *
 * @param vector to work in
 * @param product to work in
 */
record ExactInverse(Matrix inverse, int recoveries, Matrix vector, Matrix product)
    implements LinearMap {
  private ExactInverse(Matrix inverse, int recoveries) {
    this(
        inverse,
        recoveries,
        Matrix.zeros(inverse.precision(), inverse.rows(), 1),
        Matrix.zeros(inverse.precision(), inverse.rows(), 1));
  }

  static ExactInverse of(ExactStatistics statistics, double strength, DenseMachine machine) {
    RecoveryLadder ladder =
        RecoveryLadder.climb(statistics.fisher(), statistics.n(), strength, machine);
    return new ExactInverse(ladder.inverse(), ladder.rung());
  }

  static ExactInverse restore(Snapshot snapshot, String prefix, int n, DenseMachine machine) {
    Matrix inverse = Matrix.zeros(machine.precision(), n, n);
    double[] saved = snapshot.doubles(prefix + "F");
    inverse.put(0, saved, 0, saved.length);
    return new ExactInverse(inverse, Math.toIntExact(snapshot.longValue(prefix + "recoveries")));
  }

  @Override
  public void apply(double[] v, int offset, double[] result) {
    int n = inverse.rows();
    vector.put(0, v, offset, n);
    Blas.multiply(inverse, false, vector, false, 0, product);
    product.get(0, result, offset, n);
  }

  @Override
  public void save(Snapshot snapshot, String prefix) {
    snapshot.put(prefix + "F", inverse.toArray());
    snapshot.put(prefix + "recoveries", recoveries);
  }

  @Override
  public void close() {
    inverse.close();
    vector.close();
    product.close();
  }
}
