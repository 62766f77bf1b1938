package org.kfac4j.network;

import static java.util.Objects.requireNonNull;

import java.util.Arrays;
import java.util.List;

/**
 * The largest, the mean or the sum of each channel over all positions of a map; a vector of
 * channels.
 *
 * @param name what messages and tables call it
 */
public record GlobalPoolingLayer(String name, Kind kind, Shape map) implements Layer {
  /** What is taken of a channel. */
  public enum Kind {
    MAX,
    AVERAGE,
    SUM
  }

  @Override
  public List<Shape> inputShapes() {
    return List.of(map);
  }

  @Override
  public Shape outputShape() {
    return Shape.vector(map.channels());
  }

  @Override
  public boolean needsOutput() {
    return kind == Kind.MAX;
  }

  /** What a number of the map counts in a mean or a sum. */
  private double share() {
    return kind == Kind.AVERAGE ? 1.0 / map.positions() : 1;
  }

  @Override
  public void forward(LayerBuffers buffers, int n) {
    double[] in = new double[map.size()];
    double[] out = new double[map.channels()];
    for (int example = 0; example < n; example++) {
      buffers.in().get(example, in);
      if (kind == Kind.MAX) {
        Arrays.fill(out, Double.NEGATIVE_INFINITY);
        for (int i = 0; i < in.length; i++) {
          int c = i % out.length;
          out[c] = in[i] <= out[c] ? out[c] : in[i];
        }
      } else {
        sum(in, out);
      }
      buffers.out().put(example, out);
    }
  }

  private void sum(double[] in, double[] out) {
    Arrays.fill(out, 0);
    for (int at = 0; at < in.length; at += out.length) {
      for (int c = 0; c < out.length; c++) {
        out[c] += share() * in[at + c];
      }
    }
  }

  /** To a channel's first largest number, or to all numbers alike. */
  @Override
  public void backward(LayerBuffers buffers, int n) {
    double[] in = new double[map.size()];
    double[] out = new double[map.channels()];
    double[] gradient = new double[map.channels()];
    double[] result = new double[map.size()];
    for (int example = 0; example < n; example++) {
      buffers.gradientOut().get(example, gradient);
      if (kind == Kind.MAX) {
        buffers.in().get(example, in);
        buffers.out().get(example, out);
        for (int i = 0; i < in.length; i++) {
          int c = i % out.length;
          boolean largest = in[i] == out[c];
          result[i] = largest ? gradient[c] : 0;
          gradient[c] = largest ? 0 : gradient[c];
        }
      } else {
        for (int i = 0; i < result.length; i++) {
          result[i] = share() * gradient[i % out.length];
        }
      }
      buffers.gradientIn().put(example, result);
    }
  }

  @Override
  public void tangent(LayerBuffers buffers, int n) {
    Rows tangentIn = requireNonNull(buffers.tangentIn());
    double[] in = new double[map.size()];
    double[] out = new double[map.channels()];
    double[] moving = new double[map.size()];
    double[] result = new double[map.channels()];
    for (int example = 0; example < n; example++) {
      tangentIn.get(example, moving);
      if (kind == Kind.MAX) {
        buffers.in().get(example, in);
        buffers.out().get(example, out);
        for (int i = in.length - 1; i >= 0; i--) {
          int c = i % out.length;
          result[c] = in[i] == out[c] ? moving[i] : result[c];
        }
      } else {
        sum(moving, result);
      }
      buffers.tangentOut().put(example, result);
    }
  }
}
