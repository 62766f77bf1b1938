package org.kfac4j.network;

import static java.util.Objects.requireNonNull;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.kfac4j.linalg.Accumulator;
import org.kfac4j.linalg.Matrix;

/**
 * Ω = Σ_t [[A]]_tᵀ [[A]]_t of a convolution with a stride of 1 from sums over pairs of positions of
 * the map: its block for kernel elements δ' and δ is
 *
 * <pre>  Σ_u a(u + δ' − δ) a(u)ᵀ   over the positions u of the map that element δ gets to,</pre>
 *
 * which depends on δ' − δ but for the positions near the border. So positions are put into classes
 * that the same elements get to (row classes times column classes), sums are made once per class
 * and difference, and every δ takes the sum over its rectangle of classes. A kernel of k × k has
 * 2k² − 2k + 1 differences, instead of the k⁴ / 2 blocks of Ω: for 5 × 5, 41 instead of 313.
 *
 * <p>Sums are kept from call to call, and Ω made of them when it is wanted. Belongs to one thread.
 */
final class ShiftMoments implements PatchMoments, Accumulator.Deferred {
  /** Numbers of the maps that are looked at together: they stay in a core's cache. */
  private static final int PIECE = 500_000;

  /** With fewer channels products are too small. */
  private static final int FEWEST_CHANNELS = 16;

  /** Pieces of scratch memory. */
  private static final int PRODUCTS = 0;

  private static final int SUMS = 1;
  private static final int ONES = 5;

  private final Window window;
  private final Patches points;
  private final boolean ones;
  private final int channels;

  /** Class k is the map's rows, or columns, from [k] (included) to [k + 1]. */
  private final int[] rowStart;

  private final int[] columnStart;

  /** δ' − δ as rows and columns down and to the right: all that follow (0, 0) row by row. */
  private final int[][] differences;

  /** Sums over all classes above and to the left of a class, by class and difference. */
  private double[] prefixes = new double[0];

  /** Of all examples since Ω was asked for: by class and difference, and of a(u) by class. */
  private Accumulator[] byDifference = {};

  private Accumulator[] byClass = {};
  private @Nullable Accumulator target;
  private @Nullable Matrix kept;
  private @Nullable Matrix keptSums;
  private long examples;
  private double factor;

  private ShiftMoments(Window window, boolean ones) {
    this.window = window;
    this.ones = ones;
    this.channels = window.in().channels();
    this.points =
        new Patches(
            Window.padded(
                window.in(),
                new int[] {1, 1},
                new int[] {1, 1},
                new int[] {0, 0},
                new int[] {1, 1}),
            false);
    this.rowStart =
        starts(window.in().height(), window.kernelHeight(), window.padTop(), window.outHeight());
    this.columnStart =
        starts(window.in().width(), window.kernelWidth(), window.padLeft(), window.outWidth());
    int k = window.kernelWidth();
    this.differences = new int[(window.kernelHeight() - 1) * (2 * k - 1) + k][];
    int at = 0;
    for (int dy = 0; dy < window.kernelHeight(); dy++) {
      for (int dx = dy == 0 ? 0 : 1 - k; dx < k; dx++) {
        differences[at++] = new int[] {dy, dx};
      }
    }
  }

  /** Where the classes of {@code length} rows or columns begin, and {@code length}. */
  private static int[] starts(int length, int kernel, int pad, int out) {
    int[] starts = new int[length + 1];
    int classes = 0;
    for (int u = 0; u < length; u++) {
      boolean differs = u == 0;
      for (int i = 0; !differs && i < kernel; i++) {
        differs = getsTo(i, u, pad, out) != getsTo(i, u - 1, pad, out);
      }
      if (differs) {
        starts[classes++] = u;
      }
    }
    starts[classes] = length;
    return Arrays.copyOf(starts, classes + 1);
  }

  /** Whether kernel row (column) i covers map row (column) u at some output row (column). */
  private static boolean getsTo(int i, int u, int pad, int out) {
    int y = u + pad - i;
    return y >= 0 && y < out;
  }

