package org.kfac4j.network;

/**
 * Some of a layer's parameters, which curvature looks at apart from all others: a matrix [rows,
 * columns], row by row in θ.
 *
 * @param hasBias whether the last row is the bias
 */
public record LayerPart(int rows, int columns, boolean hasBias, ParameterRole role) {
  /** Number of parameters. */
  public int size() {
    return Math.multiplyExact(rows, columns);
  }
}
