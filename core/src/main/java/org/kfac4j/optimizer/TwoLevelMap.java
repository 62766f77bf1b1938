package org.kfac4j.optimizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.kfac4j.Snapshot;
import org.kfac4j.curvature.KroneckerFactors;
import org.kfac4j.curvature.SumNames;
import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Packed;
import org.kfac4j.linalg.Precision;
import org.kfac4j.network.Network.ParameterBlock;

/**
 * K-FAC's map of every block, and a correction of one number per block of weights (Nicolaides'
 * coarse space: row i of R₀ is one on block i and zero elsewhere). The matrix is F̃ with F̃_ii =
 * A_i ⊗ G_i damped as the fine map has it, and
 *
 * <pre>  F̃_ij = s_i s_j E[ā_i ā_jᵀ] ⊗ E[g_i g_jᵀ],   F_c = R₀ F̃ R₀ᵀ</pre>
 *
 * where s_i is 1 for dense layers. For layers with several positions, whose moments with other
 * layers are those of means over positions of ā and sums of g, s_i² is the ratio of 1ᵀ A_i 1 · 1ᵀ
 * G_i 1 to what these moments give for i = j: F_c is then positive semi-definite, a product of Gram
 * matrices between two diagonal ones.
 */
final class TwoLevelMap implements NetworkMap {
  /** A sum of numbers of both signs is taken for zero below this share of what it might be. */
  private static final double NOTHING = 1e-12;

  private final TwoLevelPreconditioner settings;
  private final BlockDiagonalMap fine;
  private final List<ParameterBlock> weights;

  /** F_c⁻¹, row by row. */
  private final double[] inverse;

  private final int rung;

  /** Of block j and every block i, s_i s_j E[(1ᵀā_i) ā_j] and E[(1ᵀg_i) g_j]. */
  private final List<double[]> inputs;

  private final List<double[]> gradients;

  private TwoLevelMap(
      TwoLevelPreconditioner settings,
      NetworkParts parts,
      double[] inverse,
      int rung,
      List<double[]> inputs,
      List<double[]> gradients) {
    this.settings = settings;
    this.fine = new BlockDiagonalMap(parts);
    this.weights = parts.network().weightBlocks();
    this.inverse = inverse;
    this.rung = rung;
    this.inputs = inputs;
    this.gradients = gradients;
  }

