package org.kfac4j.study;

import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * How one optimizer scales under one budget to one target.
 *
 * @param threshold of the efficiency
 * @param cells by ascending batch; the first is that of B₀
 */
public record StudyCurve(
    String optimizer, Budget budget, Target target, double threshold, List<StudyCell> cells) {
  public StudyCurve {
    cells = List.copyOf(cells);
  }

  /** The cell of B₀, to which speedups refer. */
  public StudyCell base() {
    return cells.get(0);
  }

  /** Whether the smallest batch reaches the target; without that there is no speedup. */
  public boolean isDefined() {
    return base().steps().isPresent();
  }

  /** S(B) = k*(B₀) / k*(B); empty if either is censored. The ideal is B/B₀. */
  public OptionalDouble speedup(StudyCell cell) {
    return isDefined() && cell.steps().isPresent()
        ? OptionalDouble.of((double) base().steps().getAsLong() / cell.steps().getAsLong())
        : OptionalDouble.empty();
  }

  /** S(B) · B₀ / B; empty if either is censored. */
  public OptionalDouble efficiency(StudyCell cell) {
    OptionalDouble speedup = speedup(cell);
    return speedup.isPresent()
        ? OptionalDouble.of(speedup.getAsDouble() * base().batch() / cell.batch())
        : speedup;
  }

  /** The critical batch size of k*; empty if the smallest batch does not reach the target. */
  public Optional<CriticalBatch> critical() {
    List<CriticalBatch.Point> points =
        cells.stream()
            .map(
                cell ->
                    new CriticalBatch.Point(
                        cell.batch(),
                        cell.steps().isPresent()
                            ? cell.steps().getAsLong()
                            : Double.POSITIVE_INFINITY,
                        (double) cell.censoredAt().orElse(0)))
            .toList();
    return CriticalBatch.of(points, threshold);
  }

  /** The interval of the interpolated critical batch size over seeds; see {@link Bootstrap}. */
  public Optional<Interval> criticalInterval() {
    return Bootstrap.critical(this);
  }

  /** The interval of the speedup with one batch over seeds; see {@link Bootstrap}. */
  public Optional<Interval> speedupInterval(StudyCell cell) {
    return Bootstrap.speedup(this, cell);
  }

  /** k = k_min + c/B through the cells that are not censored; empty with fewer than three. */
  public Optional<TwoTermFit> fit() {
    return TwoTermFit.of(cells.stream().filter(cell -> cell.steps().isPresent()).toList());
  }
}
