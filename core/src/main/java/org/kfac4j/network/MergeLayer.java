package org.kfac4j.network;

import java.util.List;
import org.kfac4j.Check;

/**
 * Several values side by side: the channels of all at each position, in order.
 *
 * @param name what messages and tables call it
 */
public record MergeLayer(String name, List<Shape> inputShapes) implements Layer {
  public MergeLayer {
    inputShapes = List.copyOf(inputShapes);
    Shape first = inputShapes.get(0);
    for (Shape each : inputShapes) {
      Check.that(
          each.height() == first.height() && each.width() == first.width(),
          "%s: maps of %s and %s do not merge",
          name,
          first,
          each);
    }
  }

  @Override
  public Shape outputShape() {
    Shape first = inputShapes.get(0);
    return new Shape(
        first.height(),
        first.width(),
        inputShapes.stream().mapToInt(Shape::channels).reduce(0, Math::addExact));
  }

  @Override
  public void forward(LayerBuffers buffers, int n) {
    for (int k = 0; k < buffers.inputs(); k++) {
      copy(buffers.in(k), buffers.out(), k, n);
    }
  }

  @Override
  public void backward(LayerBuffers buffers, int n) {
    double[] whole = new double[outputs()];
    for (int k = 0; k < buffers.inputs(); k++) {
      double[] part = new double[inputShapes.get(k).size()];
      for (int example = 0; example < n; example++) {
        buffers.gradientOut().get(example, whole);
        forRuns(k, (from, to, length) -> System.arraycopy(whole, to, part, from, length));
        buffers.gradientIn(k).put(example, part);
      }
    }
  }

  @Override
  public void tangent(LayerBuffers buffers, int n) {
    for (int k = 0; k < buffers.inputs(); k++) {
      Rows moving = buffers.tangentIn(k);
      if (moving != null) {
        copy(moving, buffers.tangentOut(), k, n);
      } else {
        double[] whole = new double[outputs()];
        for (int example = 0; example < n; example++) {
          buffers.tangentOut().get(example, whole);
          forRuns(k, (from, to, length) -> java.util.Arrays.fill(whole, to, to + length, 0));
          buffers.tangentOut().put(example, whole);
        }
      }
    }
  }

  private void copy(Rows in, Rows out, int k, int n) {
    double[] part = new double[inputShapes.get(k).size()];
    double[] whole = new double[outputs()];
    for (int example = 0; example < n; example++) {
      in.get(example, part);
      out.get(example, whole);
      forRuns(k, (from, to, length) -> System.arraycopy(part, from, whole, to, length));
      out.put(example, whole);
    }
  }

  /** Where {@code length} numbers of the k-th input at {@code from} are in the output. */
  @FunctionalInterface
  private interface Run {
    void apply(int from, int to, int length);
  }

  private void forRuns(int k, Run run) {
    int before = 0;
    for (int i = 0; i < k; i++) {
      before += inputShapes.get(i).channels();
    }
    int channels = inputShapes.get(k).channels();
    Shape out = outputShape();
    for (int p = 0; p < out.positions(); p++) {
      run.apply(p * channels, p * out.channels() + before, channels);
    }
  }
}
