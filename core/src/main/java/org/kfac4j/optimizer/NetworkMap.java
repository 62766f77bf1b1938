package org.kfac4j.optimizer;

import org.kfac4j.Snapshot;

/** An inverse of the whole network's curvature, ready to apply: v ↦ C⁻¹ v. */
public interface NetworkMap extends AutoCloseable {
  /** C⁻¹ v; both laid out as θ, zero where nothing is trained. */
  double[] apply(double[] v);

  /** How far the recovery ladder had to be climbed for the layers' coupling, 0 for not at all. */
  default int recoveries() {
    return 0;
  }

  /** Adds what is not the blocks' own to a checkpoint. */
  default void save(Snapshot snapshot) {}

  /** Gives memory back that is not the blocks'. */
  @Override
  default void close() {}
}
