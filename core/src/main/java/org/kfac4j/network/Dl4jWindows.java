package org.kfac4j.network;

import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.jspecify.annotations.Nullable;

/** DL4J's kernels, strides, paddings, dilations and convolution modes as a {@link Window}. */
final class Dl4jWindows {
  private Dl4jWindows() {}

  /**
   * @throws org.kfac4j.InvalidInputException naming what is not supported or does not fit the map
   */
  static Window of(
      Shape map,
      @Nullable ConvolutionMode mode,
      int[] kernel,
      int[] stride,
      int[] padding,
      int[] dilation,
      Refusal here) {
    two("kernelSize", kernel, 1, here);
    two("stride", stride, 1, here);
    two("dilation", dilation, 1, here);
    if (mode == ConvolutionMode.Same) {
      return Window.same(map, kernel, stride, dilation);
    }
    two("padding", padding, 0, here);
    // DL4J's default where a configuration says nothing is Truncate.
    here.unless(
        mode == null || mode == ConvolutionMode.Strict || mode == ConvolutionMode.Truncate,
        "convolutionMode",
        mode);
    int[] room = {
      map.height() + 2 * padding[0] - Window.extent(kernel[0], dilation[0]),
      map.width() + 2 * padding[1] - Window.extent(kernel[1], dilation[1])
    };
    here.require(
        room[0] >= 0 && room[1] >= 0,
        "a kernel of %d × %d with dilation %d, %d does not fit a map of %s with padding %d, %d",
        kernel[0],
        kernel[1],
        dilation[0],
        dilation[1],
        map,
        padding[0],
        padding[1]);
    here.require(
        mode != ConvolutionMode.Strict || (room[0] % stride[0] == 0 && room[1] % stride[1] == 0),
        "convolutionMode Strict: stride %d, %d leaves part of a map of %s over",
        stride[0],
        stride[1],
        map);
    return Window.padded(map, kernel, stride, padding, dilation);
  }

  private static void two(String setting, int @Nullable [] values, int least, Refusal here) {
    here.unless(
        values != null
            && values.length == 2
            && values[0] >= least
            && values[1] >= least
            && values[0] < 1 << 15
            && values[1] < 1 << 15,
        setting,
        java.util.Arrays.toString(values));
  }
}
