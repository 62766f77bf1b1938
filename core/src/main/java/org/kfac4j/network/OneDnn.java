package org.kfac4j.network;

import java.util.List;
import org.kfac4j.linalg.Precision;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.factory.Nd4j;

/**
 * ND4J's operations on maps where they compute with oneDNN: in single precision, with a build of
 * ND4J's natives that has it, without dilation (with which they fail), on maps of more than one
 * position. Maps are in the order that these operations take with channels last, so nothing is
 * copied. Elsewhere they are slow, and layers compute by themselves.
 */
final class OneDnn {
  /** A file of the build with oneDNN; a folder would not be found in every jar. */
  private static final String NATIVES =
      "/org/nd4j/linalg/cpu/nativecpu/bindings/linux-x86_64-onednn-avx2/libnd4jcpu.so";

  private static final boolean AVAILABLE = OneDnn.class.getResource(NATIVES) != null;

  private OneDnn() {}

  /**
   * Whether operations with this window compute with oneDNN.
   *
   * @param out what comes out
   */
  static boolean computes(Window window, Shape out, Precision precision) {
    return AVAILABLE
        && precision == Precision.FLOAT
        && window.dilationHeight() == 1
        && window.dilationWidth() == 1
        && !window.in().isVector()
        && !out.isVector()
        && (isPadded(window) || isSame(window));
  }

  private static boolean isPadded(Window w) {
    int[] padding = {w.padTop(), w.padLeft()};
    return w.equals(Window.padded(w.in(), kernel(w), stride(w), padding, new int[] {1, 1}));
  }

  private static boolean isSame(Window w) {
    return w.equals(Window.same(w.in(), kernel(w), stride(w), new int[] {1, 1}));
  }

  private static int[] kernel(Window w) {
    return new int[] {w.kernelHeight(), w.kernelWidth()};
  }

  private static int[] stride(Window w) {
    return new int[] {w.strideHeight(), w.strideWidth()};
  }

  /** The first n maps, [n, height, width, channels]. */
  static INDArray maps(Rows rows, int n) {
    Shape shape = rows.shape();
    return rows.whole(n).flat().reshape('c', n, shape.height(), shape.width(), shape.channels());
  }

  /** The window as a convolution's arguments. */
  static int[] convolution(Window w) {
    return arguments(w, w.padTop(), w.padLeft(), !isPadded(w));
  }

  /** Those of the convolution back from the gradient, with the kernel turned around. */
  static int[] back(Window w) {
    return arguments(
        w, w.kernelHeight() - 1 - w.padTop(), w.kernelWidth() - 1 - w.padLeft(), false);
  }

  /** The window as a pooling's arguments; padding does not count in a mean. */
  static int[] pooling(Window w) {
    int[] arguments = arguments(w, w.padTop(), w.padLeft(), !isPadded(w));
    int[] more = java.util.Arrays.copyOf(arguments, arguments.length + 1);
    more[more.length - 1] = more[more.length - 2];
    more[more.length - 2] = 0;
    return more;
  }

  private static int[] arguments(Window w, int padTop, int padLeft, boolean same) {
    return new int[] {
      w.kernelHeight(),
      w.kernelWidth(),
      w.strideHeight(),
      w.strideWidth(),
      padTop,
      padLeft,
      1,
      1,
      same ? 1 : 0,
      1 // channels last
    };
  }

  static void run(
      String operation, List<INDArray> inputs, List<INDArray> outputs, int[] arguments) {
    Nd4j.getExecutioner()
        .exec(
            DynamicCustomOp.builder(operation)
                .addInputs(inputs.toArray(INDArray[]::new))
                .addOutputs(outputs.toArray(INDArray[]::new))
                .addIntegerArguments(arguments)
                .build());
  }
}