  /** Null where it does not apply or does not pay. */
  static @Nullable ShiftMoments of(Window window, boolean ones) {
    boolean applies =
        window.strideHeight() == 1
            && window.strideWidth() == 1
            && window.dilationHeight() == 1
            && window.dilationWidth() == 1
            && Math.min(window.kernelHeight(), window.kernelWidth()) > 1
            && window.in().channels() >= FEWEST_CHANNELS;
    if (!applies) {
      return null;
    }
    ShiftMoments moments = new ShiftMoments(window, ones);
    return (long) moments.classes() * moments.differences.length * moments.square()
            <= PatchMoments.MOST_PRODUCTS
        ? moments
        : null;
  }

  private int classes() {
    return (rowStart.length - 1) * (columnStart.length - 1);
  }

  private int square() {
    return channels * channels;
  }

  @Override
  public void add(LayerBuffers buffers, int n, double scale, Accumulator sum) {
    Accumulator last = target;
    if (last != null && last != sum && last.defers(this)) {
      last.sum();
    }
    if (!sum.defers(this)) {
      begin(buffers.own());
    }
    target = sum;
    factor = scale;
    examples += n;
    Scratch scratch = buffers.scratch();
    int positions = window.in().positions();
    int together = Math.max(1, PIECE / (positions * channels));
    for (int first = 0; first < n; first += together) {
      int count = Math.min(together, n - first);
      Matrix piece = scratch.matrix(0, count * positions, channels);
      points.gatherByGroups(buffers.in(), first, count, 1, piece);
      addProducts(piece, count, byDifference);
      if (ones) {
        addSums(piece, count, scratch, byClass);
      }
    }
    sum.defer(this);
  }

  /** Sets all sums to zero. */
  private void begin(Scratch own) {
    int total = classes() * differences.length;
    Matrix products = own.matrix(PRODUCTS, total * channels, channels);
    Matrix sums = own.matrix(SUMS, classes(), channels);
    // Some pairs of a class and a difference do not exist.
    products.clear();
    byDifference = new Accumulator[total];
    Arrays.setAll(
        byDifference,
        i -> new Accumulator(products.view((long) i * square(), channels, channels, channels)));
    byClass = new Accumulator[classes()];
    Arrays.setAll(
        byClass, i -> new Accumulator(sums.view((long) i * channels, 1, channels, channels)));
    examples = 0;
    kept = products;
    keptSums = sums;
  }

  @Override
  public void addTo(Accumulator sum) {
    collect(requireNonNull(kept), requireNonNull(keptSums), examples, factor, sum);
  }

  /**
   * @param piece the channels of {@code count} examples at position 0, then at position 1, …
   */
  private void addProducts(Matrix piece, int count, Accumulator[] sums) {
    int height = window.in().height();
    int width = window.in().width();
    for (int y = 0, row = 0; y < height; y++) {
      row += y == rowStart[row + 1] ? 1 : 0;
      for (int column = 0; column < columnStart.length - 1; column++) {
        int at = (row * (columnStart.length - 1) + column) * differences.length;
        for (int d = 0; d < differences.length; d++) {
          int dy = differences[d][0];
          int dx = differences[d][1];
          int from = Math.max(columnStart[column], -dx);
          int to = Math.min(columnStart[column + 1], width - dx);
          if (y + dy < height && to > from) {
            sums[at + d].addProduct(
                positions(piece, count, (y + dy) * width + from + dx, to - from),
                true,
                positions(piece, count, y * width + from, to - from),
                false);
          }
        }
      }
    }
  }

  private Matrix positions(Matrix piece, int count, int from, int positions) {
    return piece.view((long) from * count * channels, positions * count, channels, channels);
  }

  /** Σ_u a(u) of each class. */
  private void addSums(Matrix piece, int count, Scratch scratch, Accumulator[] sums) {
    int width = window.in().width();
    Matrix one = scratch.matrix(ONES, width * count, 1);
    one.fillColumn(0, 1);
    for (int y = 0, row = 0; y < window.in().height(); y++) {
      row += y == rowStart[row + 1] ? 1 : 0;
      for (int column = 0; column < columnStart.length - 1; column++) {
        int from = columnStart[column];
        int positions = columnStart[column + 1] - from;
        sums[row * (columnStart.length - 1) + column].addProduct(
            one.top(positions * count),
            true,
            positions(piece, count, y * width + from, positions),
            false);
      }
    }
  }

