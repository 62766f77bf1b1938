package org.kfac4j.network;

import java.util.Arrays;

/**
 * The forward-mode derivative of max pooling, example by example, a whole row of output at a time:
 * for each element of the window what it covers is copied to a row of its own, so that loops are
 * long and use one index for all arrays; only such loops does the compiler vectorise. Keeps arrays
 * to work in; belongs to one thread.
 */
final class MaxPoolingTangent {
  /** Times this, a difference of two float32 numbers is 0 or at least 1. */
  private static final float FAR = 0x1p100f;

  private static final float FARTHER = 0x1p50f;

  private final Window window;
  private final int[] sources;
  private final int channels;
  private final int length;
  private final float[] covered;
  private final float[] row;
  private final float[] open;
  private final float[] share;
  private final float[] factor;

  /**
   * @param sources index in the map of the first channel under element e at position t, at t ·
   *     elements + e; −1 if padding
   */
  MaxPoolingTangent(Window window, int[] sources) {
    this.window = window;
    this.sources = sources;
    this.channels = window.in().channels();
    this.length = window.outWidth() * channels;
    this.covered = new float[length];
    this.row = new float[length];
    this.open = new float[length];
    this.share = new float[length];
    this.factor = new float[length];
  }

  /** {@code result} ← the derivatives of the maxima when {@code in} moves along {@code moving}. */
  void of(float[] in, float[] out, float[] moving, float[] result) {
    for (int y = 0; y < window.outHeight(); y++) {
      System.arraycopy(out, y * length, row, 0, length);
      Arrays.fill(open, 1);
      Arrays.fill(factor, 0);
      for (int e = 0; e < window.elements(); e++) {
        if (cover(in, y, e, Float.NEGATIVE_INFINITY)) {
          takeShare();
          cover(moving, y, e, 0);
          for (int k = 0; k < length; k++) {
            factor[k] += share[k] * covered[k];
          }
        }
      }
      System.arraycopy(factor, 0, result, y * length, length);
    }
  }

  /**
   * Copies what element e covers at the positions of output row y to {@code covered}.
   *
   * @param padding what stands for padding
   * @return whether there is anything but padding
   */
  private boolean cover(float[] in, int y, int e, float padding) {
    int row = window.row(y, e / window.kernelWidth());
    if (row < 0 || row >= window.in().height()) {
      return false;
    }
    for (int x = 0; x < window.outWidth(); x++) {
      int source = source(y, x, e);
      if (source >= 0) {
        System.arraycopy(in, source, covered, x * channels, channels);
      } else {
        Arrays.fill(covered, x * channels, (x + 1) * channels, padding);
      }
    }
    return true;
  }

  private int source(int y, int x, int e) {
    return sources[(y * window.outWidth() + x) * window.elements() + e];
  }

  /** share ← 1 where what is covered is the maximum and no earlier element was, else 0. */
  private void takeShare() {
    for (int k = 0; k < length; k++) {
      float isMaximum = 1 - Math.min(1, (row[k] - covered[k]) * FAR * FARTHER);
      share[k] = open[k] * isMaximum;
      open[k] -= share[k];
    }
  }
}
