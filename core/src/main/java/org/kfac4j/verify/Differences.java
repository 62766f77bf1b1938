package org.kfac4j.verify;

import java.util.function.DoubleUnaryOperator;

/**
 * Derivatives by central differences of fourth order, f′(0) ≈ [8 (f(h) − f(−h)) − (f(2h) − f(−2h))]
 * / 12h, whose error is h⁴ |f⁗′| / 30 and rounding of f divided by h.
 *
 * <p>Where f has kinks (ReLU, max pooling) the largest step crosses some of them. An error above
 * the tolerance is therefore measured again with smaller steps, and the first that satisfies it is
 * taken; how often that was so is counted, and told. Before that larger ones are tried, because of
 * a derivative that is small beside f rounding is the larger error. The tolerance stays the same: a
 * wrong derivative is wrong at every step.
 */
final class Differences {
  /** Relative to the size of what is moved. */
  private static final double[] STEPS = {1e-3, 1e-2, 1e-1, 1e-4, 1e-5, 1e-6, 1e-7};

  private final double tolerance;
  private int measured;
  private int other;

  Differences(double tolerance) {
    this.tolerance = tolerance;
  }

  /** The error of a derivative as a function of the step that it is compared at. */
  double error(DoubleUnaryOperator errorAt) {
    measured++;
    double best = Double.POSITIVE_INFINITY;
    for (int i = 0; i < STEPS.length; i++) {
      double error = errorAt.applyAsDouble(STEPS[i]);
      best = error < best ? error : best;
      if (best <= tolerance) {
        other += i > 0 ? 1 : 0;
        return best;
      }
    }
    return best;
  }

  /** f′(0) with the step h. */
  static double derivative(DoubleUnaryOperator f, double h) {
    return combined(
        f.applyAsDouble(h),
        f.applyAsDouble(-h),
        f.applyAsDouble(2 * h),
        f.applyAsDouble(-2 * h),
        h);
  }

  static double combined(double plus, double minus, double plus2, double minus2, double h) {
    return (8 * (plus - minus) - (plus2 - minus2)) / (12 * h);
  }

  /** For tables: how many had to be measured with other steps, if any. */
  String note() {
    return other == 0 ? "" : "; " + other + " of " + measured + " at other steps (rounding, kinks)";
  }
}
