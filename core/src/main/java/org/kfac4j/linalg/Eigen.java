package org.kfac4j.linalg;

/**
 * S = U diag(values) Uᵀ.
 *
 * @param values ascending
 * @param transposed Uᵀ: row i is the eigenvector of values[i]
 */
public record Eigen(double[] values, Matrix transposed) implements AutoCloseable {
  @Override
  public void close() {
    transposed.close();
  }
}
