package org.kfac4j.jobs;

import java.util.ArrayList;
import java.util.List;
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
      boolean factored = layer.parameterCount() > 0 && !curvature.equals("–");
      rows.add(
          new LayerRow(
              layer.name(),
              inputs(layer) + " → " + layer.outputShape(),
              layer.parameterCount(),
              factored ? layer.parameterRows() + "² ⊗ " + layer.parameterColumns() + "²" : "–",
              curvature));
    }
    return rows;
  }

  private static String inputs(Layer layer) {
    return layer.inputShapes().stream().map(Shape::toString).collect(Collectors.joining(" + "));
  }
}
