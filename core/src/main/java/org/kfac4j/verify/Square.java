package org.kfac4j.verify;

import org.kfac4j.linalg.Blas;
import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Precision;

/**
 * A square matrix in float64.
 *
 * @param values row by row; not changed
 */
record Square(int size, double[] values) {
  double at(int row, int column) {
    return values[row * size + column];
  }

  double trace() {
    double trace = 0;
    for (int i = 0; i < size; i++) {
      trace += at(i, i);
    }
    return trace;
  }

  /** This + s I. */
  Square shifted(double s) {
    double[] shifted = values.clone();
    for (int i = 0; i < size; i++) {
      shifted[i * size + i] += s;
    }
    return new Square(size, shifted);
  }

  /** s times this. */
  Square scaled(double s) {
    double[] scaled = values.clone();
    for (int i = 0; i < scaled.length; i++) {
      scaled[i] *= s;
    }
    return new Square(size, scaled);
  }

  /** D M Dᵀ for directions d_i, the rows of D. */
  Square between(double[][] directions) {
    int k = directions.length;
    double[] result = new double[k * k];
    for (int i = 0; i < k; i++) {
      double[] moved = new double[size];
      for (int row = 0; row < size; row++) {
        double scale = directions[i][row];
        for (int column = 0; scale != 0 && column < size; column++) {
          moved[column] += scale * at(row, column);
        }
      }
      for (int j = 0; j < k; j++) {
        result[i * k + j] = Vec.dot(moved, directions[j]);
      }
    }
    return new Square(k, result);
  }

  /** Its rows. */
  double[][] rows() {
    double[][] rows = new double[size][];
    for (int i = 0; i < size; i++) {
      rows[i] = java.util.Arrays.copyOfRange(values, i * size, (i + 1) * size);
    }
    return rows;
  }

  /** Column {@code k} of Dᵀ, D this: (D d)_k for every direction d, [directions, size]. */
  double[][] project(double[][] directions) {
    double[][] projected = new double[directions.length][size];
    for (int i = 0; i < directions.length; i++) {
      for (int row = 0; row < size; row++) {
        projected[i][row] = Vec.dot(rowOf(row), directions[i]);
      }
    }
    return projected;
  }

  private double[] rowOf(int row) {
    return java.util.Arrays.copyOfRange(values, row * size, (row + 1) * size);
  }

  Square transposed() {
    double[] transposed = new double[values.length];
    for (int i = 0; i < size; i++) {
      for (int j = 0; j < size; j++) {
        transposed[j * size + i] = values[i * size + j];
      }
    }
    return new Square(size, transposed);
  }

  /** M v. */
  double[] times(double[] v) {
    double[] product = new double[size];
    for (int row = 0; row < size; row++) {
      product[row] = Vec.dot(rowOf(row), v);
    }
    return product;
  }

  /** L V R, V = [L's size, R's size] row by row. */
  static double[] product(Square left, double[] v, Square right) {
    int m = left.size;
    int n = right.size;
    try (Matrix l = Matrix.of(Precision.DOUBLE, m, m, left.values);
        Matrix r = Matrix.of(Precision.DOUBLE, n, n, right.values);
        Matrix x = Matrix.of(Precision.DOUBLE, m, n, v);
        Matrix half = Matrix.zeros(Precision.DOUBLE, m, n)) {
      Blas.multiply(l, false, x, false, 0, half);
      Blas.multiply(half, false, r, false, 0, x);
      return x.toArray();
    }
  }
}
