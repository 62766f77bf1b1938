package org.kfac4j.optimizer;

import java.util.Map;
import org.kfac4j.Snapshot;

/** An inverse of one layer's curvature, ready to apply: V ↦ C⁻¹ V. */
public interface LinearMap extends AutoCloseable {
  /**
   * Writes C⁻¹ V.
   *
   * @param v gradient of all layers; the layer's part is V = [rows, columns] row by row
   * @param offset of the layer's part
   * @param result laid out as {@code v}; the layer's part is written
   */
  void apply(double[] v, int offset, double[] result);

  /** How far the recovery ladder had to be climbed, 0 for not at all. */
  int recoveries();

  /** What there is to say of the last application, by name. */
  default Map<String, Double> figures() {
    return Map.of();
  }

  /**
   * Adds what is needed to restore this to a checkpoint, under names that start with {@code
   * prefix}.
   */
  void save(Snapshot snapshot, String prefix);

  @Override
  void close();
}
