package org.kfac4j.curvature;

import static org.kfac4j.curvature.ExampleRows.squaredNorm;

import java.util.Arrays;
import java.util.function.ToDoubleBiFunction;
import org.kfac4j.Dense;
import org.kfac4j.Jacobi;

/**
 * One layer's Fisher block and two factors of it with their eigenvectors, all in full and made by
 * loops over examples and positions.
 *
 * @param fisher F, with what an example's positions have in common
 * @param inputs A, or √δ Φ
 * @param gradients G, or √δ Ψ
 * @param basis U_Aᵀ ⊗ U_Gᵀ: row i is an eigenvector of A ⊗ G
 */
public record FullBlock(
    double[][] fisher, double[][] inputs, double[][] gradients, double[][] basis) {
  /** With K-FAC's factors, for convolutions KFC's: Ω is a sum over positions and Γ a mean. */
  public static FullBlock kfac(ExampleRows rows) {
    ExampleRows.Example first = rows.examples().get(0);
    double[][] a = moment(rows, true, (x, y) -> 1);
    double[][] g = moment(rows, false, (x, y) -> 1);
    return of(
        rows,
        Dense.scaled(1.0 / first.gradients().size(), a), // a backward pass has no inputs of its own
        Dense.scaled(1.0 / first.inputs().length, g));
  }

  /** With TKFAC's factors. */
  public static FullBlock tkfac(ExampleRows rows) {
    double scale = 1 / Math.sqrt(trace(rows));
    return of(
        rows,
        Dense.scaled(scale, moment(rows, true, (a, g) -> squaredNorm(g))),
        Dense.scaled(scale, moment(rows, false, (a, g) -> squaredNorm(a))));
  }

  private static FullBlock of(ExampleRows rows, double[][] inputs, double[][] gradients) {
    double[][] basis = Dense.kronecker(Jacobi.of(inputs).vectors(), Jacobi.of(gradients).vectors());
    return new FullBlock(rows.fisher(), inputs, gradients, basis);
  }

  /** δ = E[Σ_t ‖ā_t‖² ‖g_t‖²]. */
  public static double trace(ExampleRows rows) {
    double sum = 0;
    for (ExampleRows.Example example : rows.examples()) {
      for (double[][] pass : example.gradients()) {
        for (int t = 0; t < pass.length; t++) {
          sum += squaredNorm(example.inputs()[t]) * squaredNorm(pass[t]);
        }
      }
    }
    return sum / rows.examples().size();
  }

  /** E[Σ_t w_t x_t x_tᵀ], with x_t the rows ā or g. */
  private static double[][] moment(
      ExampleRows rows, boolean ofInputs, ToDoubleBiFunction<double[], double[]> weight) {
    ExampleRows.Example first = rows.examples().get(0);
    int n = ofInputs ? first.inputs()[0].length : first.gradients().get(0)[0].length;
    double[][] sum = Dense.zeros(n, n);
    for (ExampleRows.Example example : rows.examples()) {
      for (double[][] pass : example.gradients()) {
        for (int t = 0; t < pass.length; t++) {
          double[] a = example.inputs()[t];
          double[] x = ofInputs ? a : pass[t];
          double w = weight.applyAsDouble(a, pass[t]);
          sum = Dense.plus(sum, Dense.scaled(w, Dense.outer(x, x)));
        }
      }
    }
    return Dense.scaled(1.0 / rows.examples().size(), sum);
  }

  /** The same in a basis that somebody else has found. */
  public FullBlock in(double[][] other) {
    return new FullBlock(fisher, inputs, gradients, other);
  }

  /** A ⊗ G, or δ Φ ⊗ Ψ. */
  public double[][] product() {
    return Dense.kronecker(inputs, gradients);
  }

  /** The factors' eigenvalues s_A s_Gᵀ, or δ λ_Φ λ_Ψᵀ. */
  public double[] products() {
    return diagonal(product());
  }

  /** The eigenvalues that are best in the basis, E[(U_Aᵀ Y U_G)∘²]. */
  public double[] best() {
    return diagonal(fisher);
  }

  private double[] diagonal(double[][] matrix) {
    return Arrays.stream(basis).mapToDouble(q -> Dense.dot(q, Dense.times(matrix, q))).toArray();
  }

  /** The matrix with these eigenvalues in the basis. */
  public double[][] matrix(double[] eigenvalues) {
    double[][] scaled = new double[basis.length][];
    Arrays.setAll(scaled, i -> Dense.scaled(eigenvalues[i], basis[i]));
    return Dense.times(Dense.transposed(basis), scaled);
  }

  /** Its squared distance to F. */
  public double error(double[] eigenvalues) {
    return Dense.squares(Dense.minus(fisher, matrix(eigenvalues)));
  }
}
