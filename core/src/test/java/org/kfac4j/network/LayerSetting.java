package org.kfac4j.network;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import org.kfac4j.linalg.Accumulator;
import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Precision;

/** One layer's buffers for some examples. */
final class LayerSetting implements AutoCloseable {
  final Layer layer;
  private final int count;
  private final Precision precision;
  private final List<AutoCloseable> owned = new ArrayList<>();
  final Rows in;
  final Rows out;
  final Rows gradientOut;
  final Rows gradientIn;
  final Rows tangentIn;
  final Rows tangentOut;
  final LayerBuffers buffers;

  LayerSetting(Layer layer, int count, Precision precision) {
    this.layer = layer;
    this.count = count;
    this.precision = precision;
    Scratch scratch = new Scratch(precision);
    owned.add(scratch);
    in = rows(layer.inputShapes().get(0), true);
    out = rows(layer.outputShape(), true);
    gradientOut = rows(layer.outputShape(), false);
    gradientIn = rows(layer.inputShapes().get(0), false);
    tangentIn = rows(layer.inputShapes().get(0), false);
    tangentOut = rows(layer.outputShape(), false);
    buffers = new LayerBuffers(List.of(in), out, scratch);
    buffers.setGradientOut(gradientOut);
    buffers.setGradientIn(0, gradientIn);
    buffers.setTangentIn(0, tangentIn);
    buffers.setTangentOut(tangentOut);
    buffers.setExamples(true, 0, new long[count], count);
  }

  WeightLayer weights() {
    return (WeightLayer) layer;
  }

  double[] get(Rows rows) {
    double[] values = new double[count * rows.shape().size()];
    rows.get(values, count);
    return values;
  }

  private Rows rows(Shape shape, boolean activations) {
    Rows rows =
        activations
            ? Rows.activations(precision, count, shape)
            : Rows.derivatives(precision, count, shape);
    owned.add(rows);
    return rows;
  }

  void parameters(List<double[]> values, List<double[]> moves) {
    buffers.setParameters(values.stream().map(this::matrix).toList());
    buffers.setDirection(moves.stream().map(this::matrix).toList());
  }

  private Matrix matrix(double[] values) {
    LayerPart part = layer.parts().get(0);
    Matrix matrix = Matrix.zeros(precision, part.rows(), part.columns());
    matrix.put(0, values, 0, values.length);
    owned.add(matrix);
    return matrix;
  }

  /** What {@code work} adds to sums of {@code n} × {@code n} numbers, or of the parts' shape. */
  List<double[]> sums(int rows, int columns, BiConsumer<LayerBuffers, List<Accumulator>> work) {
    List<Matrix> matrices = new ArrayList<>();
    layer.parts().forEach(part -> matrices.add(Matrix.zeros(precision, rows, columns)));
    List<Accumulator> sums = matrices.stream().map(Accumulator::new).toList();
    work.accept(buffers, sums);
    List<double[]> values = sums.stream().map(sum -> lower(sum.sum(), rows != columns)).toList();
    matrices.forEach(Matrix::close);
    return values;
  }

  private static double[] lower(Matrix matrix, boolean all) {
    double[] values = matrix.toArray();
    for (int i = 0; i < values.length; i++) {
      boolean above = i % matrix.columns() > i / matrix.columns();
      values[i] = above && !all ? 0 : values[i];
    }
    return values;
  }

  @Override
  public void close() {
    for (AutoCloseable each : owned) {
      try {
        each.close();
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
