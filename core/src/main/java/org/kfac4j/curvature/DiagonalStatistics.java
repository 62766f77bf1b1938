package org.kfac4j.curvature;

import java.util.Arrays;
import java.util.Map;
import org.kfac4j.Snapshot;
import org.kfac4j.network.Network.ParameterBlock;

/**
 * The diagonal of a block's Fisher matrix, E[u²] with u the gradient of one example's loss with
 * respect to the block's parameters.
 *
 * @param fisher float64
 */
public record DiagonalStatistics(double[] fisher) implements BlockStatistics {
  @Override
  public void update(Sums sums, ParameterBlock block, double epsilon) {
    sums.average(SumNames.diagonal(block), sums.scalar(SumNames.STATISTICS_COUNT), epsilon, fisher);
  }

  @Override
  public boolean isFinite() {
    return Double.isFinite(Arrays.stream(fisher).sum());
  }

  @Override
  public double fisherTrace() {
    return Arrays.stream(fisher).sum();
  }

  @Override
  public Map<String, Double> health() {
    return Map.of("F", Arrays.stream(fisher).sum() / fisher.length);
  }

  @Override
  public void save(Snapshot snapshot, String name) {
    snapshot.put("D " + name, fisher.clone());
  }

  @Override
  public void restore(Snapshot snapshot, String name) {
    BlockStatistics.copy(snapshot, "D " + name, fisher);
  }
}
