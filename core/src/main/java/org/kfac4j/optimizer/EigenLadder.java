package org.kfac4j.optimizer;

import org.kfac4j.linalg.Eigen;
import org.kfac4j.linalg.FactorizationException;
import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Precision;

/**
 * Eigenvalues and eigenvectors by all means: as asked, then in float64. The rung is reported and
 * shown.
 *
 * @param rung 0 for a plain success, 1 float64
 */
record EigenLadder(Eigen eigen, int rung) {
  /**
   * @param packed lower triangle of an n × n matrix
   * @param what the matrix is, with its layer, for messages
   * @throws DivergedException if there is no eigendecomposition
   */
  static EigenLadder climb(double[] packed, int n, String what, DenseMachine machine) {
    try {
      return new EigenLadder(machine.factorizations().eigen(packed, n, machine.precision()), 0);
    } catch (FactorizationException notInThisPrecision) {
      // Next rung.
    }
    try (Eigen full = machine.factorizations().eigen(packed, n, Precision.DOUBLE)) {
      Matrix vectors = Matrix.of(machine.precision(), n, n, full.transposed().toArray());
      return new EigenLadder(new Eigen(full.values(), vectors), 1);
    } catch (FactorizationException failed) {
      throw new DivergedException(what + " has no eigendecomposition: " + failed.getMessage());
    }
  }
}
