package org.kfac4j.study;

import java.util.List;
import java.util.Optional;

/**
 * Critical batch size: the largest measured B whose efficiency k*(B₀)·B₀ / (k*(B)·B) is at least
 * the threshold (arXiv:1903.06237; efficiency ½ is where k = k_min + c/B spends as much on either
 * term).
 *
 * <p>Efficiency need not fall monotonically: the largest efficient B counts even if a smaller one
 * is not, and {@link #dips} says so. A censored B is not efficient if its budget rules that out,
 * that is if k*(B₀)·B₀ / (budget·B) is below the threshold; otherwise it is undecided, and the
 * critical batch size is a lower bound.
 *
 * @param batch the largest efficient B of those measured
 * @param interpolated where the efficiency crosses the threshold between {@code batch} and the next
 *     measured B, linearly in log B (under k = k_min + c/B the efficiency is a logistic function of
 *     it, nearly straight around ½); {@code batch} itself if it is the last or the next is censored
 * @param upper what the crossing cannot be above: {@code interpolated}, or where efficiency would
 *     cross if the next B, censored, took one step more than is known
 * @param atLargest whether {@code batch} is the largest of the study: a lower bound
 * @param undecided whether a larger B may be efficient, but its runs ended too early to tell, or
 *     are not finished: a lower bound
 * @param dips whether a smaller B is not efficient or censored
 */
public record CriticalBatch(
    int batch,
    double interpolated,
    double upper,
    boolean atLargest,
    boolean undecided,
    boolean dips) {
  /** Whether the true one may be larger than what was measured. */
  public boolean isLowerBound() {
    return atLargest || undecided;
  }

  /**
   * Steps of one batch size.
   *
   * @param steps k, +∞ if censored
   * @param over what a censored k is known to exceed, 0 if that is not known
   */
  record Point(int batch, double steps, double over) {
    boolean isCensored() {
      return !Double.isFinite(steps);
    }
  }

  /**
   * @param points by ascending batch
   * @return empty if the first point is censored: nothing can be divided by it
   */
  static Optional<CriticalBatch> of(List<Point> points, double threshold) {
    Point base = points.get(0);
    if (base.isCensored()) {
      return Optional.empty();
    }
    int last = 0;
    for (int i = 1; i < points.size(); i++) {
      last = isEfficient(base, points.get(i), threshold) ? i : last;
    }
    boolean undecided = false;
    boolean dips = false;
    for (int i = 1; i < points.size(); i++) {
      Point point = points.get(i);
      undecided |= i > last && point.isCensored() && mayBeEfficient(base, point, threshold);
      dips |= i < last && !isEfficient(base, point, threshold);
    }
    int batch = points.get(last).batch;
    boolean atLargest = last == points.size() - 1;
    double interpolated = batch;
    double upper = batch;
    if (!atLargest) {
      Point next = points.get(last + 1);
      if (!next.isCensored()) {
        interpolated = crossing(base, points.get(last), next, threshold);
        upper = interpolated;
      } else if (!mayBeEfficient(base, next, threshold)) {
        Point fastest = new Point(next.batch, next.over, next.over);
        upper = crossing(base, points.get(last), fastest, threshold);
      }
    }
    return Optional.of(new CriticalBatch(batch, interpolated, upper, atLargest, undecided, dips));
  }

  private static boolean isEfficient(Point base, Point point, double threshold) {
    return !point.isCensored() && efficiency(base, point.batch, point.steps) >= threshold;
  }

  private static boolean mayBeEfficient(Point base, Point point, double threshold) {
    return point.over == 0 || efficiency(base, point.batch, point.over) >= threshold;
  }

  private static double efficiency(Point base, int batch, double steps) {
    return base.steps * base.batch / (steps * batch);
  }

  private static double crossing(Point base, Point from, Point to, double threshold) {
    double above = efficiency(base, from.batch, from.steps) - threshold;
    double below = efficiency(base, to.batch, to.steps) - threshold;
    double share = above / (above - below);
    return from.batch * Math.pow((double) to.batch / from.batch, share);
  }
}
