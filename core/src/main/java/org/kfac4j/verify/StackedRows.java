package org.kfac4j.verify;

import java.util.List;
import java.util.function.UnaryOperator;
import org.kfac4j.linalg.Blas;
import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Precision;

/**
 * The rows ā and g of a layer, one below the other, and moments of them by definition, as means
 * over examples: what Kronecker factors, and the moments between layers, are made of.
 *
 * @param rows length of ā
 * @param columns length of g
 * @param inputs [examples · positions, rows] row by row
 * @param gradients [examples · backward passes · positions, columns] row by row
 */
record StackedRows(int examples, int rows, int columns, double[] inputs, double[] gradients) {
  /** All rows. */
  static StackedRows of(LayerRows layer) {
    return of(layer, each -> each, each -> each);
  }

  /**
   * One row for each example and backward pass: the mean of ā over the positions, the sum of g.
   * Eschenhagen et al. 2023, arXiv:2311.00636, eq. 10.
   */
  static StackedRows reduced(LayerRows layer) {
    return of(
        layer,
        each -> sum(each, layer.rows(), 1.0 / layer.positions()),
        each -> sum(each, layer.columns(), 1));
  }

  private static StackedRows of(
      LayerRows layer, UnaryOperator<double[]> ofInputs, UnaryOperator<double[]> ofGradients) {
    List<double[]> inputs =
        layer.examples().stream().map(each -> ofInputs.apply(each.inputs())).toList();
    List<double[]> gradients =
        layer.examples().stream()
            .flatMap(each -> each.gradients().stream())
            .map(ofGradients)
            .toList();
    return new StackedRows(
        layer.examples().size(), layer.rows(), layer.columns(), joined(inputs), joined(gradients));
  }

  /** The sum of rows, times {@code factor}. */
  private static double[] sum(double[] values, int width, double factor) {
    double[] sum = new double[width];
    for (int i = 0; i < values.length; i++) {
      sum[i % width] += factor * values[i];
    }
    return sum;
  }

  private static double[] joined(List<double[]> parts) {
    double[] all = new double[parts.stream().mapToInt(each -> each.length).sum()];
    int at = 0;
    for (double[] each : parts) {
      System.arraycopy(each, 0, all, at, each.length);
      at += each.length;
    }
    return all;
  }

  /** E[Σ ā āᵀ]. */
  Square inputMoment() {
    return moment(inputs, rows);
  }

  /** E[Σ g gᵀ]. */
  Square gradientMoment() {
    return moment(gradients, columns);
  }

  private Square moment(double[] values, int width) {
    try (Matrix x = matrix(values, width);
        Matrix sum = Matrix.zeros(Precision.DOUBLE, width, width)) {
      Blas.multiply(x, true, x, false, 0, sum);
      return new Square(width, sum.toArray()).scaled(1.0 / examples);
    }
  }

  private static Matrix matrix(double[] values, int width) {
    return Matrix.of(Precision.DOUBLE, values.length / width, width, values);
  }

  /** 1ᵀā of every row. */
  double[] inputSums() {
    return rowSums(inputs, rows);
  }

  /** 1ᵀg of every row. */
  double[] gradientSums() {
    return rowSums(gradients, columns);
  }

  private static double[] rowSums(double[] values, int width) {
    double[] sums = new double[values.length / width];
    for (int i = 0; i < values.length; i++) {
      sums[i / width] += values[i];
    }
    return sums;
  }

  /** E[Σ w ā] with a weight w for each row. */
  double[] weightedInputs(double[] weights) {
    return weighted(inputs, rows, weights);
  }

  /** E[Σ w g] with a weight w for each row. */
  double[] weightedGradients(double[] weights) {
    return weighted(gradients, columns, weights);
  }

  private double[] weighted(double[] values, int width, double[] weights) {
    double[] sum = new double[width];
    for (int i = 0; i < values.length; i++) {
      sum[i % width] += weights[i / width] * values[i] / examples;
    }
    return sum;
  }

  /**
   * E[ā_i ā_jᵀ] X E[g_j g_iᵀ] of this layer i and another layer j, whose X it is; both have one row
   * of each example and backward pass.
   */
  double[] times(StackedRows other, double[] x) {
    try (Matrix ai = matrix(inputs, rows);
        Matrix gi = matrix(gradients, columns);
        Matrix aj = matrix(other.inputs, other.rows);
        Matrix gj = matrix(other.gradients, other.columns);
        Matrix in = matrix(x, other.columns);
        Matrix left = Matrix.zeros(Precision.DOUBLE, aj.rows(), other.columns);
        Matrix weights = Matrix.zeros(Precision.DOUBLE, aj.rows(), gj.rows());
        Matrix right = Matrix.zeros(Precision.DOUBLE, aj.rows(), columns);
        Matrix result = Matrix.zeros(Precision.DOUBLE, rows, columns)) {
      Blas.multiply(aj, false, in, false, 0, left);
      Blas.multiply(left, false, gj, true, 0, weights);
      Blas.multiply(weights, false, gi, false, 0, right);
      Blas.multiply(ai, true, right, false, 0, result);
      double[] product = result.toArray();
      for (int i = 0; i < product.length; i++) {
        product[i] /= (double) examples * examples;
      }
      return product;
    }
  }
}
