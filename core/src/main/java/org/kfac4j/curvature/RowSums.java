package org.kfac4j.curvature;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.kfac4j.Check;
import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Precision;
import org.kfac4j.linalg.Vectors;
import org.kfac4j.network.LayerBuffers;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.WeightLayer;

/**
 * The rows ā and g of the first examples of a batch: {@link RowWindow}. Which examples these are
 * depends on the batch alone.
 */
final class RowSums implements LayerSums {
  private final WeightLayer layer;
  private final List<ParameterBlock> blocks;
  private final long examples;
  private final Precision precision;

  /** Of one example: its inputs, then the gradients of one backward pass after the other. */
  private record Kept(double[] inputs, List<double[]> gradients) {}

  private final List<Map<Long, Kept>> kept = new ArrayList<>();

  RowSums(WeightLayer layer, List<ParameterBlock> blocks, BlockForms forms, Precision precision) {
    this.precision = precision;
    this.layer = layer;
    this.blocks = blocks;
    this.examples = forms.sampledExamples(layer.outputShape().positions());
    blocks.forEach(block -> kept.add(new TreeMap<>()));
  }

  @Override
  public void addGradients(LayerBuffers buffers, int n, int pass, Block source) {
    Check.that(
        source.weights() == null,
        "the rows of conjugate gradients (cgfac) do not go with weights of examples");
    long[] places = source.places();
    boolean any = false;
    for (int i = 0; i < n; i++) {
      any |= places[i] < examples;
    }
    if (!any) {
      return;
    }
    layer.forRows(
        buffers,
        n,
        (part, first, count, a, g) -> {
          int positions = a.rows() / count;
          for (int i = 0; i < count; i++) {
            long place = places[first + i];
            if (place < examples) {
              int from = i * positions;
              kept.get(part)
                  .computeIfAbsent(
                      place, p -> new Kept(rows(a, from, positions), new ArrayList<>()))
                  .gradients
                  .add(rows(g, from, positions));
            }
          }
        });
  }

  private static double[] rows(Matrix matrix, int from, int count) {
    return matrix
        .view((long) from * matrix.stride(), count, matrix.columns(), matrix.stride())
        .toArray();
  }

  @Override
  public void put(Sums sums) {
    for (int i = 0; i < blocks.size(); i++) {
      String name = SumNames.rows(blocks.get(i));
      kept.get(i)
          .forEach(
              (place, rows) -> {
                double[] all = joined(rows);
                if (precision == Precision.FLOAT) {
                  sums.putRows(name, place, Vectors.floats(all));
                } else {
                  sums.putRows(name, place, all);
                }
              });
    }
  }

  private static double[] joined(Kept rows) {
    int length = rows.inputs.length + rows.gradients.stream().mapToInt(each -> each.length).sum();
    double[] all = new double[length];
    System.arraycopy(rows.inputs, 0, all, 0, rows.inputs.length);
    int at = rows.inputs.length;
    for (double[] each : rows.gradients) {
      System.arraycopy(each, 0, all, at, each.length);
      at += each.length;
    }
    return all;
  }
}
