package org.kfac4j.network;

import java.util.Arrays;
import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Precision;

/**
 * Sums over and linear functions of all positions, channel by channel: x is a matrix whose rows are
 * positions and whose columns are channels, in one piece of memory, perhaps with one more column.
 * Works on tiles of many positions, which repeat each channel's coefficients, because the compiler
 * vectorises only long loops. Sums are float64. Keeps arrays to work in; belongs to one thread.
 */
final class ChannelKernel {
  private static final int TILE = 2048;

  private final int channels;
  private final int tile;
  private final float[] x;
  private final float[] y;
  private final double[] xs;
  private final double[] ys;
  private final double[] first;
  private final double[] second;

  /** Coefficients for each number of a tile. */
  private final double[] a;

  private final double[] b;
  private final double[] c;
  private final double[] m;
  private final float[] fa;
  private final float[] fb;
  private final float[] fc;
  private final float[] fm;

  /**
   * @param channels columns, the additional one included
   */
  ChannelKernel(int channels, Precision precision) {
    this.channels = channels;
    this.tile = Math.max(1, TILE / channels) * channels;
    boolean single = precision == Precision.FLOAT;
    x = new float[single ? tile : 0];
    y = new float[single ? tile : 0];
    xs = new double[single ? 0 : tile];
    ys = new double[single ? 0 : tile];
    first = new double[tile];
    second = new double[tile];
    a = new double[tile];
    b = new double[tile];
    c = new double[tile];
    m = new double[tile];
    fa = new float[x.length];
    fb = new float[x.length];
    fc = new float[x.length];
    fm = new float[x.length];
  }

  /**
   * Sums over {@code positions} positions from the {@code from}-th on: {@code sums} ← Σ x, {@code
   * products} ← Σ x y.
   */
  void sums(Matrix of, Matrix with, int from, int positions, double[] sums, double[] products) {
    long end = ((long) from + positions) * channels;
    int used = (int) Math.min(tile, (long) positions * channels);
    Arrays.fill(first, 0, used, 0);
    Arrays.fill(second, 0, used, 0);
    for (long at = (long) from * channels; at < end; at += tile) {
      int n = (int) Math.min(tile, end - at);
      if (of.precision() == Precision.FLOAT) {
        of.get(at, x, 0, n);
        with.get(at, y, 0, n);
        add(x, y, first, second, n);
      } else {
        of.get(at, xs, 0, n);
        with.get(at, ys, 0, n);
        add(xs, ys, first, second, n);
      }
    }
    fold(first, used, sums);
    fold(second, used, products);
  }

  private static void add(float[] x, float[] y, double[] first, double[] second, int n) {
    for (int i = 0; i < n; i++) {
      double value = x[i];
      first[i] += value;
      second[i] += value * y[i];
    }
  }

  private static void add(double[] x, double[] y, double[] first, double[] second, int n) {
    for (int i = 0; i < n; i++) {
      first[i] += x[i];
      second[i] += x[i] * y[i];
    }
  }

  private void fold(double[] tiled, int used, double[] sums) {
    Arrays.fill(sums, 0);
    for (int i = 0; i < used; i += channels) {
      for (int k = 0; k < channels; k++) {
        sums[k] += tiled[i + k];
      }
    }
  }

  /**
   * {@code result} ← a x + b (y − m) + c for {@code positions} positions; {@code result} may be x
   * or y. All coefficients are per channel.
   */
  void combine(
      Matrix ofX,
      double[] byA,
      Matrix ofY,
      double[] byB,
      double[] byM,
      double[] byC,
      int positions,
      Matrix result) {
    spread(byA, a, fa);
    spread(byB, b, fb);
    spread(byC, c, fc);
    spread(byM, m, fm);
    long end = (long) positions * channels;
    for (long at = 0; at < end; at += tile) {
      int n = (int) Math.min(tile, end - at);
      if (ofX.precision() == Precision.FLOAT) {
        ofX.get(at, x, 0, n);
        ofY.get(at, y, 0, n);
        combine(n);
        result.put(at, x, 0, n);
      } else {
        ofX.get(at, xs, 0, n);
        ofY.get(at, ys, 0, n);
        for (int i = 0; i < n; i++) {
          xs[i] = a[i] * xs[i] + b[i] * (ys[i] - m[i]) + c[i];
        }
        result.put(at, xs, 0, n);
      }
    }
  }

  private void combine(int n) {
    for (int i = 0; i < n; i++) {
      x[i] = fa[i] * x[i] + fb[i] * (y[i] - fm[i]) + fc[i];
    }
  }

  /** {@code result} ← b (y − m) + c for {@code positions} positions; {@code result} may be y. */
  void apply(Matrix ofY, double[] byB, double[] byM, double[] byC, int positions, Matrix result) {
    spread(byB, b, fb);
    spread(byC, c, fc);
    spread(byM, m, fm);
    long end = (long) positions * channels;
    for (long at = 0; at < end; at += tile) {
      int n = (int) Math.min(tile, end - at);
      if (ofY.precision() == Precision.FLOAT) {
        ofY.get(at, y, 0, n);
        apply(n);
        result.put(at, y, 0, n);
      } else {
        ofY.get(at, ys, 0, n);
        for (int i = 0; i < n; i++) {
          ys[i] = b[i] * (ys[i] - m[i]) + c[i];
        }
        result.put(at, ys, 0, n);
      }
    }
  }

  private void apply(int n) {
    for (int i = 0; i < n; i++) {
      y[i] = fb[i] * (y[i] - fm[i]) + fc[i];
    }
  }

  private void spread(double[] coefficients, double[] tiled, float[] single) {
    for (int i = 0; i < tile; i += channels) {
      System.arraycopy(coefficients, 0, tiled, i, channels);
    }
    for (int i = 0; i < single.length; i++) {
      single[i] = (float) tiled[i];
    }
  }
}
