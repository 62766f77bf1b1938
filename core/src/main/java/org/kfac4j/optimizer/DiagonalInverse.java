package org.kfac4j.optimizer;

import org.kfac4j.Snapshot;
import org.kfac4j.curvature.DiagonalStatistics;

/**
 * Division by the diagonal of a block's Fisher matrix, v ↦ v ⊘ (diag F + λ + η).
 *
 * @param divisor positive
 */
record DiagonalInverse(double[] divisor) implements LinearMap {
  static DiagonalInverse of(DiagonalStatistics statistics, double strength) {
    double[] divisor = statistics.fisher().clone();
    for (int i = 0; i < divisor.length; i++) {
      divisor[i] = Math.max(divisor[i] + strength, Double.MIN_NORMAL);
    }
    return new DiagonalInverse(divisor);
  }

  static DiagonalInverse restore(Snapshot snapshot, String prefix) {
    return new DiagonalInverse(snapshot.doubles(prefix + "D").clone());
  }

  @Override
  public void apply(double[] v, int offset, double[] result) {
    for (int i = 0; i < divisor.length; i++) {
      result[offset + i] = v[offset + i] / divisor[i];
    }
  }

  @Override
  public int recoveries() {
    return 0;
  }

  @Override
  public void save(Snapshot snapshot, String prefix) {
    snapshot.put(prefix + "D", divisor.clone());
  }

  @Override
  public void close() {
    // Holds nothing but a heap array.
  }
}
