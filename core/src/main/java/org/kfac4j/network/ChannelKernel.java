package org.kfac4j.network;

import java.util.Arrays;
import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Precision;

/**
 * Sums over and linear functions of all positions, channel by channel: x is a matrix whose rows are
 * positions and whose columns are channels, in one piece of memory, perhaps with one more column.
 * Works on tiles of many positions, which repeat each channel's coefficients, because the compiler
 * vectorises only long loops. Keeps arrays to work in; belongs to one thread.
 */
final class ChannelKernel {
  private static final int TILE = 2048;

  /** Tiles whose sums are added in single precision. */
  private static final int TILES = 16;

  private final int channels;
  private final int tile;
  private final float[] x;
  private final float[] y;
  private final double[] xs;
  private final double[] ys;
  private final float[] first;
  private final float[] second;
  private final double[] firsts;
  private final double[] seconds;

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
    first = new float[x.length];
    second = new float[x.length];
    firsts = new double[xs.length];
    seconds = new double[xs.length];
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
   * Sums over {@code positions} positions from the {@code from}-th on: {@code sums} ← Σ (x − p),
   * {@code products} ← Σ (x − p) (y − q), with p and q per channel. In single precision a few
   * positions are added in single precision, so p and q should be about the means.
   */
  void sums(
      Matrix ofX,
      double[] byP,
      Matrix ofY,
      double[] byQ,
      int from,
      int positions,
      double[] sums,
      double[] products) {
    Arrays.fill(sums, 0);
    Arrays.fill(products, 0);
    long end = ((long) from + positions) * channels;
    int used = (int) Math.min(tile, (long) positions * channels);
    spread(byP, used, a, fa);
    spread(byQ, used, m, fm);
    int tiles = 0;
    for (long at = (long) from * channels; at < end; at += tile) {
      int n = (int) Math.min(tile, end - at);
      if (ofX.precision() == Precision.FLOAT) {
        ofX.get(at, x, 0, n);
        ofY.get(at, y, 0, n);
        add(x, fa, y, fm, first, second, n);
      } else {
        ofX.get(at, xs, 0, n);
        ofY.get(at, ys, 0, n);
        add(xs, a, ys, m, firsts, seconds, n);
      }
      if (++tiles % TILES == 0) {
        fold(used, sums, products);
      }
    }
    fold(used, sums, products);
  }

  private static void add(
      float[] x, float[] p, float[] y, float[] q, float[] first, float[] second, int n) {
    for (int i = 0; i < n; i++) {
      float value = x[i] - p[i];
      first[i] += value;
      second[i] += value * (y[i] - q[i]);
    }
  }

  private static void add(
      double[] x, double[] p, double[] y, double[] q, double[] first, double[] second, int n) {
    for (int i = 0; i < n; i++) {
      double value = x[i] - p[i];
      first[i] += value;
      second[i] += value * (y[i] - q[i]);
    }
  }

  /** Adds the sums of a tile's places to those of channels, and begins again. */
  private void fold(int used, double[] sums, double[] products) {
    boolean single = x.length > 0;
    for (int i = 0; i < used; i += channels) {
      for (int k = 0; k < channels; k++) {
        sums[k] += single ? first[i + k] : firsts[i + k];
        products[k] += single ? second[i + k] : seconds[i + k];
      }
    }
    if (single) {
      Arrays.fill(first, 0, used, 0);
      Arrays.fill(second, 0, used, 0);
    } else {
      Arrays.fill(firsts, 0, used, 0);
      Arrays.fill(seconds, 0, used, 0);
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
    spread(coefficients, tile, tiled, single);
  }

  /** Repeats coefficients over the first {@code used} places of a tile. */
  private void spread(double[] coefficients, int used, double[] tiled, float[] single) {
    for (int k = 0; k < channels; k++) {
      tiled[k] = coefficients[k];
    }
    if (single.length == 0) {
      for (int i = channels; i < used; i += channels) {
        System.arraycopy(tiled, 0, tiled, i, channels);
      }
      return;
    }
    for (int k = 0; k < channels; k++) {
      single[k] = (float) coefficients[k];
    }
    for (int i = channels; i < used; i += channels) {
      System.arraycopy(single, 0, single, i, channels);
    }
  }
}
