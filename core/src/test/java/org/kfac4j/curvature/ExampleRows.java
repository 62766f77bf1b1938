package org.kfac4j.curvature;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.kfac4j.Dense;
import org.kfac4j.Problem;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.WeightSharing;

/**
 * The rows ā and g that curvature is made of, on the heap, for sums to be written down as loops.
 *
 * @param examples of each example its rows ā, [positions, rows], and of each backward pass its rows
 *     g, [positions, columns]
 */
public record ExampleRows(List<Example> examples) {
  public record Example(double[][] inputs, List<double[][]> gradients) {
    /** Σ_t ā_t g_tᵀ of a backward pass: the gradient with respect to X. */
    public double[][] gradient(int pass) {
      return Dense.times(Dense.transposed(inputs), gradients.get(pass));
    }
  }

  /** Of one block of weights, all examples of a problem. */
  public static ExampleRows of(
      Problem problem, double[] theta, FisherType fisher, ParameterBlock block) {
    BlockForms forms =
        new BlockForms(
            BlockForm.ROWS, Coupling.NONE, WeightSharing.KFC, BlockForm.EXACT, false, 1_000_000);
    Sums sums =
        problem.sums(
            theta, new Request.Curvature(new Request.Statistics(problem.all(), fisher, 7, forms)));
    int positions = problem.network().layers().get(block.layer()).outputShape().positions();
    List<Example> examples = new ArrayList<>();
    for (double[] rows : sums.rows(SumNames.rows(block))) {
      int split = positions * block.rows();
      List<double[][]> gradients = new ArrayList<>();
      for (int at = split; at < rows.length; at += positions * block.columns()) {
        gradients.add(Dense.matrix(rows, at, positions, block.columns()));
      }
      examples.add(new Example(Dense.matrix(rows, 0, positions, block.rows()), gradients));
    }
    return new ExampleRows(examples);
  }

  /** E[Σ_t w_t x_t x_tᵀ] over examples and passes, with a weight and a row for each. */
  public interface Row {
    double weight(double[] a, double[] g);

    double[] row(double[] a, double[] g);
  }

  public double[][] moment(int n, Row what) {
    double[][] sum = Dense.zeros(n, n);
    for (Example example : examples) {
      for (double[][] pass : example.gradients) {
        for (int t = 0; t < pass.length; t++) {
          double[] a = example.inputs[t];
          double[] x = what.row(a, pass[t]);
          sum = Dense.plus(sum, Dense.scaled(what.weight(a, pass[t]), Dense.outer(x, x)));
        }
      }
    }
    return Dense.scaled(1.0 / examples.size(), sum);
  }

  private int positions() {
    return examples.get(0).inputs.length;
  }

  /** A as {@link WeightSharing} defines it. */
  public double[][] inputMoment(WeightSharing sharing) {
    double positions = positions();
    double[][] sum = zeros(examples.get(0).inputs);
    for (Example example : examples) {
      for (double[] a : shared(example.inputs, sharing)) {
        sum = Dense.plus(sum, Dense.outer(a, a));
      }
    }
    double scale =
        switch (sharing) {
          case KFC -> 1;
          case EXPAND -> 1 / positions;
          case REDUCE -> 1 / (positions * positions);
        };
    return Dense.scaled(scale / examples.size(), sum);
  }

  /** G as {@link WeightSharing} defines it. */
  public double[][] gradientMoment(WeightSharing sharing) {
    double[][] sum = zeros(examples.get(0).gradients.get(0));
    for (Example example : examples) {
      for (double[][] pass : example.gradients) {
        for (double[] g : shared(pass, sharing)) {
          sum = Dense.plus(sum, Dense.outer(g, g));
        }
      }
    }
    double scale = sharing == WeightSharing.KFC ? 1.0 / positions() : 1;
    return Dense.scaled(scale / examples.size(), sum);
  }

  private static double[][] zeros(double[][] rows) {
    return Dense.zeros(rows[0].length, rows[0].length);
  }

  private static double[][] shared(double[][] rows, WeightSharing sharing) {
    return sharing == WeightSharing.REDUCE ? new double[][] {total(rows)} : rows;
  }

  /** Σ over positions. */
  public static double[] total(double[][] rows) {
    double[] total = new double[rows[0].length];
    for (double[] row : rows) {
      total = Dense.plus(total, row);
    }
    return total;
  }

  /** The block's Fisher matrix, E[u uᵀ] with u the gradient of one example. */
  public double[][] fisher() {
    double[][] sum = null;
    for (Example example : examples) {
      for (int pass = 0; pass < example.gradients.size(); pass++) {
        double[] u = Dense.flat(example.gradient(pass));
        sum = sum == null ? Dense.outer(u, u) : Dense.plus(sum, Dense.outer(u, u));
      }
    }
    return Dense.scaled(1.0 / examples.size(), sum);
  }

  /**
   * E[Σ_t vec(ā_t g_tᵀ) vec(ā_t g_tᵀ)ᵀ]: the Fisher matrix without what positions have in common.
   */
  public double[][] expanded() {
    int rows = examples.get(0).inputs[0].length;
    int columns = examples.get(0).gradients.get(0)[0].length;
    return moment(
        rows * columns,
        new Row() {
          @Override
          public double weight(double[] a, double[] g) {
            return 1;
          }

          @Override
          public double[] row(double[] a, double[] g) {
            return Dense.flat(Dense.outer(a, g));
          }
        });
  }

  public static double squaredNorm(double[] v) {
    return Arrays.stream(v).map(x -> x * x).sum();
  }
}