  /** Puts Ω's blocks together, row by row. */
  private void collect(Matrix products, Matrix sums, long n, double scale, Accumulator sum) {
    int length = differences.length * square();
    prefixes(products, length);
    int elements = window.elements();
    Matrix omega = sum.sum();
    int r = omega.columns();
    double[] row = new double[r];
    for (int below = 0; below < elements; below++) {
      for (int a = 0; a < channels; a++) {
        long start = (below * channels + a) * (long) r;
        int filled = below * channels + a + 1;
        omega.get(start, row, 0, filled);
        for (int e = 0; e <= below; e++) {
          int in = (difference(below, e) * channels + a) * channels;
          addRectangle(e, length, in, scale, row, e * channels, e < below ? channels : a + 1);
        }
        omega.put(start, row, 0, filled);
      }
    }
    if (ones) {
      prefixes(sums, channels);
      omega.get((r - 1) * (long) r, row, 0, r);
      for (int e = 0; e < elements; e++) {
        addRectangle(e, channels, 0, scale, row, e * channels, channels);
      }
      row[r - 1] += scale * n * window.positions();
      omega.put((r - 1) * (long) r, row, 0, r);
    }
  }

  /** Which of the differences element {@code below} has from {@code e}, which is not after it. */
  private int difference(int below, int e) {
    int k = window.kernelWidth();
    int dy = below / k - e / k;
    int dx = below % k - e % k;
    return dy == 0 ? dx : k + (dy - 1) * (2 * k - 1) + dx + k - 1;
  }

  /**
   * Sets {@link #prefixes}: at (row, column), {@code length} sums over all classes before both,
   * from those of each class in {@code from}.
   */
  private void prefixes(Matrix from, int length) {
    int columns = columnStart.length;
    if (prefixes.length < rowStart.length * columns * length) {
      prefixes = new double[rowStart.length * columns * length];
    }
    for (int row = 0; row < rowStart.length; row++) {
      for (int column = 0; column < columns; column++) {
        int here = (row * columns + column) * length;
        if (row == 0 || column == 0) {
          Arrays.fill(prefixes, here, here + length, 0);
          continue;
        }
        long its = ((row - 1L) * (columns - 1) + column - 1) * length;
        from.get(its, prefixes, here, length);
        int left = here - length;
        int above = here - columns * length;
        int both = above - length;
        for (int i = 0; i < length; i++) {
          prefixes[here + i] += prefixes[left + i] + prefixes[above + i] - prefixes[both + i];
        }
      }
    }
  }

  /** Adds what element e gets to: the sums over its rectangle of classes. */
  private void addRectangle(int e, int length, int in, double scale, double[] row, int to, int n) {
    int columns = columnStart.length;
    int[] rows = range(rowStart, e / window.kernelWidth(), window.padTop(), window.outHeight());
    int[] wide = range(columnStart, e % window.kernelWidth(), window.padLeft(), window.outWidth());
    int last = (rows[1] * columns + wide[1]) * length + in;
    int left = (rows[1] * columns + wide[0]) * length + in;
    int above = (rows[0] * columns + wide[1]) * length + in;
    int both = (rows[0] * columns + wide[0]) * length + in;
    for (int b = 0; b < n; b++) {
      row[to + b] +=
          scale
              * (prefixes[last + b]
                  - prefixes[left + b]
                  - prefixes[above + b]
                  + prefixes[both + b]);
    }
  }

  /** The classes that kernel row (column) i gets to: from the first to the one after the last. */
  private static int[] range(int[] starts, int i, int pad, int out) {
    int first = 0;
    while (first < starts.length - 1 && !getsTo(i, starts[first], pad, out)) {
      first++;
    }
    int last = first;
    while (last < starts.length - 1 && getsTo(i, starts[last], pad, out)) {
      last++;
    }
    return new int[] {first, last};
  }
}
