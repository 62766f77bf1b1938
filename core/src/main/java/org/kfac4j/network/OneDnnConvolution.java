package org.kfac4j.network;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Precision;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A convolution by ND4J's {@code conv2d} and {@code conv2d_bp}, where {@link OneDnn} computes them:
 * two to five times as fast as products of patches, which {@link ConvolutionLayer} computes
 * elsewhere. X is in the order that these operations take.
 */
final class OneDnnConvolution {
  /** Numbers of pieces of scratch memory that are used beside piece 0, that of patches. */
  private static final int FLIPPED = 2;

  private static final int GRADIENT = 3;
  private static final int SECOND = 4;

  private final Window window;
  private final int filters;
  private final boolean hasBias;

  private OneDnnConvolution(Window window, int filters, boolean hasBias) {
    this.window = window;
    this.filters = filters;
    this.hasBias = hasBias;
  }

  /** Null where it does not apply. */
  static @Nullable OneDnnConvolution of(
      Window window, int filters, boolean hasBias, Precision precision) {
    return OneDnn.computes(window, window.out(filters), precision)
        ? new OneDnnConvolution(window, filters, hasBias)
        : null;
  }

  private int patch() {
    return window.elements() * window.in().channels();
  }

  private INDArray weights(Matrix x) {
    return kernel(x.top(patch()), window.in().channels(), filters);
  }

  private INDArray kernel(Matrix matrix, int from, int to) {
    return matrix.flat().reshape('c', window.kernelHeight(), window.kernelWidth(), from, to);
  }

  private INDArray bias(Matrix x) {
    return x.view((long) patch() * filters, 1, filters, filters).flat();
  }

  /** out ← [[in]] X. */
  void forward(Rows in, Matrix x, Rows out, int n) {
    List<INDArray> inputs = new ArrayList<>(List.of(OneDnn.maps(in, n), weights(x)));
    if (hasBias) {
      inputs.add(bias(x));
    }
    OneDnn.run("conv2d", inputs, List.of(OneDnn.maps(out, n)), OneDnn.convolution(window));
  }

  /** out ← out + [[in]] X without the bias. */
  void addForward(Rows in, Matrix x, Rows out, int n, Scratch scratch) {
    Shape shape = out.shape();
    Matrix second = scratch.matrix(SECOND, n, shape.size());
    INDArray maps = second.flat().reshape('c', n, shape.height(), shape.width(), shape.channels());
    OneDnn.run(
        "conv2d",
        List.of(OneDnn.maps(in, n), weights(x)),
        List.of(maps),
        OneDnn.convolution(window));
    out.whole(n).flat().addi(second.flat());
  }

  /**
   * Whether {@link #backward} applies: with a stride of 1 and padding that is even, the gradient
   * with respect to the input is a convolution of the gradient with the kernel turned around.
   */
  boolean canGoBackward() {
    return window.strideHeight() == 1
        && window.strideWidth() == 1
        && isEven(window.in().height(), window.outHeight(), window.kernelHeight(), window.padTop())
        && isEven(window.in().width(), window.outWidth(), window.kernelWidth(), window.padLeft());
  }

  /** Whether padding of the gradient on both sides makes it as large as the input. */
  private static boolean isEven(int in, int out, int kernel, int pad) {
    int back = kernel - 1 - pad;
    return back >= 0 && out + 2 * back - (kernel - 1) == in;
  }

  /** in ← the gradient with respect to the input. */
  void backward(Rows gradient, Matrix x, Rows in, int n, Scratch scratch) {
    int channels = window.in().channels();
    Matrix flipped = scratch.matrix(FLIPPED, window.elements() * filters, channels);
    flip(x, flipped);
    OneDnn.run(
        "conv2d",
        List.of(OneDnn.maps(gradient, n), kernel(flipped, filters, channels)),
        List.of(OneDnn.maps(in, n)),
        OneDnn.back(window));
  }

  /** flipped[elements − 1 − e, f, c] = X[e, c, f]. */
  private void flip(Matrix x, Matrix flipped) {
    int elements = window.elements();
    int channels = window.in().channels();
    float[] from = new float[patch() * filters];
    float[] to = new float[from.length];
    x.get(0, from, 0, from.length);
    for (int e = 0; e < elements; e++) {
      int source = e * channels * filters;
      int target = (elements - 1 - e) * channels * filters;
      for (int c = 0; c < channels; c++) {
        for (int f = 0; f < filters; f++) {
          to[target + f * channels + c] = from[source + c * filters + f];
        }
      }
    }
    flipped.put(0, to, 0, to.length);
  }

  /**
   * The gradients with respect to the input, in {@code result}, and to X.
   *
   * @return ∂L/∂X, which is lost when scratch memory is used again
   */
  Matrix backward(Rows in, Rows gradient, Matrix x, Rows result, int n, Scratch scratch) {
    Matrix sum = scratch.matrix(GRADIENT, patch() + (hasBias ? 1 : 0), filters);
    List<INDArray> inputs = new ArrayList<>(List.of(OneDnn.maps(in, n), weights(x)));
    List<INDArray> outputs = new ArrayList<>(List.of(OneDnn.maps(result, n), weights(sum)));
    if (hasBias) {
      inputs.add(bias(x));
      outputs.add(bias(sum));
    }
    inputs.add(OneDnn.maps(gradient, n));
    OneDnn.run("conv2d_bp", inputs, outputs, OneDnn.convolution(window));
    return sum;
  }
}
