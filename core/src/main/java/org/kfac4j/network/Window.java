package org.kfac4j.network;

import java.io.Serializable;
import org.kfac4j.Check;

/**
 * Where a kernel is applied to a map: at outHeight × outWidth positions, whose upper left corners
 * lie stride apart from (−padTop, −padLeft) on; element (i, j) of the kernel is dilation times i
 * rows and j columns from the corner. What lies outside the map counts as zero, or as absent in
 * pooling.
 */
public record Window(
    Shape in,
    int outHeight,
    int outWidth,
    int kernelHeight,
    int kernelWidth,
    int strideHeight,
    int strideWidth,
    int padTop,
    int padLeft,
    int dilationHeight,
    int dilationWidth)
    implements Serializable {
  public Window {
    Check.that(
        kernelHeight >= 1 && kernelWidth >= 1 && strideHeight >= 1 && strideWidth >= 1,
        "kernel and stride must be at least 1, got %d × %d and %d × %d",
        kernelHeight,
        kernelWidth,
        strideHeight,
        strideWidth);
    Check.that(
        dilationHeight >= 1 && dilationWidth >= 1 && padTop >= 0 && padLeft >= 0,
        "dilation must be at least 1 and padding at least 0, got %d × %d and %d, %d",
        dilationHeight,
        dilationWidth,
        padTop,
        padLeft);
    Check.that(
        outHeight >= 1 && outWidth >= 1,
        "a %d × %d kernel does not fit",
        kernelHeight,
        kernelWidth);
  }

  /**
   * With {@code padding} rows and columns of zeros on all four sides; positions that do not fit
   * completely are left out.
   */
  public static Window padded(Shape in, int[] kernel, int[] stride, int[] padding, int[] dilation) {
    return new Window(
        in,
        (in.height() + 2 * padding[0] - extent(kernel[0], dilation[0])) / stride[0] + 1,
        (in.width() + 2 * padding[1] - extent(kernel[1], dilation[1])) / stride[1] + 1,
        kernel[0],
        kernel[1],
        stride[0],
        stride[1],
        padding[0],
        padding[1],
        dilation[0],
        dilation[1]);
  }

  /**
   * With as many positions as the map has divided by the stride, rounded up; padding is even, or
   * one more below and to the right.
   */
  public static Window same(Shape in, int[] kernel, int[] stride, int[] dilation) {
    int outHeight = (in.height() + stride[0] - 1) / stride[0];
    int outWidth = (in.width() + stride[1] - 1) / stride[1];
    int missingHeight = (outHeight - 1) * stride[0] + extent(kernel[0], dilation[0]) - in.height();
    int missingWidth = (outWidth - 1) * stride[1] + extent(kernel[1], dilation[1]) - in.width();
    return new Window(
        in,
        outHeight,
        outWidth,
        kernel[0],
        kernel[1],
        stride[0],
        stride[1],
        Math.max(0, missingHeight) / 2,
        Math.max(0, missingWidth) / 2,
        dilation[0],
        dilation[1]);
  }

  /** Rows or columns from the first to the last element of a kernel. */
  public static int extent(int kernel, int dilation) {
    return dilation * (kernel - 1) + 1;
  }

  /** T, the positions that the kernel is applied at. */
  public int positions() {
    return outHeight * outWidth;
  }

  /** Elements of the kernel. */
  public int elements() {
    return kernelHeight * kernelWidth;
  }

  /** The map that has {@code channels} at each position of the kernel. */
  public Shape out(int channels) {
    return new Shape(outHeight, outWidth, channels);
  }

  /** The row of the map that element row i is on at output row y; outside if it is padding. */
  public int row(int y, int i) {
    return y * strideHeight - padTop + i * dilationHeight;
  }

  /** The column of the map that element column j is on at output column x. */
  public int column(int x, int j) {
    return x * strideWidth - padLeft + j * dilationWidth;
  }

  /** Index of the map's position under element (i, j) at output (y, x); −1 if it is padding. */
  public int position(int y, int x, int i, int j) {
    int row = row(y, i);
    int column = column(x, j);
    return row >= 0 && row < in.height() && column >= 0 && column < in.width()
        ? row * in.width() + column
        : -1;
  }
}