  static TwoLevelMap of(TwoLevelPreconditioner settings, NetworkParts parts) {
    List<ParameterBlock> weights = parts.network().weightBlocks();
    int n = weights.size();
    List<double[]> inputs = new ArrayList<>();
    List<double[]> gradients = new ArrayList<>();
    for (ParameterBlock block : weights) {
      inputs.add(parts.coupling().mean(SumNames.coarseInputs(block)).clone());
      gradients.add(parts.coupling().mean(SumNames.coarseGradients(block)).clone());
    }
    double[][] moments = new double[n][n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        moments[i][j] = rowSum(inputs.get(j), i, n) * rowSum(gradients.get(j), i, n);
      }
    }
    double[] scales = new double[n];
    double[] packed = new double[Packed.length(n)];
    int at = 0;
    List<ParameterBlock> blocks = parts.network().blocks();
    for (int i = 0; i < n; i++) {
      int block = blocks.indexOf(weights.get(i));
      KroneckerFactors factors = (KroneckerFactors) parts.statistics().get(block);
      double a = sum(factors.inputs(), factors.rows());
      double g = sum(factors.gradients(), factors.columns());
      boolean several =
          parts.network().layers().get(weights.get(i).layer()).outputShape().positions() > 1;
      scales[i] = several ? scale(factors, a * g, moments[i][i]) : 1;
      for (int j = 0; j < i; j++) {
        packed[at++] = scales[i] * scales[j] * 0.5 * (moments[i][j] + moments[j][i]);
      }
      packed[at++] = damped(settings.fine(), factors, a, g, parts.strengths()[block]);
    }
    for (int j = 0; j < n; j++) {
      int length = weights.get(j).rows();
      for (int k = 0; k < inputs.get(j).length; k++) {
        inputs.get(j)[k] *= scales[k / length] * scales[j];
      }
    }
    DenseMachine exact = new DenseMachine(parts.machine().factorizations(), Precision.DOUBLE, 1);
    RecoveryLadder ladder = RecoveryLadder.climb(packed, n, 0, exact);
    try (Matrix solved = ladder.inverse()) {
      return new TwoLevelMap(settings, parts, solved.toArray(), ladder.rung(), inputs, gradients);
    }
  }

  /** s, 1 where there is nothing but rounding to divide by. */
  private static double scale(KroneckerFactors factors, double fine, double moment) {
    double largest = factors.fisherTrace() * factors.rows() * factors.columns();
    return moment > NOTHING * largest && fine > 0 ? Math.sqrt(fine / moment) : 1;
  }

  /** 1ᵀ F̃_ii 1, damped. */
  private static double damped(
      Preconditioner fine, KroneckerFactors factors, double a, double g, double strength) {
    if (!fine.hasGamma()) {
      return a * g + strength * factors.rows() * factors.columns();
    }
    double gamma = Math.sqrt(strength);
    double pi = factors.pi();
    return (a + pi * gamma * factors.rows()) * (g + gamma / pi * factors.columns());
  }

  /** 1ᵀ S 1 of a packed symmetric matrix. */
  private static double sum(double[] packed, int n) {
    return 2 * Arrays.stream(packed).sum() - Packed.trace(packed, n);
  }

  private static double rowSum(double[] matrix, int row, int rows) {
    int length = matrix.length / rows;
    double sum = 0;
    for (int k = row * length; k < (row + 1) * length; k++) {
      sum += matrix[k];
    }
    return sum;
  }

  @Override
  public double[] apply(double[] v) {
    double[] u = fine.apply(v);
    double[] right = new double[weights.size()];
    for (int i = 0; i < right.length; i++) {
      right[i] =
          settings.correction() == TwoLevelPreconditioner.Correction.ADDITIVE
              ? settings.weight() * sum(v, weights.get(i))
              : residual(u, i);
    }
    for (int i = 0; i < right.length; i++) {
      double correction = 0;
      for (int j = 0; j < right.length; j++) {
        correction += inverse[i * right.length + j] * right[j];
      }
      for (int k = weights.get(i).offset(); k < weights.get(i).end(); k++) {
        u[k] += correction;
      }
    }
    return u;
  }

  private static double sum(double[] v, ParameterBlock block) {
    double sum = 0;
    for (int k = block.offset(); k < block.end(); k++) {
      sum += v[k];
    }
    return sum;
  }

  /**
   * (R₀ (v − F̃ u))_i with u_j = F̃_jj⁻¹ v_j: what is left are the other blocks' parts, each −(1ᵀ
   * E[ā_i ā_jᵀ]) U_j (E[g_j g_iᵀ] 1).
   */
  private double residual(double[] u, int i) {
    double sum = 0;
    for (int j = 0; j < weights.size(); j++) {
      if (j == i) {
        continue;
      }
      ParameterBlock block = weights.get(j);
      int c = block.columns();
      double[] a = inputs.get(j);
      double[] g = gradients.get(j);
      for (int row = 0; row < block.rows(); row++) {
        double product = 0;
        for (int column = 0; column < c; column++) {
          product += u[block.offset() + row * c + column] * g[i * c + column];
        }
        sum -= a[i * block.rows() + row] * product;
      }
    }
    return sum;
  }

  @Override
  public int recoveries() {
    return rung;
  }

  @Override
  public void save(Snapshot snapshot) {
    snapshot.put("coarse inverse", inverse.clone());
    snapshot.put("coarse rung", rung);
    for (int j = 0; j < inputs.size(); j++) {
      snapshot.put("coarse inputs " + j, inputs.get(j).clone());
      snapshot.put("coarse gradients " + j, gradients.get(j).clone());
    }
  }

  static TwoLevelMap restore(
      TwoLevelPreconditioner settings, NetworkParts parts, Snapshot snapshot) {
    List<double[]> inputs = new ArrayList<>();
    List<double[]> gradients = new ArrayList<>();
    for (int j = 0; j < parts.network().weightBlocks().size(); j++) {
      inputs.add(snapshot.doubles("coarse inputs " + j));
      gradients.add(snapshot.doubles("coarse gradients " + j));
    }
    return new TwoLevelMap(
        settings,
        parts,
        snapshot.doubles("coarse inverse"),
        Math.toIntExact(snapshot.longValue("coarse rung")),
        inputs,
        gradients);
  }
}
