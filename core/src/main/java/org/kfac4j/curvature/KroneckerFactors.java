package org.kfac4j.curvature;

import java.util.Map;
import org.kfac4j.Snapshot;
import org.kfac4j.linalg.Packed;
import org.kfac4j.network.Network.ParameterBlock;

/**
 * The two factors of one layer's Fisher block, F ≈ A ⊗ G in the order of X = [rows, columns] row by
 * row: arXiv:1503.05671 eq. 1. Packed lower triangles, float64.
 *
 * @param inputs A = E[ā āᵀ], rows × rows
 * @param gradients G = E[g gᵀ], columns × columns
 */
public record KroneckerFactors(double[] inputs, double[] gradients, int rows, int columns)
    implements FactorStatistics {
  /** The factors that {@code sums} holds for a block. */
  public static KroneckerFactors of(Sums sums, ParameterBlock block) {
    double count = sums.scalar(SumNames.STATISTICS_COUNT);
    return new KroneckerFactors(
        sums.mean(SumNames.inputs(block), count),
        sums.mean(SumNames.gradients(block), count),
        block.rows(),
        block.columns());
  }

  @Override
  public void update(Sums sums, ParameterBlock block, double epsilon) {
    double count = sums.scalar(SumNames.STATISTICS_COUNT);
    sums.average(SumNames.inputs(block), count, epsilon, inputs);
    sums.average(SumNames.gradients(block), count, epsilon, gradients);
  }

  /**
   * Whether both diagonals are finite; in a sum of squares, an entry off the diagonal is finite if
   * they are.
   */
  @Override
  public boolean isFinite() {
    return Double.isFinite(Packed.trace(inputs, rows))
        && Double.isFinite(Packed.trace(gradients, columns));
  }

  @Override
  public KroneckerFactors factors() {
    return this;
  }

  @Override
  public double fisherTrace() {
    return Packed.trace(inputs, rows) * Packed.trace(gradients, columns);
  }

  /**
   * π = sqrt((tr A / rows) / (tr G / columns)), how damping is split between the factors; 1 if a
   * trace is zero. §6.3.
   */
  @Override
  public double pi() {
    double a = Packed.trace(inputs, rows) / rows;
    double g = Packed.trace(gradients, columns) / columns;
    return a > 0 && g > 0 ? Math.sqrt(a / g) : 1;
  }

  @Override
  public Map<String, Double> health() {
    return Map.of(
        "pi",
        pi(),
        "A",
        Packed.trace(inputs, rows) / rows,
        "G",
        Packed.trace(gradients, columns) / columns);
  }

  @Override
  public void save(Snapshot snapshot, String name) {
    snapshot.put("A " + name, inputs.clone());
    snapshot.put("G " + name, gradients.clone());
  }

  @Override
  public void restore(Snapshot snapshot, String name) {
    BlockStatistics.copy(snapshot, "A " + name, inputs);
    BlockStatistics.copy(snapshot, "G " + name, gradients);
  }
}
