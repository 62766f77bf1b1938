package org.kfac4j.curvature;

import java.util.Map;
import org.kfac4j.Snapshot;
import org.kfac4j.linalg.Packed;
import org.kfac4j.network.Network.ParameterBlock;

/**
 * A block's Fisher matrix itself, F = E[u uᵀ] with u the gradient of one example's loss with
 * respect to the block's parameters.
 *
 * @param fisher a packed lower triangle, n × n, float64
 */
public record ExactStatistics(double[] fisher, int n) implements BlockStatistics {
  @Override
  public void update(Sums sums, ParameterBlock block, double epsilon) {
    sums.average(SumNames.exact(block), sums.scalar(SumNames.STATISTICS_COUNT), epsilon, fisher);
  }

  @Override
  public boolean isFinite() {
    return Double.isFinite(Packed.trace(fisher, n));
  }

  @Override
  public double fisherTrace() {
    return Packed.trace(fisher, n);
  }

  @Override
  public Map<String, Double> health() {
    return Map.of("F", Packed.trace(fisher, n) / n);
  }

  @Override
  public void save(Snapshot snapshot, String name) {
    snapshot.put("F " + name, fisher.clone());
  }

  @Override
  public void restore(Snapshot snapshot, String name) {
    BlockStatistics.copy(snapshot, "F " + name, fisher);
  }
}
