package org.kfac4j.linalg;

import java.io.Serializable;

/**
 * Dense factorisations of symmetric matrices: the second seam between kfac4j and a device.
 * Implementations are stateless.
 */
public interface Factorizations extends Serializable {
  /**
   * (S + shift I)⁻¹, full, by Cholesky.
   *
   * @param packed S, n × n, a packed lower triangle; left alone
   * @throws FactorizationException if S + shift I is not positive definite in {@code precision}
   */
  Matrix inverse(double[] packed, int n, double shift, Precision precision);

  /**
   * Eigenvalues and eigenvectors of S.
   *
   * @param packed S, n × n, a packed lower triangle; left alone
   * @throws FactorizationException if the iteration fails
   */
  Eigen eigen(double[] packed, int n, Precision precision);

  /**
   * L with S = L Lᵀ, zero above the diagonal.
   *
   * @param packed S, n × n, a packed lower triangle; left alone
   * @throws FactorizationException if S is not positive definite in {@code precision}
   */
  Matrix cholesky(double[] packed, int n, Precision precision);
}
