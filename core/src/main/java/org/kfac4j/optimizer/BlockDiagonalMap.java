package org.kfac4j.optimizer;

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
            i -> parts.maps().get(i).apply(v, blocks.get(i).offset(), result));
    return result;
  }
}
