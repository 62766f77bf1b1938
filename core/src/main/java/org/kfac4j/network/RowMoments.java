package org.kfac4j.network;

import org.jspecify.annotations.Nullable;
import org.kfac4j.linalg.Accumulator;
import org.kfac4j.linalg.Matrix;

/**
 * Ω = Σ_t [[A]]_tᵀ [[A]]_t of a convolution with a vertical stride of 1, without its patch matrix.
 * A patch is kernelHeight row patches q, one below the other, and a row patch is part of as many
 * patches: with q(u, x) the row patch of map row u at output column x, the block of Ω for kernel
 * rows i' ≥ i is
 *
 * <pre>  Σ_u Σ_x q(u + i' − i, x) q(u, x)ᵀ   over the map rows u that kernel row i gets to,</pre>
 *
 * which depends on i' − i but for the rows at the top and the bottom. So rows are put into classes
 * that the same kernel rows get to, and sums are made once per class and difference: with k kernel
 * rows 2k − 1 products of row patches instead of k² and 1/k of the copying.
 *
 * <p>Keeps an array to work in; belongs to one thread.
 */
final class RowMoments implements PatchMoments {
  /** Numbers of a piece of the row patches: stays in a core's cache. */
  private static final int PIECE = 250_000;

  private final Window window;
  private final Patches rows;

  /** Class k is the map rows from start[k] (included) to start[k + 1]. */
  private final int[] start;

  private final boolean ones;

  /** All products, on their way; kept because making room for them takes as long as moving them. */
  private double[] all = new double[0];

  private RowMoments(Window window, boolean ones) {
    this.window = window;
    this.ones = ones;
    this.rows =
        new Patches(
            new Window(
                window.in(),
                window.in().height(),
                window.outWidth(),
                1,
                window.kernelWidth(),
                1,
                window.strideWidth(),
                0,
                window.padLeft(),
                1,
                window.dilationWidth()),
            ones);
    int height = window.in().height();
    int[] starts = new int[height + 1];
    int classes = 0;
    for (int u = 0; u < height; u++) {
      boolean differs = u == 0;
      for (int i = 0; !differs && i < window.kernelHeight(); i++) {
        differs = getsTo(i, u) != getsTo(i, u - 1);
      }
      if (differs) {
        starts[classes++] = u;
      }
    }
    starts[classes] = height;
    this.start = java.util.Arrays.copyOf(starts, classes + 1);
  }

  /**
   * Moments for a window, or null if its patches have to be made: with a vertical stride or
   * dilation row patches are shared by fewer patches, and with many channels there is too much to
   * add up.
   */
  static @Nullable RowMoments of(Window window, boolean ones) {
    boolean applies =
        window.strideHeight() == 1 && window.dilationHeight() == 1 && window.kernelHeight() > 2;
    if (!applies) {
      return null;
    }
    RowMoments moments = new RowMoments(window, ones);
    return moments.products() <= MOST_PRODUCTS ? moments : null;
  }

  /** Numbers that the sums of all classes and differences have. */
  private long products() {
    return (start.length - 1L) * window.kernelHeight() * rows.columns() * rows.columns();
  }

  /** Whether kernel row i covers map row u at some output row. */
  private boolean getsTo(int i, int u) {
    int y = u + window.padTop() - i;
    return y >= 0 && y < window.outHeight();
  }

  @Override
  public void add(LayerBuffers buffers, int n, double scale, Accumulator sum) {
    Rows maps = buffers.in();
    Scratch scratch = buffers.scratch();
    int q = rows.columns();
    int k = window.kernelHeight();
    int classes = start.length - 1;
    Matrix buffer = scratch.matrix(1, classes * k * q, q);
    Accumulator[][] sums = new Accumulator[classes][k];
    for (int c = 0; c < classes; c++) {
      for (int d = 0; d < k; d++) {
        sums[c][d] = new Accumulator(buffer.view((long) (c * k + d) * q * q, q, q, q));
      }
    }
    int height = window.in().height();
    int width = window.outWidth();
    int examples = Math.max(1, PIECE / (height * width * q));
    for (int first = 0; first < n; first += examples) {
      int count = Math.min(examples, n - first);
      Matrix patches = scratch.matrix(0, count * height * width, q);
      rows.gatherByGroups(maps, first, count, width, patches);
      for (int c = 0; c < classes; c++) {
        addProducts(patches, count * width, c, sums[c]);
      }
    }
    for (Accumulator[] each : sums) {
      for (Accumulator one : each) {
        one.sum(); // zeros where nothing was added
      }
    }
    collect(buffer, (double) n * window.positions(), scale, sum);
  }

  /**
   * @param wide row patches of one map row
   */
  private void addProducts(Matrix patches, int wide, int c, Accumulator[] sums) {
    int q = rows.columns();
    for (int d = 0; d < sums.length; d++) {
      // Below the map is nothing.
      int end = Math.min(start[c + 1], window.in().height() - d);
      int from = start[c];
      if (end <= from) {
        return;
      }
      int length = (end - from) * wide;
      Matrix here = patches.view((long) from * wide * q, length, q, q);
      if (d == 0) {
        sums[d].addGram(here, 1);
      } else {
        sums[d].addProduct(
            patches.view((long) (from + d) * wide * q, length, q, q), true, here, false);
      }
    }
  }

  /** Puts Ω's blocks together, row by row. */
  private void collect(Matrix products, double corner, double scale, Accumulator sum) {
    int k = window.kernelHeight();
    int q = rows.columns();
    int patch = ones ? q - 1 : q;
    Matrix omega = sum.sum();
    int r = omega.columns();
    if (all.length == 0) {
      all = new double[products.rows() * q];
    }
    products.get(0, all, 0, all.length);
    double[] row = new double[r];
    for (int below = 0; below < k; below++) {
      for (int a = 0; a < patch; a++) {
        int length = below * patch + a + 1;
        omega.get((below * patch + a) * (long) r, row, 0, length);
        for (int i = 0; i <= below; i++) {
          int n = i < below ? patch : a + 1;
          addRow(below - i, i, a, scale, row, i * patch, n);
        }
        omega.put((below * patch + a) * (long) r, row, 0, length);
      }
    }
    if (ones) {
      omega.get((r - 1) * (long) r, row, 0, r);
      for (int i = 0; i < k; i++) {
        addRow(0, i, patch, scale, row, i * patch, patch);
      }
      row[r - 1] += scale * corner;
      omega.put((r - 1) * (long) r, row, 0, r);
    }
  }

  /** Adds row a of the products of a difference, of all classes that kernel row i gets to. */
  private void addRow(int difference, int i, int a, double scale, double[] row, int to, int n) {
    int q = rows.columns();
    for (int c = 0; c < start.length - 1; c++) {
      if (getsTo(i, start[c])) {
        int from = ((c * window.kernelHeight() + difference) * q + a) * q;
        for (int b = 0; b < n; b++) {
          row[to + b] += scale * all[from + b];
        }
      }
    }
  }
}
