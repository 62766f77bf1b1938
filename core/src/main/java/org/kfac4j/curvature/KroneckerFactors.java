package org.kfac4j.curvature;

import java.util.Map;
import org.kfac4j.Snapshot;
import org.kfac4j.linalg.DiagonalBlocks;
import org.kfac4j.network.Network.ParameterBlock;

/**
 * The two factors of one layer's Fisher block, F ≈ A ⊗ G in the order of X = [rows, columns] row by
 * row: arXiv:1503.05671 eq. 1. Packed lower triangles, float64.
 *
 * @param inputs A = E[ā āᵀ], rows × rows
 * @param gradients G = E[g gᵀ], columns × columns
 * @param inputBlocks what is kept of A
 * @param gradientBlocks what is kept of G
 */
public record KroneckerFactors(
    double[] inputs, double[] gradients, DiagonalBlocks inputBlocks, DiagonalBlocks gradientBlocks)
    implements FactorStatistics {
  /** Two whole matrices. */
  public KroneckerFactors(double[] inputs, double[] gradients, int rows, int columns) {
    this(inputs, gradients, DiagonalBlocks.whole(rows), DiagonalBlocks.whole(columns));
  }

  static KroneckerFactors zeros(DiagonalBlocks inputBlocks, DiagonalBlocks gradientBlocks) {
    return new KroneckerFactors(
        new double[inputBlocks.packedLength()],
        new double[gradientBlocks.packedLength()],
        inputBlocks,
        gradientBlocks);
  }

  public int rows() {
    return inputBlocks.size();
  }

  public int columns() {
    return gradientBlocks.size();
  }

  private double inputTrace() {
    return inputBlocks.trace(inputs);
  }

  private double gradientTrace() {
    return gradientBlocks.trace(gradients);
  }

  /** The whole factors that {@code sums} holds for a block. */
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
    return Double.isFinite(inputTrace()) && Double.isFinite(gradientTrace());
  }

  @Override
  public KroneckerFactors factors() {
    return this;
  }

  @Override
  public double fisherTrace() {
    return inputTrace() * gradientTrace();
  }

  /**
   * π = sqrt((tr A / rows) / (tr G / columns)), how damping is split between the factors; 1 if a
   * trace is zero. §6.3.
   */
  @Override
  public double pi() {
    double a = inputTrace() / rows();
    double g = gradientTrace() / columns();
    return a > 0 && g > 0 ? Math.sqrt(a / g) : 1;
  }

  @Override
  public Map<String, Double> health() {
    return Map.of("pi", pi(), "A", inputTrace() / rows(), "G", gradientTrace() / columns());
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
