package org.kfac4j.optimizer;

import java.util.Arrays;
import java.util.List;
import org.kfac4j.curvature.RowWindow;
import org.kfac4j.linalg.Blas;
import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Precision;
import org.kfac4j.linalg.Rowwise;

/**
 * The damped curvature of one layer as products with the rows that it is made of: 𝒜 = [n, rows]
 * and 𝒢 = [m, columns], scaled so that A = 𝒜ᵀ𝒜 and G = 𝒢ᵀ𝒢. Takes memory for the rows and for
 * a few matrices of the gradient's shape. Used by one thread.
 */
abstract class CgOperator implements AutoCloseable {
  final Matrix inputs;
  final int rows;
  final int columns;
  final Matrix x;
  final Matrix y;

  private CgOperator(Matrix inputs, int columns) {
    this.inputs = inputs;
    this.rows = inputs.columns();
    this.columns = columns;
    this.x = Matrix.zeros(inputs.precision(), rows, columns);
    this.y = Matrix.zeros(inputs.precision(), rows, columns);
  }

  static CgOperator of(
      CgfacPreconditioner.Operator kind, RowWindow window, double strength, DenseMachine machine) {
    return kind == CgfacPreconditioner.Operator.KRONECKER
        ? new Kronecker(window, strength, machine.precision())
        : new Fisher(window, strength, machine.precision());
  }

  /** Writes the operator's product with {@code v} to {@code product}; both laid out as X. */
  abstract void apply(double[] v, double[] product);

  /** The diagonal that residuals are divided by. */
  abstract double[] diagonal();

  @Override
  public void close() {
    inputs.close();
    x.close();
    y.close();
  }

  /** All rows ā, each batch's times the root of weight / examples. */
  private static Matrix inputRows(RowWindow window, Precision precision) {
    int positions = window.positions();
    int examples = window.batches().stream().mapToInt(each -> each.examples().size()).sum();
    Matrix matrix = Matrix.zeros(precision, examples * positions, window.rows());
    long at = 0;
    for (RowWindow.Rows batch : window.batches()) {
      double scale = Math.sqrt(batch.weight() / batch.examples().size());
      for (double[] example : batch.examples()) {
        double[] scaled = new double[window.inputNumbers()];
        for (int i = 0; i < scaled.length; i++) {
          scaled[i] = scale * example[i];
        }
        matrix.put(at, scaled, 0, scaled.length);
        at += scaled.length;
      }
    }
    return matrix;
  }

  /** Σ of the squares, column by column. */
  private static double[] squares(Matrix matrix) {
    double[] sums = new double[matrix.columns()];
    double[] row = new double[matrix.columns()];
    for (int i = 0; i < matrix.rows(); i++) {
      matrix.get((long) i * matrix.stride(), row, 0, row.length);
      for (int j = 0; j < row.length; j++) {
        sums[j] += row[j] * row[j];
      }
    }
    return sums;
  }

  private static double sum(double[] v) {
    double sum = 0;
    for (double each : v) {
      sum += each;
    }
    return sum;
  }

  /** X ↦ (A + πγ I) X (G + γ/π I), with π of the factors' traces. */
  private static final class Kronecker extends CgOperator {
    private final Matrix gradients;
    private final Matrix half;
    private final Matrix other;
    private final double inputShift;
    private final double gradientShift;
    private final double[] diagonal;

    Kronecker(RowWindow window, double strength, Precision precision) {
      super(inputRows(window, precision), window.columns());
      this.gradients = gradientRows(window, precision);
      this.half = Matrix.zeros(precision, inputs.rows(), columns);
      this.other = Matrix.zeros(precision, rows, gradients.rows());
      double[] a = squares(inputs);
      double[] g = squares(gradients);
      double gamma = Math.sqrt(strength);
      double meanA = sum(a) / rows;
      double meanG = sum(g) / columns;
      double pi = meanA > 0 && meanG > 0 ? Math.sqrt(meanA / meanG) : 1;
      this.inputShift = pi * gamma;
      this.gradientShift = gamma / pi;
      this.diagonal = new double[rows * columns];
      for (int i = 0; i < diagonal.length; i++) {
        diagonal[i] = (a[i / columns] + inputShift) * (g[i % columns] + gradientShift);
      }
    }

