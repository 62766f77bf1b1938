package org.kfac4j.curvature;

import org.kfac4j.network.LayerBuffers;
import org.kfac4j.network.Network;

/** Forward passes in a workspace. */
final class Nd4jForward implements BlockForward {
  private final Network network;
  private final Workspace workspace;
  private final long[] ids;
  private int rows;

  /** With a workspace that is its own. */
  Nd4jForward(Network network, Parameters weights, Workspace workspace, int capacity) {
    this.network = network;
    this.workspace = workspace;
    this.ids = new long[capacity];
    workspace.load(weights);
  }

  @Override
  public void run(float[] features, int n) {
    // Nothing is drawn at random.
    run(features, n, false, 0, ids);
  }

  @Override
  public void runTraining(float[] features, int n, long key, long[] exampleIds) {
    run(features, n, true, key, exampleIds);
  }

  private void run(float[] features, int n, boolean training, long key, long[] exampleIds) {
    rows = n;
    workspace.value(0).putExamples(features, n);
    for (int i = 0; i < network.layers().size(); i++) {
      LayerBuffers buffers = workspace.buffers(i);
      buffers.setExamples(training, key, exampleIds, n);
      network.layers().get(i).forward(buffers, n);
    }
  }

  @Override
  public void value(int index, double[] target) {
    workspace.value(index).get(target, rows);
  }

  @Override
  public void close() {
    workspace.close();
  }
}
