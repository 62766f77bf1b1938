package org.kfac4j.network;

import static java.util.Objects.requireNonNull;

import java.util.Arrays;
import java.util.List;
import org.kfac4j.linalg.Precision;

/**
 * The largest or the mean of what a window covers, channel by channel. Padding is absent: it is no
 * maximum and does not count in a mean.
 *
 * @param name what messages and tables call it
 */
public record PoolingLayer(String name, Kind kind, Window window) implements Layer {
  /** What is taken of a window. */
  public enum Kind {
    MAX,
    AVERAGE
  }

  @Override
  public List<Shape> inputShapes() {
    return List.of(window.in());
  }

  @Override
  public Shape outputShape() {
    return window.out(window.in().channels());
  }

  /**
   * What is kept between passes: where the windows' elements are, and which of them was the
   * largest.
   */
  private static final class Memory {
    /** Index in the map of the first channel under element e at position t; −1 if padding. */
    final int[] sources;

    /** 1 / how many elements at position t are not padding. */
    final double[] shares;

    /** Index in the map of what each number of an output is, example by example. */
    int[] largest = new int[0];

    /** Of how many examples of the block that is known. */
    int searched;

    final MaxPoolingTangent tangent;

    Memory(Window window) {
      int elements = window.elements();
      sources = new int[window.positions() * elements];
      shares = new double[window.positions()];
      for (int t = 0; t < shares.length; t++) {
        int covered = 0;
        for (int e = 0; e < elements; e++) {
          int position =
              window.position(
                  t / window.outWidth(),
                  t % window.outWidth(),
                  e / window.kernelWidth(),
                  e % window.kernelWidth());
          sources[t * elements + e] = position < 0 ? -1 : position * window.in().channels();
          covered += position < 0 ? 0 : 1;
        }
        shares[t] = 1.0 / covered;
      }
      tangent = new MaxPoolingTangent(window, sources);
    }
  }

  @Override
  public boolean needsOutput() {
    return kind == Kind.MAX;
  }

  private Memory memory(LayerBuffers buffers) {
    return buffers.memory(() -> new Memory(window));
  }

  @Override
  public void forward(LayerBuffers buffers, int n) {
    Memory memory = memory(buffers);
    memory.searched = 0;
    if (usesOneDnn(buffers)) {
      pool(buffers.in(), buffers.out(), n);
      return;
    }
    double[] in = new double[inputs()];
    double[] out = new double[outputs()];
    for (int example = 0; example < n; example++) {
      buffers.in().get(example, in);
      if (kind == Kind.MAX) {
        maximum(memory, in, out);
      } else {
        mean(memory, in, out);
      }
      buffers.out().put(example, out);
    }
  }

  private boolean usesOneDnn(LayerBuffers buffers) {
    return OneDnn.computes(window, outputShape(), buffers.scratch().precision());
  }

  private String operation() {
    return kind == Kind.MAX ? "maxpool2d" : "avgpool2d";
  }

  private void pool(Rows in, Rows out, int n) {
    OneDnn.run(
        operation(),
        List.of(OneDnn.maps(in, n)),
        List.of(OneDnn.maps(out, n)),
        OneDnn.pooling(window));
  }

  /** NaN is larger than any number. */
  private void maximum(Memory memory, double[] in, double[] out) {
    int channels = window.in().channels();
    int elements = window.elements();
    Arrays.fill(out, Double.NEGATIVE_INFINITY);
    for (int i = 0; i < out.length; i++) {
      int t = i / channels;
      for (int e = 0; e < elements; e++) {
        int from = memory.sources[t * elements + e];
        out[i] = from < 0 ? out[i] : Math.max(out[i], in[from + i % channels]);
      }
    }
  }

