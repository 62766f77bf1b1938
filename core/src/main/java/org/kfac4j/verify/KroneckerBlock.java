package org.kfac4j.verify;

import org.kfac4j.curvature.FactorStatistics;
import org.kfac4j.curvature.KroneckerFactors;
import org.kfac4j.linalg.DiagonalBlocks;
import org.kfac4j.network.WeightSharing;

/**
 * A ⊗ G of K-FAC, arXiv:1503.05671 eq. 1, or √δΦ ⊗ √δΨ of TKFAC, arXiv:2011.10741 eq. 4.9.
 *
 * @param a symmetric, [rows, rows]
 * @param g symmetric, [columns, columns]
 * @param pi how damping is split between the two
 */
record KroneckerBlock(Square a, Square g, double pi) implements ApproximateBlock {
  /** What statistics say; where factors are cut into blocks or to a diagonal, zero elsewhere. */
  static KroneckerBlock of(FactorStatistics statistics) {
    KroneckerFactors factors = statistics.factors();
    return new KroneckerBlock(
        square(factors.inputs(), factors.inputBlocks()),
        square(factors.gradients(), factors.gradientBlocks()),
        statistics.pi());
  }

  /** By definition, of a layer's rows. */
  static KroneckerBlock of(LayerRows layer, WeightSharing sharing) {
    int positions = layer.positions();
    StackedRows rows =
        sharing == WeightSharing.REDUCE ? StackedRows.reduced(layer) : StackedRows.of(layer);
    Square a = rows.inputMoment().scaled(sharing == WeightSharing.EXPAND ? 1.0 / positions : 1);
    Square g = rows.gradientMoment().scaled(sharing == WeightSharing.KFC ? 1.0 / positions : 1);
    return new KroneckerBlock(a, g, pi(a, g));
  }

  /** √((tr A / rows) / (tr G / columns)), 1 where there is nothing to split by. */
  private static double pi(Square a, Square g) {
    double ratio = a.trace() / a.size() / (g.trace() / g.size());
    return ratio > 0 && Double.isFinite(ratio) ? Math.sqrt(ratio) : 1;
  }

  private static Square square(double[] packed, DiagonalBlocks blocks) {
    int n = blocks.size();
    double[] values = new double[n * n];
    if (blocks.isDiagonal()) {
      for (int i = 0; i < n; i++) {
        values[i * n + i] = packed[i];
      }
      return new Square(n, values);
    }
    for (int b = 0; b < blocks.count(); b++) {
      double[] block = blocks.block(packed, b);
      int first = blocks.first(b);
      for (int row = 0, at = 0; row < blocks.width(b); row++) {
        for (int column = 0; column <= row; column++, at++) {
          values[(first + row) * n + first + column] = block[at];
          values[(first + column) * n + first + row] = block[at];
        }
      }
    }
    return new Square(n, values);
  }

  /** (A + s I) ⊗ (G + t I). */
  KroneckerBlock shifted(double s, double t) {
    return new KroneckerBlock(a.shifted(s), g.shifted(t), pi);
  }

  @Override
  public double trace() {
    return a.trace() * g.trace();
  }

  /** A V G. */
  @Override
  public double[] times(double[] v) {
    return Square.product(a, v, g);
  }

  @Override
  public double[] restricted(Subspace subspace) {
    Square p = a.between(subspace.inputs());
    Square q = g.between(subspace.gradients());
    int n = subspace.size();
    int l = q.size();
    double[] result = new double[n * n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        result[i * n + j] = p.at(i / l, j / l) * q.at(i % l, j % l);
      }
    }
    return result;
  }
}
