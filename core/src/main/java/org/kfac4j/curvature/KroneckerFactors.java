package org.kfac4j.curvature;

import org.kfac4j.linalg.Packed;

/**
 * The two factors of one layer's Fisher block, F ≈ A ⊗ G in the order of X = [rows, columns] row by
 * row: arXiv:1503.05671 eq. 1. Packed lower triangles, float64.
 *
 * @param inputs A = E[ā āᵀ], rows × rows
 * @param gradients G = E[g gᵀ], columns × columns
 */
public record KroneckerFactors(double[] inputs, double[] gradients, int rows, int columns) {
  /** The factors that {@code sums} holds for a layer. */
  public static KroneckerFactors of(Sums sums, int layer, int rows, int columns) {
    double count = sums.scalar(SumNames.STATISTICS_COUNT);
    return new KroneckerFactors(
        sums.mean(SumNames.inputs(layer), count),
        sums.mean(SumNames.gradients(layer), count),
        rows,
        columns);
  }

  /** Moves these factors, as running averages, to those that {@code sums} holds for a layer. */
  public void update(Sums sums, int layer, double epsilon) {
    double count = sums.scalar(SumNames.STATISTICS_COUNT);
    sums.average(SumNames.inputs(layer), count, epsilon, inputs);
    sums.average(SumNames.gradients(layer), count, epsilon, gradients);
  }

  /**
   * Whether both diagonals are finite; in a sum of squares, an entry off the diagonal is finite if
   * they are.
   */
  public boolean isFinite() {
    return Double.isFinite(Packed.trace(inputs, rows))
        && Double.isFinite(Packed.trace(gradients, columns));
  }

  /**
   * π = sqrt((tr A / rows) / (tr G / columns)), how damping is split between the factors; 1 if a
   * trace is zero. §6.3.
   */
  public double pi() {
    double a = Packed.trace(inputs, rows) / rows;
    double g = Packed.trace(gradients, columns) / columns;
    return a > 0 && g > 0 ? Math.sqrt(a / g) : 1;
  }
}
