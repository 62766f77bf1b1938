package org.kfac4j.curvature;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.kfac4j.network.Loss;
import org.kfac4j.network.Targets;

/**
 * Sums of a loss over rows that have weights, Σ w L.
 *
 * @param weights of the rows, or null if all are 1
 */
record WeightedLoss(Loss loss, float @Nullable [] weights) {
  private interface OfRow {
    double of(double[] z, Targets target, int row);
  }

  double value(double[] z, Targets targets, int n) {
    return weights == null
        ? loss.value(z, targets, n)
        : sum(z, targets, n, (row, target, i) -> loss.value(row, target, 1));
  }

  /** g ← w ∂L/∂z for each row; returns Σ w L. */
  double gradient(double[] z, Targets targets, int n, double[] g) {
    if (weights == null) {
      return loss.gradient(z, targets, n, g);
    }
    int width = loss.outputs();
    double[] own = new double[width];
    return sum(
        z,
        targets,
        n,
        (row, target, i) -> {
          double value = loss.gradient(row, target, 1, own);
          for (int j = 0; j < width; j++) {
            g[i * width + j] = weights[i] * own[j];
          }
          return value;
        });
  }

  double squaredError(double[] z, Targets targets, int n) {
    return weights == null
        ? loss.squaredError(z, targets, n)
        : sum(z, targets, n, (row, target, i) -> loss.squaredError(row, target, 1));
  }

  double correct(double[] z, Targets targets, int n) {
    return weights == null
        ? loss.correct(z, targets, n)
        : sum(z, targets, n, (row, target, i) -> loss.correct(row, target, 1));
  }

  /** Σ w. */
  double count(int n) {
    if (weights == null) {
      return n;
    }
    double sum = 0;
    for (int i = 0; i < n; i++) {
      sum += weights[i];
    }
    return sum;
  }

  private double sum(double[] z, Targets targets, int n, OfRow term) {
    int width = loss.outputs();
    double sum = 0;
    for (int i = 0; weights != null && i < n; i++) {
      double[] row = Arrays.copyOfRange(z, i * width, (i + 1) * width);
      sum += weights[i] * term.of(row, targets.after(i), i);
    }
    return sum;
  }
}
