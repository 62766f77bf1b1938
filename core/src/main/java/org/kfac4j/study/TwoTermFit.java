package org.kfac4j.study;

import java.util.List;
import java.util.Optional;

/**
 * The law k = k_min + c/B fitted to measured steps: least squares of relative errors, min Σ ((k_i −
 * k_min − c/B_i) / k_i)², with both terms not negative. Relative, for steps span decades and their
 * scatter grows with them. It describes what was measured; beyond the largest batch it is a guess
 * (arXiv:1811.03600, arXiv:1907.04164).
 *
 * @param fewest k_min, steps that no batch size saves
 * @param examples c, in examples: steps · batch as the batch goes to 0
 * @param error root mean square of the relative errors
 */
public record TwoTermFit(double fewest, double examples, double error) {
  private static final int FEWEST_POINTS = 3;

  /** k_min + c/B. */
  public double steps(double batch) {
    return fewest + examples / batch;
  }

  /** c/k_min: where both terms are equal, efficiency ½ as B₀ → 0; infinite if k_min is 0. */
  public double balancedBatch() {
    return fewest == 0 ? Double.POSITIVE_INFINITY : examples / fewest;
  }

  /**
   * @param cells none of them censored
   */
  static Optional<TwoTermFit> of(List<StudyCell> cells) {
    if (cells.size() < FEWEST_POINTS) {
      return Optional.empty();
    }
    int n = cells.size();
    // rows u k_min + v c ≈ 1 with u = 1/k and v = 1/(B k)
    double[] u = new double[n];
    double[] v = new double[n];
    double uu = 0;
    double uv = 0;
    double vv = 0;
    double sumU = 0;
    double sumV = 0;
    for (int i = 0; i < n; i++) {
      u[i] = 1.0 / cells.get(i).steps().getAsLong();
      v[i] = u[i] / cells.get(i).batch();
      uu += u[i] * u[i];
      uv += u[i] * v[i];
      vv += v[i] * v[i];
      sumU += u[i];
      sumV += v[i];
    }
    // distinct batch sizes: the columns are independent
    double determinant = uu * vv - uv * uv;
    double fewest = (sumU * vv - sumV * uv) / determinant;
    double examples = (sumV * uu - sumU * uv) / determinant;
    if (fewest < 0) {
      fewest = 0;
      examples = sumV / vv;
    } else if (examples < 0) {
      fewest = sumU / uu;
      examples = 0;
    }
    double squares = 0;
    for (int i = 0; i < n; i++) {
      double error = u[i] * fewest + v[i] * examples - 1;
      squares += error * error;
    }
    return Optional.of(new TwoTermFit(fewest, examples, Math.sqrt(squares / n)));
  }
}
