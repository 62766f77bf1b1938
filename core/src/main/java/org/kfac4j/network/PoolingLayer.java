package org.kfac4j.network;

import static java.util.Objects.requireNonNull;

import java.util.Arrays;
import java.util.List;

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

  @Override
  public boolean needsOutput() {
    return kind == Kind.MAX;
  }

  @Override
  public void forward(LayerBuffers buffers, int n) {
    double[] in = new double[inputs()];
    double[] out = new double[outputs()];
    for (int example = 0; example < n; example++) {
      buffers.in().get(example, in);
      if (kind == Kind.MAX) {
        maximum(in, out);
      } else {
        mean(in, out);
      }
      buffers.out().put(example, out);
    }
  }

  private void maximum(double[] in, double[] out) {
    int channels = window.in().channels();
    for (int t = 0; t < window.positions(); t++) {
      int to = t * channels;
      Arrays.fill(out, to, to + channels, Double.NEGATIVE_INFINITY);
      for (int e = 0; e < window.elements(); e++) {
        int from = source(t, e) * channels;
        for (int c = 0; from >= 0 && c < channels; c++) {
          // NaN is the maximum of everything.
          double v = in[from + c];
          out[to + c] = v <= out[to + c] ? out[to + c] : v;
        }
      }
    }
  }

  private void mean(double[] in, double[] out) {
    int channels = window.in().channels();
    for (int t = 0; t < window.positions(); t++) {
      int to = t * channels;
      double share = 1.0 / covered(t);
      Arrays.fill(out, to, to + channels, 0);
      for (int e = 0; e < window.elements(); e++) {
        int from = source(t, e) * channels;
        for (int c = 0; from >= 0 && c < channels; c++) {
          out[to + c] += share * in[from + c];
        }
      }
    }
  }

  /** To the first largest number of a window, or to all numbers alike. */
  @Override
  public void backward(LayerBuffers buffers, int n) {
    int channels = window.in().channels();
    double[] in = new double[inputs()];
    double[] out = new double[outputs()];
    double[] gradient = new double[outputs()];
    double[] result = new double[inputs()];
    for (int example = 0; example < n; example++) {
      buffers.gradientOut().get(example, gradient);
      Arrays.fill(result, 0);
      if (kind == Kind.MAX) {
        buffers.in().get(example, in);
        buffers.out().get(example, out);
      }
      for (int t = 0; t < window.positions(); t++) {
        int to = t * channels;
        double share = kind == Kind.MAX ? 1 : 1.0 / covered(t);
        for (int e = 0; e < window.elements(); e++) {
          int from = source(t, e) * channels;
          for (int c = 0; from >= 0 && c < channels; c++) {
            if (kind == Kind.AVERAGE) {
              result[from + c] += share * gradient[to + c];
            } else if (in[from + c] == out[to + c]) {
              result[from + c] += gradient[to + c];
              gradient[to + c] = 0;
            }
          }
        }
      }
      buffers.gradientIn().put(example, result);
    }
  }

  @Override
  public void tangent(LayerBuffers buffers, int n) {
    int channels = window.in().channels();
    Rows tangentIn = requireNonNull(buffers.tangentIn());
    double[] in = new double[inputs()];
    double[] out = new double[outputs()];
    double[] moving = new double[inputs()];
    double[] result = new double[outputs()];
    for (int example = 0; example < n; example++) {
      tangentIn.get(example, moving);
      if (kind == Kind.AVERAGE) {
        mean(moving, result);
      } else {
        buffers.in().get(example, in);
        buffers.out().get(example, out);
        for (int t = 0; t < window.positions(); t++) {
          int to = t * channels;
          for (int e = window.elements() - 1; e >= 0; e--) {
            int from = source(t, e) * channels;
            for (int c = 0; from >= 0 && c < channels; c++) {
              if (in[from + c] == out[to + c]) {
                result[to + c] = moving[from + c];
              }
            }
          }
        }
      }
      buffers.tangentOut().put(example, result);
    }
  }

  /** The map's position under element e at position t; negative if it is padding. */
  private int source(int t, int e) {
    return window.position(
        t / window.outWidth(),
        t % window.outWidth(),
        e / window.kernelWidth(),
        e % window.kernelWidth());
  }

  /** How many elements at position t are not padding. */
  private int covered(int t) {
    int count = 0;
    for (int e = 0; e < window.elements(); e++) {
      count += source(t, e) >= 0 ? 1 : 0;
    }
    return count;
  }
}
