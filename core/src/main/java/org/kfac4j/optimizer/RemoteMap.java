package org.kfac4j.optimizer;

import org.kfac4j.Snapshot;

/**
 * One of several maps that workers keep. They are applied and saved together, by {@link
 * BlockDiagonalMap} and {@link Curvature.Inverse}; closing one closes all.
 *
 * @param index among {@code made}
 */
record RemoteMap(LayerWorkers.Made made, int index, int recoveries) implements LinearMap {
  @Override
  public void apply(double[] v, int offset, double[] result) {
    throw new IllegalStateException("maps of workers are applied together");
  }

  @Override
  public void save(Snapshot snapshot, String prefix) {
    throw new IllegalStateException("maps of workers are saved together");
  }

  @Override
  public void close() {
    made.close();
  }
}
