package org.kfac4j.verify;

import java.util.Arrays;
import java.util.List;
import org.kfac4j.network.Network.ParameterBlock;

/**
 * The coarse problem of two-level K-FAC by definition, arXiv:2011.00573: with row i of R₀ one on
 * layer i's weights and zero elsewhere,
 *
 * <pre>  F_c = R₀ F̃ R₀ᵀ,   F̃_ii damped,   F̃_ij = s_i s_j E[ā_i ā_jᵀ] ⊗ E[g_i g_jᵀ]</pre>
 *
 * of the examples' rows; s_i is 1 where there is one position, else what makes F̃_ij for j = i
 * agree with the block of layer i in 1ᵀ F̃ 1.
 *
 * @param weights the blocks of weights
 * @param fine what is taken for their Fisher blocks, not damped
 * @param damping what damps them
 * @param rows one of each example and backward pass
 * @param scales s
 */
record CoarseProblem(
    List<ParameterBlock> weights,
    List<KroneckerBlock> fine,
    Damping damping,
    List<StackedRows> rows,
    double[] scales) {
  /** A share of what a sum of numbers of both signs might be, below which it is rounding. */
  private static final double NOTHING = 1e-12;

  /**
   * @param strengths of each block
   * @param factored whether the damping is
   */
  record Damping(List<Double> strengths, boolean factored) {}

  static CoarseProblem of(List<LayerFisher> layers, List<KroneckerBlock> fine, Damping damping) {
    List<StackedRows> rows =
        layers.stream().map(layer -> StackedRows.reduced(layer.rows())).toList();
    double[] scales = new double[layers.size()];
    for (int i = 0; i < scales.length; i++) {
      boolean several = layers.get(i).rows().positions() > 1;
      scales[i] = several ? scale(fine.get(i), rows.get(i)) : 1;
    }
    return new CoarseProblem(
        layers.stream().map(LayerFisher::block).toList(), fine, damping, rows, scales);
  }

  private static double scale(KroneckerBlock block, StackedRows rows) {
    int n = block.a().size() * block.g().size();
    double wanted = sum(block.times(ones(n)));
    double moment = moment(rows, rows);
    return moment > NOTHING * block.trace() * n && wanted > 0 ? Math.sqrt(wanted / moment) : 1;
  }

  private static double[] ones(int n) {
    double[] ones = new double[n];
    Arrays.fill(ones, 1);
    return ones;
  }

  private static double sum(double[] v) {
    return Arrays.stream(v).sum();
  }

  /** 1ᵀ E[ā_i ā_jᵀ] 1 · 1ᵀ E[g_i g_jᵀ] 1. */
  private static double moment(StackedRows i, StackedRows j) {
    return Vec.dot(i.inputSums(), j.inputSums())
        / i.examples()
        * Vec.dot(i.gradientSums(), j.gradientSums())
        / i.examples();
  }

  /** F_c. */
  double[][] matrix() {
    int n = weights.size();
    double[][] matrix = new double[n][n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        matrix[i][j] =
            i == j
                ? sum(damped(i, ones(weights.get(i).shape().size())))
                : scales[i] * scales[j] * moment(rows.get(i), rows.get(j));
      }
    }
    return matrix;
  }

  private double[] damped(int i, double[] v) {
    return fine.get(i).damped(v, damping.strengths.get(i), damping.factored);
  }

  /** R₀ v. */
  double[] restricted(double[] v) {
    double[] sums = new double[weights.size()];
    Arrays.setAll(sums, i -> sum(part(v, i)));
    return sums;
  }

  private double[] part(double[] v, int i) {
    return Arrays.copyOfRange(v, weights.get(i).offset(), weights.get(i).end());
  }

  /** R₀ F̃ u. */
  double[] restrictedProduct(double[] u) {
    double[] product = new double[weights.size()];
    for (int i = 0; i < product.length; i++) {
      for (int j = 0; j < product.length; j++) {
        product[i] += i == j ? sum(damped(i, part(u, i))) : between(i, j, part(u, j));
      }
    }
    return product;
  }

  /** 1ᵀ F̃_ij u_j = s_i s_j (1ᵀ E[ā_i ā_jᵀ]) U_j (E[g_j g_iᵀ] 1). */
  private double between(int i, int j, double[] u) {
    double[] a = rows.get(j).weightedInputs(rows.get(i).inputSums());
    double[] g = rows.get(j).weightedGradients(rows.get(i).gradientSums());
    double sum = 0;
    for (int k = 0; k < u.length; k++) {
      sum += a[k / g.length] * u[k] * g[k % g.length];
    }
    return scales[i] * scales[j] * sum;
  }
}