    /** All rows g, scaled as KFC does: a mean over positions. */
    private static Matrix gradientRows(RowWindow window, Precision precision) {
      int count = 0;
      for (RowWindow.Rows batch : window.batches()) {
        for (double[] example : batch.examples()) {
          count += (example.length - window.inputNumbers()) / window.columns();
        }
      }
      Matrix matrix = Matrix.zeros(precision, count, window.columns());
      long at = 0;
      for (RowWindow.Rows batch : window.batches()) {
        double scale = Math.sqrt(batch.weight() / batch.examples().size() / window.positions());
        for (double[] example : batch.examples()) {
          double[] scaled = new double[example.length - window.inputNumbers()];
          for (int i = 0; i < scaled.length; i++) {
            scaled[i] = scale * example[window.inputNumbers() + i];
          }
          matrix.put(at, scaled, 0, scaled.length);
          at += scaled.length;
        }
      }
      return matrix;
    }

    @Override
    void apply(double[] v, double[] product) {
      x.put(0, v, 0, v.length);
      // Y = X G + γ/π X, then A Y + πγ Y.
      Blas.multiply(x, false, gradients, true, 0, other);
      Blas.multiply(other, false, gradients, false, 0, y);
      Blas.add(gradientShift, x, y);
      Blas.multiply(inputs, false, y, false, 0, half);
      Blas.multiply(inputs, true, half, false, 0, x);
      Blas.add(inputShift, y, x);
      x.get(0, product, 0, product.length);
    }

    @Override
    double[] diagonal() {
      return diagonal;
    }

    @Override
    public void close() {
      super.close();
      gradients.close();
      half.close();
      other.close();
    }
  }

  /**
   * X ↦ F X + λ X with F = Σ over examples and backward passes of vec(Y) vec(Y)ᵀ, Y = Σ_t ā_t g_tᵀ:
   * every example's ⟨Y, X⟩ = Σ_t ā_tᵀ X g_t first.
   */
  private static final class Fisher extends CgOperator {
    private final int positions;
    private final double strength;

    /** Of each example, rows g of one backward pass after the other, not scaled. */
    private final List<double[]> gradients;

    private final Matrix half;
    private final double[] diagonal;

    Fisher(RowWindow window, double strength, Precision precision) {
      super(inputRows(window, precision), window.columns());
      this.positions = window.positions();
      this.strength = strength;
      this.gradients =
          window.batches().stream()
              .flatMap(batch -> batch.examples().stream())
              .map(example -> Arrays.copyOfRange(example, window.inputNumbers(), example.length))
              .toList();
      this.half = Matrix.zeros(precision, inputs.rows(), columns);
      this.diagonal = makeDiagonal();
    }

    /** Σ ā∘² g∘²ᵀ + λ: the diagonal itself with one position, and like it with more. */
    private double[] makeDiagonal() {
      double[] squares = new double[inputs.rows() * columns];
      for (int example = 0; example < gradients.size(); example++) {
        double[] g = gradients.get(example);
        int each = positions * columns;
        for (int i = 0; i < g.length; i++) {
          squares[example * each + i % each] += g[i] * g[i];
        }
      }
      half.put(0, squares, 0, squares.length);
      double[] result = new double[rows * columns];
      try (Matrix a = Matrix.zeros(inputs.precision(), inputs.rows(), rows)) {
        Rowwise.copy(inputs, a);
        Rowwise.square(a);
        Blas.multiply(a, true, half, false, 0, x);
      }
      x.get(0, result, 0, result.length);
      for (int i = 0; i < result.length; i++) {
        result[i] += strength;
      }
      return result;
    }

    @Override
    void apply(double[] v, double[] product) {
      x.put(0, v, 0, v.length);
      Blas.multiply(inputs, false, x, false, 0, half);
      int each = positions * columns;
      double[] values = new double[each];
      double[] combined = new double[each];
      for (int example = 0; example < gradients.size(); example++) {
        half.get((long) example * each, values, 0, each);
        Arrays.fill(combined, 0);
        double[] g = gradients.get(example);
        for (int pass = 0; pass < g.length; pass += each) {
          double b = 0;
          for (int i = 0; i < each; i++) {
            b += values[i] * g[pass + i];
          }
          for (int i = 0; i < each; i++) {
            combined[i] += b * g[pass + i];
          }
        }
        half.put((long) example * each, combined, 0, each);
      }
      Blas.multiply(inputs, true, half, false, 0, y);
      Blas.add(strength, x, y);
      y.get(0, product, 0, product.length);
    }

    @Override
    double[] diagonal() {
      return diagonal;
    }

    @Override
    public void close() {
      super.close();
      half.close();
    }
  }
}
