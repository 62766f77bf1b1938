package org.kfac4j.curvature;

import java.util.Map;
import org.kfac4j.Snapshot;
import org.kfac4j.network.Network.ParameterBlock;

/**
 * Nothing is kept of a block's Fisher matrix.
 *
 * @param length of the block
 */
public record NoStatistics(int length) implements BlockStatistics {
  @Override
  public void update(Sums sums, ParameterBlock block, double epsilon) {
    // There is nothing to average.
  }

  @Override
  public boolean isFinite() {
    return true;
  }

  @Override
  public double fisherTrace() {
    return 0;
  }

  @Override
  public Map<String, Double> health() {
    return Map.of();
  }

  @Override
  public void save(Snapshot snapshot, String name) {
    // There is nothing to save.
  }

  @Override
  public void restore(Snapshot snapshot, String name) {
    // As above.
  }
}
