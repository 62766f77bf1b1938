package org.kfac4j.verify;

import org.kfac4j.data.Hashing;

/**
 * A subspace of the directions of a weight matrix, X = P Z Qᵀ with Z = [k, l], that blocks of d × d
 * numbers are restricted to, because d² of them would be too many: (P ⊗ Q)ᵀ F (P ⊗ Q). Columns of P
 * and Q are orthonormal, at random, or all unit vectors where a layer is small: then nothing is
 * left out. A symmetric matrix stays symmetric, and a positive semidefinite one semidefinite; two
 * equal ones stay equal.
 *
 * @param inputs Pᵀ, row by row, [k, rows]
 * @param gradients Qᵀ, row by row, [l, columns]
 */
record Subspace(double[][] inputs, double[][] gradients) {
  /** Parameters up to which a block is looked at whole: 8 MB of it. */
  private static final int WHOLE = 1024;

  /** Directions at most on either side. */
  private static final int NARROW = 24;

  /** For a matrix of rows × columns. */
  static Subspace of(int rows, int columns, long key) {
    boolean whole = (long) rows * columns <= WHOLE;
    return new Subspace(
        directions(rows, whole ? rows : NARROW, Hashing.key(key, 1)),
        directions(columns, whole ? columns : NARROW, Hashing.key(key, 2)));
  }

  private static double[][] directions(int length, int wanted, long key) {
    int count = Math.min(length, wanted);
    double[][] directions = new double[count][];
    for (int i = 0; i < count; i++) {
      if (count == length) {
        directions[i] = new double[length];
        directions[i][i] = 1;
      } else {
        directions[i] = orthogonal(Vec.normal(Hashing.key(key, i), length), directions, i);
      }
    }
    return directions;
  }

  /** v without its part along the first n directions, twice against rounding, of length 1. */
  private static double[] orthogonal(double[] v, double[][] directions, int n) {
    double[] result = v;
    for (int pass = 0; pass < 2; pass++) {
      for (int i = 0; i < n; i++) {
        result = Vec.plus(result, -Vec.dot(result, directions[i]), directions[i]);
      }
    }
    return Vec.plus(new double[v.length], 1 / Vec.norm(result), result);
  }

  /** Rows and columns of a restricted block. */
  int size() {
    return inputs.length * gradients.length;
  }

  /** Whether nothing is left out. */
  boolean isWhole() {
    return inputs.length == inputs[0].length && gradients.length == gradients[0].length;
  }

  /** For tables: {@code whole}, or the number of directions. */
  String describe() {
    return isWhole() ? "whole" : "%d × %d directions".formatted(inputs.length, gradients.length);
  }
}
