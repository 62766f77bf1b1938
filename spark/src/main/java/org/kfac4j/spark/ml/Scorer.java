package org.kfac4j.spark.ml;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.util.TaskCompletionListener;
import org.jspecify.annotations.Nullable;
import org.kfac4j.curvature.BlockForward;
import org.kfac4j.curvature.ComputeBackend;
import org.kfac4j.curvature.Parameters;
import org.kfac4j.network.Network;
import org.kfac4j.spark.Devices;

/**
 * Adds cells to the rows of a partition, some rows at a time, with one copy of the network for all
 * of them.
 *
 * @param column where the features are in a row
 * @param rows that go through the network at a time
 */
record Scorer(
    Network network,
    Broadcast<Parameters> weights,
    ComputeBackend backend,
    FeatureColumn features,
    int column,
    List<KfacModel.Output> outputs,
    int rows)
    implements MapPartitionsFunction<Row, Row> {
  @Override
  public Iterator<Row> call(Iterator<Row> partition) {
    return new Scored(partition);
  }

  private final class Scored implements Iterator<Row> {
    private final Iterator<Row> partition;
    private final List<Row> block = new ArrayList<>();
    private final float[] numbers = new float[rows * network.inputs()];
    private final Map<Integer, double[]> values = new HashMap<>();
    private @Nullable BlockForward forward;
    private int next;

    Scored(Iterator<Row> partition) {
      this.partition = partition;
      for (KfacModel.Output output : outputs) {
        values.computeIfAbsent(
            output.value(), index -> new double[rows * network.value(index).size()]);
      }
    }

    @Override
    public boolean hasNext() {
      if (next < block.size()) {
        return true;
      }
      if (!partition.hasNext()) {
        close();
        return false;
      }
      fill();
      return true;
    }

    private void fill() {
      block.clear();
      next = 0;
      int width = network.inputs();
      while (block.size() < rows && partition.hasNext()) {
        Row row = partition.next();
        features.read(row.get(column), numbers, block.size() * width, width);
        block.add(row);
      }
      if (!values.isEmpty()) {
        BlockForward open = open();
        open.run(numbers, block.size());
        values.forEach(open::value);
      }
    }

    private BlockForward open() {
      BlockForward open = forward;
      if (open == null) {
        Devices.given().bind();
        open = backend.forward(network, weights.value(), rows);
        forward = open;
        TaskContext task = TaskContext.get();
        if (task != null) {
          // Also if the rest of the partition is not wanted.
          task.addTaskCompletionListener((TaskCompletionListener) done -> close());
        }
      }
      return open;
    }

    private void close() {
      BlockForward open = forward;
      forward = null;
      if (open != null) {
        open.close();
      }
    }

    @Override
    public Row next() {
      if (!hasNext()) {
        throw new NoSuchElementException("no more rows");
      }
      Row row = block.get(next);
      Object[] cells = new Object[row.length() + outputs.size()];
      for (int i = 0; i < row.length(); i++) {
        cells[i] = row.get(i);
      }
      for (int i = 0; i < outputs.size(); i++) {
        KfacModel.Output output = outputs.get(i);
        double[] of = java.util.Objects.requireNonNull(values.get(output.value()));
        cells[row.length() + i] = output.cell(of, numbers, next);
      }
      next++;
      return RowFactory.create(cells);
    }
  }
}
