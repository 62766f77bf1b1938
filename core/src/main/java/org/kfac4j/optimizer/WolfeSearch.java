package org.kfac4j.optimizer;

import java.util.function.DoubleFunction;
import org.jspecify.annotations.Nullable;
import org.kfac4j.linalg.Vectors;

/**
 * A line search for a step t with φ(t) ≤ φ(0) + c₁ t φ'(0) and |φ'(t)| ≤ c₂ |φ'(0)|, the strong
 * Wolfe conditions, φ(t) = h(θ + t p). Nocedal and Wright, Numerical Optimization, 2nd ed.,
 * algorithms 3.5 and 3.6, with cubic interpolation.
 */
final class WolfeSearch {
  private static final double C1 = 1e-4;
  private static final double C2 = 0.9;
  private static final double LONGEST = 1e6;

  private final DoubleFunction<Value> function;
  private final double[] direction;
  private final int most;
  private int evaluations;

  /** The objective at a point. */
  record Value(MeanGradient mean) {
    double h() {
      return mean.objective();
    }

    double loss() {
      return mean.loss();
    }

    double[] gradient() {
      return mean.gradient();
    }
  }

  /**
   * A step and what is there; {@code value} is null where h is not finite.
   *
   * @param h φ(t)
   * @param slope φ'(t)
   */
  record Point(double step, double h, double slope, @Nullable Value found) {
    Value value() {
      if (found == null) {
        throw new IllegalStateException("there is no value at step " + step);
      }
      return found;
    }
  }

  /**
   * @param function h along the direction; a {@link DivergedException} counts as infinity
   * @param most evaluations
   */
  WolfeSearch(DoubleFunction<Value> function, double[] direction, int most) {
    this.function = function;
    this.direction = direction;
    this.most = most;
  }

  /**
   * Searches from t = 0.
   *
   * @param first step to try
   * @return the step found; or, when the evaluations are used up, steps have become as long as
   *     {@value #LONGEST} or a bracket has closed without one, the lowest one seen, which is the
   *     start with a step of 0 if none was lower
   */
  Point from(Value start, double first) {
    Point zero = new Point(0, start.h(), Vectors.dot(direction, start.gradient()), start);
    Point before = zero;
    Point lowest = zero;
    double step = first;
    while (evaluations < most && step <= LONGEST) {
      Point at = at(step);
      lowest = lower(lowest, at);
      if (isTooHigh(at, zero) || (before.step > 0 && at.h >= before.h)) {
        return zoom(before, at, zero, lowest);
      }
      if (isFlat(at, zero)) {
        return at;
      }
      if (at.slope >= 0) {
        return zoom(at, before, zero, lowest);
      }
      before = at;
      step *= 2;
    }
    return lowest;
  }

  /**
   * Between {@code low}, the lower end, and {@code high}, which the minimum lies on this side of.
   */
  private Point zoom(Point low, Point high, Point zero, Point lowestSoFar) {
    Point lowest = lowestSoFar;
    while (evaluations < most) {
      Point at = at(interpolated(low, high));
      lowest = lower(lowest, at);
      if (isTooHigh(at, zero) || at.h >= low.h) {
        high = at;
      } else {
        if (isFlat(at, zero)) {
          return at;
        }
        if (at.slope * (high.step - low.step) >= 0) {
          high = low;
        }
        low = at;
      }
      if (Math.abs(high.step - low.step) <= 1e-12 * Math.max(1, low.step)) {
        break;
      }
    }
    return lowest;
  }

  private static Point lower(Point one, Point other) {
    return other.h < one.h ? other : one;
  }

  private static boolean isTooHigh(Point at, Point zero) {
    return !(at.h <= zero.h + C1 * at.step * zero.slope);
  }

  private static boolean isFlat(Point at, Point zero) {
    return Math.abs(at.slope) <= -C2 * zero.slope;
  }

  private Point at(double step) {
    evaluations++;
    try {
      Value value = function.apply(step);
      return new Point(step, value.h(), Vectors.dot(direction, value.gradient()), value);
    } catch (DivergedException tooFar) {
      return new Point(step, Double.POSITIVE_INFINITY, Double.NaN, null);
    }
  }

  /**
   * The minimum of the cubic through both ends, kept away from them; the middle if there is none.
   */
  private static double interpolated(Point low, Point high) {
    double middle = 0.5 * (low.step + high.step);
    double width = high.step - low.step;
    double d1 = low.slope + high.slope - 3 * (low.h - high.h) / (low.step - high.step);
    double root = d1 * d1 - low.slope * high.slope;
    if (!(root >= 0)) {
      return middle;
    }
    double d2 = Math.signum(width) * Math.sqrt(root);
    double step = high.step - width * (high.slope + d2 - d1) / (high.slope - low.slope + 2 * d2);
    double share = (step - low.step) / width;
    return share >= 0.1 && share <= 0.9 ? step : middle;
  }
}
