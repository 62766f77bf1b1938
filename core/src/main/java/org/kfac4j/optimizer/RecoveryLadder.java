package org.kfac4j.optimizer;

import org.kfac4j.linalg.FactorizationException;
import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Packed;
import org.kfac4j.linalg.Precision;

/**
 * Inverts a damped factor by all means: as asked, in float64, with up to a million times more
 * damping, by its diagonal alone, and if even that fails not at all (the identity: plain gradient).
 * The rung is reported and shown; nothing is silent.
 *
 * @param inverse of the damped factor
 * @param rung 0 for a plain success, 1 float64, 2 more damping, 3 diagonal, 4 identity
 */
record RecoveryLadder(Matrix inverse, int rung) {
  static final int MORE_DAMPING = 2;
  static final int IDENTITY = 4;

  private static final double MORE = 10;
  private static final int TRIES = 6;

  /**
   * (S + shift I)⁻¹ or the nearest that can be had.
   *
   * @param packed S, n × n
   */
  static RecoveryLadder climb(double[] packed, int n, double shift, DenseMachine machine) {
    Precision precision = machine.precision();
    try {
      return new RecoveryLadder(machine.factorizations().inverse(packed, n, shift, precision), 0);
    } catch (FactorizationException notInThisPrecision) {
      // Next rung.
    }
    double more = shift;
    for (int attempt = 0; attempt <= TRIES; attempt++) {
      try (Matrix inverse = machine.factorizations().inverse(packed, n, more, Precision.DOUBLE)) {
        return new RecoveryLadder(converted(inverse, precision), attempt == 0 ? 1 : MORE_DAMPING);
      } catch (FactorizationException notDampedEnough) {
        more = Math.max(more, smallestShift(Packed.trace(packed, n), n)) * MORE;
      }
    }
    return diagonal(packed, n, shift, precision);
  }

  /** What is little beside the mean of a matrix's diagonal. */
  static double smallestShift(double trace, int n) {
    double scale = Math.abs(trace) / n;
    return Double.isFinite(scale) ? Math.max(scale * 1e-12, Double.MIN_NORMAL) : 1;
  }

  private static Matrix converted(Matrix matrix, Precision precision) {
    Matrix copy = Matrix.zeros(precision, matrix.rows(), matrix.columns());
    double[] values = matrix.toArray();
    copy.put(0, values, 0, values.length);
    return copy;
  }

  private static RecoveryLadder diagonal(
      double[] packed, int n, double shift, Precision precision) {
    double[] inverse = new double[n];
    int rung = 3;
    for (int i = 0; i < n; i++) {
      double entry = packed[Packed.length(i + 1) - 1] + shift;
      if (!(entry > 0) || !Double.isFinite(entry)) {
        rung = IDENTITY;
        break;
      }
      inverse[i] = 1 / entry;
    }
    Matrix matrix = Matrix.zeros(precision, n, n);
    for (int i = 0; i < n; i++) {
      matrix.put((long) i * n + i, new double[] {rung == IDENTITY ? 1 : inverse[i]}, 0, 1);
    }
    return new RecoveryLadder(matrix, rung);
  }
}
