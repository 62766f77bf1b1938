package org.kfac4j.verify;

import java.util.List;
import org.kfac4j.optimizer.LinearMap;

/**
 * F̂ u of a chain of dense layers, F̂⁻¹ = Ξᵀ Λ Ξ block-tridiagonal, arXiv:1503.05671 §4.3, without
 * its inverse: with C_i the block of F̃ between layers i and i + 1, F̃_i its damped block of layer
 * i and Ψ_i = C_i F̃_{i+1}⁻¹,
 *
 * <pre>  Ξ⁻ᵀ: Z_1 = U_1,  Z_{i+1} = U_{i+1} + Ψ_iᵀ Z_i
 *  Λ⁻¹: W_i = F̃_i Z_i − C_i Ψ_iᵀ Z_i,  the last one F̃ Z
 *  Ξ⁻¹: X_i = W_i + Ψ_i X_{i+1},  the last one W</pre>
 *
 * C_i is made of the examples' rows, and nothing is factorised but in the maps F̃_i⁻¹, which are
 * K-FAC's and are checked by themselves.
 *
 * @param blocks F̃_i, not damped
 * @param strengths what damps them
 * @param inverses F̃_i⁻¹
 * @param rows one of each example and backward pass
 */
record ChainProduct(
    List<KroneckerBlock> blocks,
    List<Double> strengths,
    List<LinearMap> inverses,
    List<StackedRows> rows) {
  /**
   * @param u layer by layer
   */
  List<double[]> times(List<double[]> u) {
    int last = u.size() - 1;
    double[][] x = new double[u.size()][];
    double[] z = u.get(0);
    for (int i = 0; i < last; i++) {
      double[] through = inverse(i + 1, cross(i + 1, i, z));
      x[i] = Vec.plus(damped(i, z), -1, cross(i, i + 1, through));
      z = Vec.plus(u.get(i + 1), 1, through);
    }
    x[last] = damped(last, z);
    for (int i = last - 1; i >= 0; i--) {
      x[i] = Vec.plus(x[i], 1, cross(i, i + 1, inverse(i + 1, x[i + 1])));
    }
    return List.of(x);
  }

  private double[] damped(int i, double[] v) {
    return blocks.get(i).damped(v, strengths.get(i), true);
  }

  private double[] inverse(int i, double[] v) {
    double[] result = new double[v.length];
    inverses.get(i).apply(v, 0, result);
    return result;
  }

  /** The block of F̃ between layers i and j, times V. */
  private double[] cross(int i, int j, double[] v) {
    return rows.get(i).times(rows.get(j), v);
  }
}
