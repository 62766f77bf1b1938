package org.kfac4j.optimizer;

import org.kfac4j.Snapshot;
import org.kfac4j.curvature.KroneckerFactors;
import org.kfac4j.linalg.Blas;
import org.kfac4j.linalg.Eigen;
import org.kfac4j.linalg.FactorizationException;
import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Precision;

/**
 * K-FAC with exact Tikhonov damping in the factors' eigenbases: V ↦ U_A [(U_Aᵀ V U_G) ⊘ (s_A s_Gᵀ +
 * λ)] U_Gᵀ = (A ⊗ G + λ I)⁻¹ V, eigenvalues clamped at 0. The form of most implementations for
 * stochastic training (KAISA, Pauloski et al. 2021, arXiv:2107.01739).
 */
public record EigenPreconditioner() implements Preconditioner {
  @Override
  public LinearMap factor(
      KroneckerFactors factors, double strength, String layer, DenseMachine machine) {
    EigenWithRung a = eigen(factors.inputs(), factors.rows(), "A", layer, machine);
    EigenWithRung g = eigen(factors.gradients(), factors.columns(), "G", layer, machine);
    double[] divisor = new double[factors.rows() * factors.columns()];
    for (int row = 0; row < factors.rows(); row++) {
      for (int column = 0; column < factors.columns(); column++) {
        divisor[row * factors.columns() + column] =
            Math.max(a.eigen.values()[row], 0) * Math.max(g.eigen.values()[column], 0) + strength;
      }
    }
    return new EigenInverse(
        a.eigen.transposed(), g.eigen.transposed(), divisor, Math.max(a.rung, g.rung));
  }

  private record EigenWithRung(Eigen eigen, int rung) {}

  private static EigenWithRung eigen(
      double[] packed, int n, String factor, String layer, DenseMachine machine) {
    try {
      return new EigenWithRung(machine.factorizations().eigen(packed, n, machine.precision()), 0);
    } catch (FactorizationException notInThisPrecision) {
      // Retry in float64.
    }
    try {
      Eigen full = machine.factorizations().eigen(packed, n, Precision.DOUBLE);
      Matrix vectors = Matrix.zeros(machine.precision(), n, n);
      double[] values = full.transposed().toArray();
      vectors.put(0, values, 0, values.length);
      full.close();
      return new EigenWithRung(new Eigen(full.values(), vectors), 1);
    } catch (FactorizationException failed) {
      throw new DivergedException(
          "layer " + layer + ": no eigendecomposition of " + factor + ": " + failed.getMessage());
    }
  }

  @Override
  public LinearMap restore(
      Snapshot snapshot, String prefix, int rows, int columns, DenseMachine machine) {
    Matrix a = Matrix.zeros(machine.precision(), rows, rows);
    Matrix g = Matrix.zeros(machine.precision(), columns, columns);
    double[] inputs = snapshot.doubles(prefix + "UA");
    double[] gradients = snapshot.doubles(prefix + "UG");
    a.put(0, inputs, 0, inputs.length);
    g.put(0, gradients, 0, gradients.length);
    return new EigenInverse(
        a,
        g,
        snapshot.doubles(prefix + "divisor"),
        Math.toIntExact(snapshot.longValue(prefix + "recoveries")));
  }

  @Override
  public boolean hasGamma() {
    return false;
  }

  @Override
  public String describe() {
    return "Kronecker, eigen";
  }

  /** a and g hold eigenvectors as rows: U_Aᵀ and U_Gᵀ. */
  private record EigenInverse(Matrix a, Matrix g, double[] divisor, int recoveries)
      implements LinearMap {
    @Override
    public void apply(double[] v, int offset, double[] result) {
      int length = divisor.length;
      try (Matrix x = Matrix.zeros(a.precision(), a.rows(), g.rows());
          Matrix y = Matrix.zeros(a.precision(), a.rows(), g.rows())) {
        x.put(0, v, offset, length);
        Blas.multiply(a, false, x, false, 0, y);
        Blas.multiply(y, false, g, true, 0, x);
        double[] projected = new double[length];
        x.get(0, projected, 0, length);
        for (int i = 0; i < length; i++) {
          projected[i] /= divisor[i];
        }
        x.put(0, projected, 0, length);
        Blas.multiply(a, true, x, false, 0, y);
        Blas.multiply(y, false, g, false, 0, x);
        x.get(0, result, offset, length);
      }
    }

    @Override
    public void save(Snapshot snapshot, String prefix) {
      snapshot.put(prefix + "UA", a.toArray());
      snapshot.put(prefix + "UG", g.toArray());
      snapshot.put(prefix + "divisor", divisor.clone());
      snapshot.put(prefix + "recoveries", recoveries);
    }

    @Override
    public void close() {
      a.close();
      g.close();
    }
  }
}
