package org.kfac4j.jobs;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.kfac4j.network.Layer;
import org.kfac4j.network.Network;
import org.kfac4j.network.Shape;
import org.kfac4j.optimizer.Optimizer;
import org.kfac4j.training.RunInfo.LayerRow;

/**
 * The table of layers that a run prints first: shape, parameters, factors, and what preconditions
 * them.
 */
final class LayerTable {
  private LayerTable() {}

  static List<LayerRow> rows(Network network, Optimizer optimizer) {
    List<LayerRow> rows = new ArrayList<>();
    for (int i = 0; i < network.layers().size(); i++) {
      Layer layer = network.layers().get(i);
      String curvature = optimizer.describe(network, i);
      rows.add(
          new LayerRow(
              layer.name(),
              inputs(layer) + " → " + layer.outputShape(),
              layer.parameterCount(),
              curvature.equals("–") ? "–" : factors(network, i, optimizer),
              curvature));
    }
    return rows;
  }

  /** What is kept of each of a layer's blocks, alike ones counted: "3 × 10² ⊗ 2²". */
  private static String factors(Network network, int layer, Optimizer optimizer) {
    Map<String, Long> kinds =
        network.blocks().stream()
            .filter(block -> block.layer() == layer)
            .collect(
                Collectors.groupingBy(
                    optimizer::factors, LinkedHashMap::new, Collectors.counting()));
    return kinds.entrySet().stream()
        .map(each -> each.getValue() == 1 ? each.getKey() : each.getValue() + " × " + each.getKey())
        .collect(Collectors.joining(", "));
  }

  private static String inputs(Layer layer) {
    return layer.inputShapes().stream().map(Shape::toString).collect(Collectors.joining(" + "));
  }
}
