package org.kfac4j.curvature;

import java.util.Map;
import org.kfac4j.Snapshot;
import org.kfac4j.linalg.DiagonalBlocks;
import org.kfac4j.network.Network.ParameterBlock;

/**
 * TKFAC's factors of one layer's Fisher block, F ≈ δ Φ ⊗ Ψ with tr Φ = tr Ψ = 1 and δ = tr F:
 *
 * <pre>  δ = E[‖ā‖²‖g‖²]    δΦ = E[‖g‖² ā āᵀ]    δΨ = E[‖ā‖² g gᵀ]</pre>
 *
 * which are F's trace and its two partial traces; sums over an example's positions, means over
 * examples. Gao et al. 2020, arXiv:2011.10741, eq. 4.9 and 4.13. Kept and averaged without
 * normalisation, because averages of Φ, Ψ and δ one by one would not have the average's trace.
 * Packed lower triangles, float64.
 *
 * @param trace δ, in an array of one
 * @param inputs δΦ, rows × rows
 * @param gradients δΨ, columns × columns
 * @param inputBlocks what is kept of Φ
 * @param gradientBlocks what is kept of Ψ
 */
public record TraceFactors(
    double[] trace,
    double[] inputs,
    double[] gradients,
    DiagonalBlocks inputBlocks,
    DiagonalBlocks gradientBlocks)
    implements FactorStatistics {
  /** With whole matrices. */
  public TraceFactors(double[] trace, double[] inputs, double[] gradients, int rows, int columns) {
    this(trace, inputs, gradients, DiagonalBlocks.whole(rows), DiagonalBlocks.whole(columns));
  }

  static TraceFactors zeros(DiagonalBlocks inputBlocks, DiagonalBlocks gradientBlocks) {
    return new TraceFactors(
        new double[1],
        new double[inputBlocks.packedLength()],
        new double[gradientBlocks.packedLength()],
        inputBlocks,
        gradientBlocks);
  }

  /** The statistics with whole matrices that {@code sums} holds for a block. */
  public static TraceFactors of(Sums sums, ParameterBlock block) {
    TraceFactors factors =
        zeros(DiagonalBlocks.whole(block.rows()), DiagonalBlocks.whole(block.columns()));
    factors.update(sums, block, 0);
    return factors;
  }

  @Override
  public void update(Sums sums, ParameterBlock block, double epsilon) {
    double count = sums.scalar(SumNames.STATISTICS_COUNT);
    double[] mean = {sums.scalar(SumNames.trace(block)) / count};
    RunningAverage.update(trace, 0, mean, 1, epsilon);
    sums.average(SumNames.weightedInputs(block), count, epsilon, inputs);
    sums.average(SumNames.weightedGradients(block), count, epsilon, gradients);
  }

  /** A = √δ Φ and G = √δ Ψ: δ split evenly; zero where δ is. */
  @Override
  public KroneckerFactors factors() {
    double scale = trace[0] > 0 ? 1 / Math.sqrt(trace[0]) : 0;
    return new KroneckerFactors(
        scaled(inputs, scale), scaled(gradients, scale), inputBlocks, gradientBlocks);
  }

  private static double[] scaled(double[] packed, double factor) {
    double[] scaled = new double[packed.length];
    for (int i = 0; i < packed.length; i++) {
      scaled[i] = factor * packed[i];
    }
    return scaled;
  }

  /** 1: both factors have the trace √δ and need no other split. Eq. 5.14 and 5.15. */
  @Override
  public double pi() {
    return 1;
  }

  @Override
  public boolean isFinite() {
    return Double.isFinite(trace[0] + inputBlocks.trace(inputs) + gradientBlocks.trace(gradients));
  }

  @Override
  public double fisherTrace() {
    return trace[0];
  }

  @Override
  public Map<String, Double> health() {
    return Map.of("trace", trace[0]);
  }

  @Override
  public void save(Snapshot snapshot, String name) {
    snapshot.put("δ " + name, trace.clone());
    snapshot.put("Φ " + name, inputs.clone());
    snapshot.put("Ψ " + name, gradients.clone());
  }

  @Override
  public void restore(Snapshot snapshot, String name) {
    BlockStatistics.copy(snapshot, "δ " + name, trace);
    BlockStatistics.copy(snapshot, "Φ " + name, inputs);
    BlockStatistics.copy(snapshot, "Ψ " + name, gradients);
  }
}
