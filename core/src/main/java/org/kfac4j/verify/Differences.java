package org.kfac4j.verify;

import java.util.function.DoubleFunction;
import java.util.function.DoubleUnaryOperator;

/**
 * Derivatives by central differences of fourth order, f′(0) ≈ [8 (f(h) − f(−h)) − (f(2h) − f(−2h))]
 * / 12h, whose error is h⁴ |f⁗′| / 30 and rounding of f divided by h.
 *
 * <p>Where f has kinks (ReLU, max pooling) the largest step crosses some of them. An error above
 * the tolerance is therefore measured again with smaller steps, and the first that satisfies it is
 * taken; how often that was so is counted, and told. Before that larger ones are tried, because of
 * a derivative that is small beside f rounding is the larger error. The tolerance stays the same: a
 * wrong derivative is wrong at every step. Which step is tried first is what the last derivative
 * was taken at.
 */
final class Differences {
  /** Relative to the size of what is moved. */
  private static final double[] STEPS = {1e-3, 1e-2, 1e-1, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8};

  private final double tolerance;
  private int measured;
  private int other;

  /** Which step was taken last: what is similar is tried with it first. */
  private int last;

  Differences(double tolerance) {
    this.tolerance = tolerance;
  }

  /** The error of a derivative as a function of the step that it is compared at. */
  double error(DoubleUnaryOperator errorAt) {
    measured++;
    double best = Double.POSITIVE_INFINITY;
    for (int i = -1; i < STEPS.length; i++) {
      if (i == last) {
        continue;
      }
      int step = i < 0 ? last : i;
      double error = errorAt.applyAsDouble(STEPS[step]);
      best = error < best ? error : best;
      if (best <= tolerance) {
        last = step;
        other += step > 0 ? 1 : 0;
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

  /** The same of a function with several values. */
  static double[] tangent(DoubleFunction<double[]> f, double h) {
    double[] plus = f.apply(h);
    double[] minus = f.apply(-h);
    double[] plus2 = f.apply(2 * h);
    double[] minus2 = f.apply(-2 * h);
    double[] tangent = new double[plus.length];
    for (int i = 0; i < tangent.length; i++) {
      tangent[i] = combined(plus[i], minus[i], plus2[i], minus2[i], h);
    }
    return tangent;
  }

  private static double combined(double plus, double minus, double plus2, double minus2, double h) {
    return (8 * (plus - minus) - (plus2 - minus2)) / (12 * h);
  }

  /** For tables: how many had to be measured with other steps, if any. */
  String note() {
    return other == 0 ? "" : "; " + other + " of " + measured + " at other steps (rounding, kinks)";
  }
}
