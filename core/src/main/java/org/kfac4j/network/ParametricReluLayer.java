package org.kfac4j.network;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.kfac4j.linalg.Accumulator;
import org.kfac4j.linalg.Matrix;

/**
 * A rectifier that learns its slope on the left, He et al. 2015, arXiv:1502.01852: y = x where x is
 * not negative, α x elsewhere, with one α for each channel of a map or number of a vector.
 *
 * @param name what messages and tables call it
 */
public record ParametricReluLayer(String name, Shape shape) implements ScaleLayer {
  @Override
  public List<Shape> inputShapes() {
    return List.of(shape);
  }

  @Override
  public Shape outputShape() {
    return shape;
  }

  @Override
  public List<LayerPart> parts() {
    return List.of(new LayerPart(1, shape.channels(), false, ParameterRole.OTHER));
  }

  @Override
  public void forward(LayerBuffers buffers, int n) {
    double[] alpha = buffers.parameters().toArray();
    double[] x = new double[shape.size()];
    for (int example = 0; example < n; example++) {
      buffers.in().get(example, x);
      for (int i = 0; i < x.length; i++) {
        x[i] = x[i] < 0 ? alpha[i % alpha.length] * x[i] : x[i];
      }
      buffers.out().put(example, x);
    }
  }

  @Override
  public void backward(LayerBuffers buffers, int n) {
    timesSlope(buffers, buffers.gradientOut(), buffers.gradientIn(), null, n);
  }

  /** ẏ = ẋ or α ẋ + α̇ x. */
  @Override
  public void tangent(LayerBuffers buffers, int n) {
    double[] moves = buffers.direction().toArray();
    timesSlope(buffers, buffers.tangentIn(), buffers.tangentOut(), moves, n);
  }

  /**
   * to ← from times the slope, plus what moving α adds.
   *
   * @param from null for zeros
   * @param moves of α, or null
   */
  private void timesSlope(
      LayerBuffers buffers, @Nullable Rows from, Rows to, double @Nullable [] moves, int n) {
    double[] alpha = buffers.parameters().toArray();
    double[] x = new double[shape.size()];
    double[] values = new double[shape.size()];
    for (int example = 0; example < n; example++) {
      buffers.in().get(example, x);
      if (from != null) {
        from.get(example, values);
      } else {
        Arrays.fill(values, 0);
      }
      for (int i = 0; i < x.length; i++) {
        if (x[i] < 0) {
          int channel = i % alpha.length;
          values[i] = alpha[channel] * values[i] + (moves == null ? 0 : moves[channel] * x[i]);
        }
      }
      to.put(example, values);
    }
  }

  @Override
  public void addGradient(LayerBuffers buffers, int n, List<Accumulator> sums) {
    double[] sum = new double[shape.channels()];
    double[] x = new double[shape.size()];
    double[] g = new double[shape.size()];
    for (int example = 0; example < n; example++) {
      addGradient(buffers, example, x, g, sum);
    }
    sums.get(0).add(sum);
  }

  /** sum += Σ_t g min(x, 0) of one example. */
  private static void addGradient(
      LayerBuffers buffers, int example, double[] x, double[] g, double[] sum) {
    buffers.in().get(example, x);
    buffers.gradientOut().get(example, g);
    for (int i = 0; i < x.length; i++) {
      sum[i % sum.length] += x[i] < 0 ? g[i] * x[i] : 0;
    }
  }

  @Override
  public void exampleGradients(LayerBuffers buffers, int n, Matrix gradients) {
    double[] x = new double[shape.size()];
    double[] g = new double[shape.size()];
    for (int example = 0; example < n; example++) {
      double[] sum = new double[shape.channels()];
      addGradient(buffers, example, x, g, sum);
      gradients.put((long) example * sum.length, sum, 0, sum.length);
    }
  }
}
