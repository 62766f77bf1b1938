package org.kfac4j.optimizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.kfac4j.network.Network.ParameterBlock;

/** Every block's map on its own part of the gradient. */
record BlockDiagonalMap(NetworkParts parts) implements NetworkMap {
  @Override
  public double[] apply(double[] v) {
    List<ParameterBlock> blocks = parts.network().blocks();
    double[] result = new double[v.length];
    parts
        .pool()
        .forEach(
            blocks.size(),
            i -> LayerPool.cost(blocks.get(i)),
            i -> {
              if (!(parts.maps().get(i) instanceof RemoteMap)) {
                parts.maps().get(i).apply(v, blocks.get(i).offset(), result);
              }
            });
    applyRemote(blocks, v, result);
    return result;
  }

  /** All maps that workers keep, in one go. */
  private void applyRemote(List<ParameterBlock> blocks, double[] v, double[] result) {
    List<ParameterBlock> there = new ArrayList<>();
    LayerWorkers.Made made = null;
    for (int i = 0; i < blocks.size(); i++) {
      if (parts.maps().get(i) instanceof RemoteMap map) {
        there.add(blocks.get(i));
        made = map.made();
      }
    }
    if (made == null) {
      return;
    }
    List<double[]> applied =
        made.apply(
            there.stream().map(each -> Arrays.copyOfRange(v, each.offset(), each.end())).toList());
    for (int i = 0; i < applied.size(); i++) {
      double[] part = applied.get(i);
      System.arraycopy(part, 0, result, there.get(i).offset(), part.length);
    }
  }
}
