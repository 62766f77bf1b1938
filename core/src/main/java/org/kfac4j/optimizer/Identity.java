package org.kfac4j.optimizer;

import org.kfac4j.Snapshot;

/** v ↦ v: plain gradient. */
record Identity(int length) implements LinearMap {
  @Override
  public void apply(double[] v, int offset, double[] result) {
    System.arraycopy(v, offset, result, offset, length);
  }

  @Override
  public int recoveries() {
    return 0;
  }

  @Override
  public void save(Snapshot snapshot, String prefix) {
    // Nothing is kept.
  }

  @Override
  public void close() {
    // As above.
  }
}
