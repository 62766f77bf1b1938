package org.kfac4j.verify;

import java.util.Arrays;
import org.kfac4j.Snapshot;
import org.kfac4j.linalg.BlockDiagonalMatrix;
import org.kfac4j.linalg.DiagonalBlocks;
import org.kfac4j.linalg.Precision;

/**
 * (U_A ⊗ U_G) diag(S) (U_A ⊗ U_G)ᵀ: EKFAC's, arXiv:1806.03884 §3.2, TEKFAC's, arXiv:2011.13609;
 * with unit vectors the diagonal.
 *
 * @param a U_Aᵀ
 * @param g U_Gᵀ
 * @param scalings S, laid out as X
 */
record EigenBlock(Square a, Square g, double[] scalings) implements ApproximateBlock {
  /** U_Aᵀ or U_Gᵀ of a saved map. */
  static Square basis(Snapshot saved, String name) {
    try (BlockDiagonalMatrix matrix = BlockDiagonalMatrix.restore(saved, name, Precision.DOUBLE)) {
      DiagonalBlocks blocks = matrix.blocks();
      int n = blocks.size();
      double[] values = matrix.toArray();
      if (blocks.isWhole()) {
        return new Square(n, values);
      }
      double[] all = new double[n * n];
      int at = 0;
      for (int b = 0; b < (blocks.isDiagonal() ? n : blocks.count()); b++) {
        int width = blocks.isDiagonal() ? 1 : blocks.width(b);
        int first = blocks.isDiagonal() ? b : blocks.first(b);
        for (int row = 0; row < width; row++) {
          double[] part = Arrays.copyOfRange(values, at, at + width);
          System.arraycopy(part, 0, all, (first + row) * n + first, width);
          at += width;
        }
      }
      return new Square(n, all);
    }
  }

  @Override
  public double trace() {
    double trace = 0;
    for (double each : scalings) {
      trace += each;
    }
    return trace;
  }

  /** U_A [(U_Aᵀ V U_G) ∘ S] U_Gᵀ. */
  @Override
  public double[] times(double[] v) {
    double[] projected = Square.product(a, v, g.transposed());
    for (int i = 0; i < projected.length; i++) {
      projected[i] *= scalings[i];
    }
    return Square.product(a.transposed(), projected, g);
  }

  /** Σ_ab P_ai P_aj S_ab Q_bk Q_bl with P and Q the directions in the two bases. */
  @Override
  public double[] restricted(Subspace subspace) {
    double[][] p = a.project(subspace.inputs());
    double[][] q = g.project(subspace.gradients());
    int l = q.length;
    int n = subspace.size();
    double[] result = new double[n * n];
    for (int i = 0; i < p.length; i++) {
      for (int j = 0; j < p.length; j++) {
        double[] weights = new double[g.size()];
        for (int row = 0; row < a.size(); row++) {
          double scale = p[i][row] * p[j][row];
          for (int b = 0; scale != 0 && b < weights.length; b++) {
            weights[b] += scale * scalings[row * weights.length + b];
          }
        }
        add(weights, q, result, (i * l) * n + j * l, n);
      }
    }
    return result;
  }

  private static void add(double[] weights, double[][] q, double[] result, int at, int n) {
    for (int k = 0; k < q.length; k++) {
      for (int m = 0; m < q.length; m++) {
        double sum = 0;
        for (int b = 0; b < weights.length; b++) {
          sum += weights[b] * q[k][b] * q[m][b];
        }
        result[at + k * n + m] = sum;
      }
    }
  }
}
