package org.kfac4j.verify;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.kfac4j.curvature.SumNames;
import org.kfac4j.curvature.Sums;
import org.kfac4j.linalg.Blas;
import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Precision;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;

/**
 * The rows ā and g of a layer that its Fisher block is made of, F = (1/N) Σ vec(Y) vec(Y)ᵀ over
 * examples and backward passes, Y = Σ_t ā_t g_tᵀ; and what is to be known of F, by definition.
 *
 * @param rows length of ā
 * @param columns length of g
 * @param positions rows ā of an example
 */
record LayerRows(int rows, int columns, int positions, List<Example> examples) {
  /**
   * @param inputs ā at all positions
   * @param gradients g at all positions, one array for each backward pass
   */
  record Example(double[] inputs, List<double[]> gradients) {}

  /** Those of a block of weights that {@code sums} holds. */
  static LayerRows of(Sums sums, Network network, ParameterBlock block) {
    int positions = network.layers().get(block.layer()).outputShape().positions();
    int split = positions * block.rows();
    int pass = positions * block.columns();
    List<Example> examples = new ArrayList<>();
    for (double[] all : sums.rows(SumNames.rows(block))) {
      List<double[]> gradients = new ArrayList<>();
      for (int at = split; at < all.length; at += pass) {
        gradients.add(java.util.Arrays.copyOfRange(all, at, at + pass));
      }
      examples.add(new Example(java.util.Arrays.copyOf(all, split), gradients));
    }
    return new LayerRows(block.rows(), block.columns(), positions, examples);
  }

  /** Rows P ā and Q g, with P and Q row by row. */
  LayerRows projected(double[][] p, double[][] q) {
    List<Example> projected = new ArrayList<>();
    for (Example example : examples) {
      projected.add(
          new Example(
              project(example.inputs, rows, p),
              example.gradients.stream().map(each -> project(each, columns, q)).toList()));
    }
    return new LayerRows(p.length, q.length, positions, projected);
  }

  private double[] project(double[] values, int width, double[][] directions) {
    double[] flat = new double[directions.length * width];
    for (int i = 0; i < directions.length; i++) {
      System.arraycopy(directions[i], 0, flat, i * width, width);
    }
    try (Matrix x = Matrix.of(Precision.DOUBLE, positions, width, values);
        Matrix d = Matrix.of(Precision.DOUBLE, directions.length, width, flat);
        Matrix result = Matrix.zeros(Precision.DOUBLE, positions, directions.length)) {
      Blas.multiply(x, false, d, true, 0, result);
      return result.toArray();
    }
  }

  /** Has {@code work} done with every Y, row by row; arrays are not to be kept. */
  private void forGradients(Consumer<double[]> work) {
    for (Example example : examples) {
      try (Matrix a = Matrix.of(Precision.DOUBLE, positions, rows, example.inputs);
          Matrix y = Matrix.zeros(Precision.DOUBLE, rows, columns)) {
        for (double[] each : example.gradients) {
          try (Matrix g = Matrix.of(Precision.DOUBLE, positions, columns, each)) {
            Blas.multiply(a, true, g, false, 0, y);
          }
          work.accept(y.toArray());
        }
      }
    }
  }

  /** tr F = E‖Y‖². */
  double trace() {
    double[] sum = new double[1];
    forGradients(y -> sum[0] += Vec.dot(y, y));
    return sum[0] / examples.size();
  }

  /** E[Σ_t ‖ā_t‖²‖g_t‖²]: tr F if different positions have nothing to do with each other. */
  double traceOfPositions() {
    double sum = 0;
    for (Example example : examples) {
      for (double[] g : example.gradients) {
        for (int t = 0; t < positions; t++) {
          sum +=
              Vec.dot(example.inputs, example.inputs, t * rows, (t + 1) * rows)
                  * Vec.dot(g, g, t * columns, (t + 1) * columns);
        }
      }
    }
    return sum / examples.size();
  }

  /** The diagonal of F, E[Y∘Y], laid out as X. */
  double[] diagonal() {
    double[] sum = new double[rows * columns];
    forGradients(
        y -> {
          for (int i = 0; i < y.length; i++) {
            sum[i] += y[i] * y[i] / examples.size();
          }
        });
    return sum;
  }

  /** vᵀ F v, v laid out as X. */
  double product(double[] v) {
    double[] sum = new double[1];
    forGradients(
        y -> {
          double slope = Vec.dot(y, v);
          sum[0] += slope * slope;
        });
    return sum[0] / examples.size();
  }

  /** F v, v laid out as X. */
  double[] times(double[] v) {
    double[] sum = new double[v.length];
    forGradients(
        y -> {
          double slope = Vec.dot(y, v) / examples.size();
          for (int i = 0; i < y.length; i++) {
            sum[i] += slope * y[i];
          }
        });
    return sum;
  }

  /** F, row by row; of few parameters only. */
  double[] fisher() {
    int n = rows * columns;
    double[] fisher = new double[n * n];
    forGradients(
        y -> {
          for (int i = 0; i < n; i++) {
            double scale = y[i] / examples.size();
            for (int j = 0; scale != 0 && j < n; j++) {
              fisher[i * n + j] += scale * y[j];
            }
          }
        });
    return fisher;
  }
}
