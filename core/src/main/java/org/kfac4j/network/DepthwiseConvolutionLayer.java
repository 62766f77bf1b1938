package org.kfac4j.network;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.kfac4j.Check;
import org.kfac4j.linalg.Accumulator;
import org.kfac4j.linalg.Matrix;

/**
 * A convolution in which every channel c has {@code multiplier} filters of its own, which see only
 * that channel: s_t = [[A]]_{t,c} X_c with X_c = [kernel elements + 1, multiplier], the bias as its
 * last row. Outputs are numbered by channel, then filter. Each X_c is a part with a Fisher block of
 * its own, taken for Ω_c ⊗ Γ_c as KFC does (arXiv:1602.01407); blocks between channels are left
 * out.
 *
 * <p>Computes in float64, example by example.
 *
 * @param name what messages and tables call it
 */
public record DepthwiseConvolutionLayer(String name, Window window, int multiplier, boolean hasBias)
    implements WeightLayer {
  public DepthwiseConvolutionLayer {
    Check.that(multiplier >= 1, "%s: a channel needs filters of its own, got %d", name, multiplier);
  }

  @Override
  public List<Shape> inputShapes() {
    return List.of(window.in());
  }

  @Override
  public Shape outputShape() {
    return window.out(channels() * multiplier);
  }

  @Override
  public List<LayerPart> parts() {
    return Collections.nCopies(
        channels(), new LayerPart(rows(), multiplier, hasBias, ParameterRole.WEIGHTS));
  }

  private int channels() {
    return window.in().channels();
  }

  /** Rows of each X_c. */
  private int rows() {
    return window.elements() + (hasBias ? 1 : 0);
  }

  /** Channels that come out. */
  private int width() {
    return channels() * multiplier;
  }

  /**
   * Where patches come from: position of the map under element e at position t, at t · elements +
   * e; −1 if padding.
   */
  private int[] sources(LayerBuffers buffers) {
    return buffers.memory(
        () -> {
          int elements = window.elements();
          int[] sources = new int[window.positions() * elements];
          for (int i = 0; i < sources.length; i++) {
            int t = i / elements;
            int e = i % elements;
            sources[i] =
                window.position(
                    t / window.outWidth(),
                    t % window.outWidth(),
                    e / window.kernelWidth(),
                    e % window.kernelWidth());
          }
          return sources;
        });
  }

  /** Row e of all X_c side by side, [rows, width]. */
  private double[] table(LayerBuffers buffers, boolean direction) {
    double[] table = new double[rows() * width()];
    for (int c = 0; c < channels(); c++) {
      Matrix x = direction ? buffers.direction(c) : buffers.parameters(c);
      double[] values = x.toArray();
      for (int i = 0; i < values.length; i++) {
        table[i / multiplier * width() + c * multiplier + i % multiplier] = values[i];
      }
    }
    return table;
  }

  /** An example's map with each channel as often as it has filters. */
  private void repeated(Rows rows, int example, double[] map, double[] repeated) {
    rows.get(example, map);
    for (int i = 0; i < repeated.length; i++) {
      repeated[i] = map[i / multiplier];
    }
  }

  @Override
  public void forward(LayerBuffers buffers, int n) {
    double[] table = table(buffers, false);
    double[] map = new double[inputs()];
    double[] wide = new double[inputs() * multiplier];
    double[] out = new double[outputs()];
    for (int example = 0; example < n; example++) {
      repeated(buffers.in(), example, map, wide);
      Arrays.fill(out, 0);
      convolve(sources(buffers), wide, table, hasBias, out);
      buffers.out().put(example, out);
    }
  }

  /** ṡ = [[A]] V + [[Ȧ]] X₀, with X₀ the rows of X without the bias. */
  @Override
  public void tangent(LayerBuffers buffers, int n) {
    double[] table = table(buffers, false);
    double[] moves = table(buffers, true);
    double[] map = new double[inputs()];
    double[] wide = new double[inputs() * multiplier];
    double[] out = new double[outputs()];
    Rows moving = buffers.tangentIn();
    for (int example = 0; example < n; example++) {
      repeated(buffers.in(), example, map, wide);
      Arrays.fill(out, 0);
      convolve(sources(buffers), wide, moves, hasBias, out);
      if (moving != null) {
        repeated(moving, example, map, wide);
        convolve(sources(buffers), wide, table, false, out);
      }
      buffers.tangentOut().put(example, out);
    }
  }

  private void convolve(int[] sources, double[] wide, double[] table, boolean bias, double[] out) {
    int width = width();
    int elements = window.elements();
    for (int t = 0; t < window.positions(); t++) {
      for (int e = 0; e < elements; e++) {
        int source = sources[t * elements + e];
        if (source >= 0) {
          addProducts(wide, source * width, table, e * width, out, t * width, width);
        }
      }
      for (int k = 0; bias && k < width; k++) {
        out[t * width + k] += table[elements * width + k];
      }
    }
  }

  /** {@code to[t + k] += a[i + k] b[j + k]}, k &lt; n. */
  private static void addProducts(double[] a, int i, double[] b, int j, double[] to, int t, int n) {
    for (int k = 0; k < n; k++) {
      to[t + k] += a[i + k] * b[j + k];
    }
  }

  @Override
  public void backward(LayerBuffers buffers, int n) {
    double[] table = table(buffers, false);
    int[] sources = sources(buffers);
    int width = width();
    int elements = window.elements();
    double[] gradient = new double[outputs()];
    double[] wide = new double[inputs() * multiplier];
    double[] result = new double[inputs()];
    for (int example = 0; example < n; example++) {
      buffers.gradientOut().get(example, gradient);
      Arrays.fill(wide, 0);
      for (int i = 0; i < sources.length; i++) {
        if (sources[i] >= 0) {
          int t = i / elements;
          int e = i % elements;
          addProducts(gradient, t * width, table, e * width, wide, sources[i] * width, width);
        }
      }
      Arrays.fill(result, 0);
      for (int i = 0; i < wide.length; i++) {
        result[i / multiplier] += wide[i];
      }
      buffers.gradientIn().put(example, result);
    }
  }

  /** Σ [[A]]_cᵀ g_c, over positions too. */
  @Override
  public void addGradient(LayerBuffers buffers, int n, List<Accumulator> sums) {
    int[] sources = sources(buffers);
    int width = width();
    int elements = window.elements();
    double[] map = new double[inputs()];
    double[] wide = new double[inputs() * multiplier];
    double[] gradient = new double[outputs()];
    double[] sum = new double[rows() * width];
    for (int example = 0; example < n; example++) {
      repeated(buffers.in(), example, map, wide);
      buffers.gradientOut().get(example, gradient);
      for (int t = 0; t < window.positions(); t++) {
        for (int e = 0; e < elements; e++) {
          int source = sources[t * elements + e];
          if (source >= 0) {
            addProducts(wide, source * width, gradient, t * width, sum, e * width, width);
          }
        }
        for (int k = 0; hasBias && k < width; k++) {
          sum[elements * width + k] += gradient[t * width + k];
        }
      }
    }
    for (int c = 0; c < channels(); c++) {
      double[] part = new double[rows() * multiplier];
      for (int i = 0; i < part.length; i++) {
        part[i] = sum[i / multiplier * width + c * multiplier + i % multiplier];
      }
      sums.get(c).add(part);
    }
  }

  @Override
  public void addInputMoments(
      LayerBuffers buffers, int n, WeightSharing sharing, List<Accumulator> sums) {
    int[] sources = sources(buffers);
    int rows = rows();
    int channels = channels();
    double[] map = new double[inputs()];
    double[] patch = new double[rows * channels];
    double[] sum = new double[rows * rows * channels];
    for (int example = 0; example < n; example++) {
      buffers.in().get(example, map);
      Arrays.fill(patch, 0);
      for (int t = 0; t < window.positions(); t++) {
        addPatch(sources, t, map, patch);
        if (sharing != WeightSharing.REDUCE) {
          addSquares(patch, rows, channels, sum);
          Arrays.fill(patch, 0);
        }
      }
      if (sharing == WeightSharing.REDUCE) {
        addSquares(patch, rows, channels, sum);
      }
    }
    put(sum, rows, channels, sharing.inputScale(window.positions()), sums);
  }

  /** patch += what is covered at position t, with ones for the bias; [rows, channels]. */
  private void addPatch(int[] sources, int t, double[] map, double[] patch) {
    int channels = channels();
    int elements = window.elements();
    for (int e = 0; e < elements; e++) {
      int source = sources[t * elements + e];
      for (int c = 0; source >= 0 && c < channels; c++) {
        patch[e * channels + c] += map[source * channels + c];
      }
    }
    for (int c = 0; hasBias && c < channels; c++) {
      patch[elements * channels + c] += 1;
    }
  }

  /** sum[i, j, c] += x[i, c] x[j, c] for j ≤ i. */
  private static void addSquares(double[] x, int rows, int channels, double[] sum) {
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j <= i; j++) {
        addProducts(x, i * channels, x, j * channels, sum, (i * rows + j) * channels, channels);
      }
    }
  }

  /** Adds to the lower triangle of each channel's sum. */
  private static void put(
      double[] sum, int rows, int channels, double scale, List<Accumulator> sums) {
    for (int c = 0; c < channels; c++) {
      double[] part = new double[rows * rows];
      for (int i = 0; i < part.length; i++) {
        part[i] = scale * sum[i * channels + c];
      }
      sums.get(c).add(part);
    }
  }

  @Override
  public void addGradientMoments(
      LayerBuffers buffers, int n, WeightSharing sharing, List<Accumulator> sums) {
    int channels = channels();
    double[] gradient = new double[outputs()];
    double[] row = new double[width()];
    double[] sum = new double[multiplier * multiplier * channels];
    for (int example = 0; example < n; example++) {
      buffers.gradientOut().get(example, gradient);
      Arrays.fill(row, 0);
      for (int t = 0; t < window.positions(); t++) {
        for (int k = 0; k < row.length; k++) {
          // Filter by filter, channels together.
          row[k % multiplier * channels + k / multiplier] += gradient[t * row.length + k];
        }
        if (sharing != WeightSharing.REDUCE) {
          addSquares(row, multiplier, channels, sum);
          Arrays.fill(row, 0);
        }
      }
      if (sharing == WeightSharing.REDUCE) {
        addSquares(row, multiplier, channels, sum);
      }
    }
    put(sum, multiplier, channels, sharing.gradientScale(window.positions()), sums);
  }

  @Override
  public void forRows(LayerBuffers buffers, int n, RowWork work) {
    int[] sources = sources(buffers);
    int rows = rows();
    int channels = channels();
    int positions = window.positions();
    double[] map = new double[inputs()];
    double[] gradient = new double[outputs()];
    double[] patch = new double[rows * channels];
    double[] inputs = new double[channels * positions * rows];
    double[] gradients = new double[channels * positions * multiplier];
    for (int example = 0; example < n; example++) {
      buffers.in().get(example, map);
      buffers.gradientOut().get(example, gradient);
      for (int t = 0; t < positions; t++) {
        Arrays.fill(patch, 0);
        addPatch(sources, t, map, patch);
        for (int i = 0; i < patch.length; i++) {
          inputs[(i % channels * positions + t) * rows + i / channels] = patch[i];
        }
        for (int k = 0; k < width(); k++) {
          gradients[(k / multiplier * positions + t) * multiplier + k % multiplier] =
              gradient[t * width() + k];
        }
      }
      for (int c = 0; c < channels; c++) {
        Matrix a = buffers.scratch().matrix(0, positions, rows);
        Matrix g = buffers.scratch().matrix(1, positions, multiplier);
        a.put(0, inputs, c * positions * rows, positions * rows);
        g.put(0, gradients, c * positions * multiplier, positions * multiplier);
        work.apply(c, example, 1, a, g);
      }
    }
  }
}