  /** Finds which element of each window was the largest; of several the first. */
  private void search(Memory memory, LayerBuffers buffers, int n) {
    if (memory.searched >= n) {
      return;
    }
    int channels = window.in().channels();
    int elements = window.elements();
    double[] in = new double[inputs()];
    double[] out = new double[outputs()];
    if (memory.largest.length < n * out.length) {
      memory.largest = new int[buffers.out().capacity() * out.length];
    }
    for (int example = memory.searched; example < n; example++) {
      buffers.in().get(example, in);
      buffers.out().get(example, out);
      for (int t = 0, i = 0; t < memory.shares.length; t++) {
        for (int c = 0; c < channels; c++, i++) {
          int found = 0;
          for (int e = t * elements; e < (t + 1) * elements; e++) {
            int from = memory.sources[e] + c;
            if (from >= c && in[from] == out[i]) {
              found = from;
              break;
            }
          }
          memory.largest[example * out.length + i] = found;
        }
      }
    }
    memory.searched = n;
  }

  private void mean(Memory memory, double[] in, double[] out) {
    int channels = window.in().channels();
    int elements = window.elements();
    Arrays.fill(out, 0);
    for (int t = 0; t < memory.shares.length; t++) {
      for (int e = 0; e < elements; e++) {
        int from = memory.sources[t * elements + e];
        if (from >= 0) {
          add(memory.shares[t], in, from, out, t * channels, channels);
        }
      }
    }
  }

  private static void add(double factor, double[] from, int at, double[] to, int there, int n) {
    for (int c = 0; c < n; c++) {
      to[there + c] += factor * from[at + c];
    }
  }

  /** To the largest number of a window, or to all numbers alike. */
  @Override
  public void backward(LayerBuffers buffers, int n) {
    if (usesOneDnn(buffers)) {
      OneDnn.run(
          operation() + "_bp",
          List.of(OneDnn.maps(buffers.in(), n), OneDnn.maps(buffers.gradientOut(), n)),
          List.of(OneDnn.maps(buffers.gradientIn(), n)),
          OneDnn.pooling(window));
      return;
    }
    Memory memory = memory(buffers);
    if (kind == Kind.MAX) {
      search(memory, buffers, n);
    }
    int channels = window.in().channels();
    int elements = window.elements();
    double[] gradient = new double[outputs()];
    double[] result = new double[inputs()];
    for (int example = 0; example < n; example++) {
      buffers.gradientOut().get(example, gradient);
      Arrays.fill(result, 0);
      if (kind == Kind.MAX) {
        for (int i = 0; i < gradient.length; i++) {
          result[memory.largest[example * gradient.length + i]] += gradient[i];
        }
      } else {
        for (int t = 0; t < memory.shares.length; t++) {
          for (int e = 0; e < elements; e++) {
            int from = memory.sources[t * elements + e];
            if (from >= 0) {
              add(memory.shares[t], gradient, t * channels, result, from, channels);
            }
          }
        }
      }
      buffers.gradientIn().put(example, result);
    }
  }

  @Override
  public void tangent(LayerBuffers buffers, int n) {
    Memory memory = memory(buffers);
    Rows tangentIn = requireNonNull(buffers.tangentIn());
    if (kind == Kind.AVERAGE && usesOneDnn(buffers)) {
      pool(tangentIn, buffers.tangentOut(), n);
      return;
    }
    if (kind == Kind.MAX && buffers.scratch().precision() == Precision.FLOAT) {
      float[] in = new float[inputs()];
      float[] out = new float[outputs()];
      float[] moving = new float[inputs()];
      float[] result = new float[outputs()];
      for (int example = 0; example < n; example++) {
        buffers.in().get(example, in);
        buffers.out().get(example, out);
        tangentIn.get(example, moving);
        memory.tangent.of(in, out, moving, result);
        buffers.tangentOut().put(example, result);
      }
      return;
    }
    if (kind == Kind.MAX) {
      search(memory, buffers, n);
    }
    double[] moving = new double[inputs()];
    double[] result = new double[outputs()];
    for (int example = 0; example < n; example++) {
      tangentIn.get(example, moving);
      if (kind == Kind.MAX) {
        for (int i = 0; i < result.length; i++) {
          result[i] = moving[memory.largest[example * result.length + i]];
        }
      } else {
        mean(memory, moving, result);
      }
      buffers.tangentOut().put(example, result);
    }
  }
}
