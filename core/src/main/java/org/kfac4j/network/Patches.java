package org.kfac4j.network;

import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.util.Arrays;
import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Precision;

/**
 * The patch matrix of a convolution, [[A]] of arXiv:1602.01407 §2: row t is what the kernel covers
 * at position t, element by element (row by row), channels together, zero where it is padding, and
 * perhaps a one at the end. It is made in pieces that stay in a cache, and never whole: an
 * example's map is copied to the heap and from there, a kernel row at a time, to the piece.
 *
 * <p>Keeps arrays to work in; belongs to one thread.
 */
final class Patches {
  private final int size;
  private final int columns;
  private final boolean ones;

  /** Run r copies {@code length[r]} numbers of a map to the patches of one example. */
  private final int[] from;

  private final int[] to;
  private final int[] length;

  /** Runs of position t are those from firstRun[t] to firstRun[t + 1]. */
  private final int[] firstRun;

  private float[] floatMap = new float[0];
  private float[] floatPatches = new float[0];
  private double[] doubleMap = new double[0];
  private double[] doublePatches = new double[0];

  /**
   * @param ones whether rows end in a one
   */
  Patches(Window window, boolean ones) {
    this.size = window.in().size();
    this.ones = ones;
    int channels = window.in().channels();
    this.columns = window.elements() * channels + (ones ? 1 : 0);
    int capacity = window.positions() * window.elements();
    int[] froms = new int[capacity];
    int[] tos = new int[capacity];
    int[] lengths = new int[capacity];
    this.firstRun = new int[window.positions() + 1];
    int runs = 0;
    for (int t = 0; t < window.positions(); t++) {
      int y = t / window.outWidth();
      int x = t % window.outWidth();
      firstRun[t] = runs;
      for (int e = 0; e < window.elements(); e++) {
        int i = e / window.kernelWidth();
        int position = window.position(y, x, i, e % window.kernelWidth());
        int source = position < 0 ? size : position * channels;
        int target = t * columns + e * channels;
        int previous = runs - 1;
        boolean continues =
            runs > firstRun[t]
                && tos[previous] + lengths[previous] == target
                && (position < 0
                    ? froms[previous] == size
                    : froms[previous] < size && froms[previous] + lengths[previous] == source);
        if (continues) {
          lengths[previous] += channels;
        } else {
          froms[runs] = source;
          tos[runs] = target;
          lengths[runs++] = channels;
        }
      }
    }
    firstRun[window.positions()] = runs;
    this.from = Arrays.copyOf(froms, runs);
    this.to = Arrays.copyOf(tos, runs);
    this.length = Arrays.copyOf(lengths, runs);
  }

  /** Length of a row. */
  int columns() {
    return columns;
  }

  /**
   * Writes the patches at positions {@code begin} (included) to {@code end} of {@code count}
   * examples from the {@code first}-th on, one example after the other.
   *
   * @param target [count · (end − begin), columns]
   */
  void gather(Rows maps, int first, int count, int begin, int end, Matrix target) {
    gather(maps, first, count, begin, end, end - begin, target);
  }

  /**
   * Writes all patches of {@code count} examples from the {@code first}-th on: the first {@code
   * group} of every example, then the next {@code group} of every example, and so on.
   *
   * @param group divides the number of positions
   * @param target [count · positions, columns]
   */
  void gatherByGroups(Rows maps, int first, int count, int group, Matrix target) {
    gather(maps, first, count, 0, firstRun.length - 1, group, target);
  }

  private void gather(
      Rows maps, int first, int count, int begin, int end, int group, Matrix target) {
    int length = count * (end - begin) * columns;
    if (target.precision() == Precision.FLOAT) {
      FloatBuffer buffer = target.asFloats();
      float[] map = floatMap();
      for (int k = 0; k < count; k++) {
        maps.get(first + k, map);
        for (int t = begin; t < end; t += group) {
          // Where position 0 would be.
          int base = ((t - begin) * count + k * group - t) * columns;
          for (int r = firstRun[t]; r < firstRun[t + group]; r++) {
            buffer.put(base + to[r], map, from[r], this.length[r]);
          }
        }
      }
      for (int at = columns - 1; ones && at < length; at += columns) {
        buffer.put(at, 1);
      }
    } else {
      DoubleBuffer buffer = target.asDoubles();
      double[] map = doubleMap();
      for (int k = 0; k < count; k++) {
        maps.get(first + k, map);
        for (int t = begin; t < end; t += group) {
          int base = ((t - begin) * count + k * group - t) * columns;
          for (int r = firstRun[t]; r < firstRun[t + group]; r++) {
            buffer.put(base + to[r], map, from[r], this.length[r]);
          }
        }
      }
      for (int at = columns - 1; ones && at < length; at += columns) {
        buffer.put(at, 1);
      }
    }
  }

  /** A map followed by zeros, for padding to be copied from. */
  private float[] floatMap() {
    if (floatMap.length == 0) {
      floatMap = new float[size + columns];
    }
    return floatMap;
  }

  private double[] doubleMap() {
    if (doubleMap.length == 0) {
      doubleMap = new double[size + columns];
    }
    return doubleMap;
  }

  /**
   * The reverse of {@link #gather}: sets {@code count} examples of {@code maps} to the sums, over
   * the patches that a number of the map is in, of what stands there in {@code source}. Positions
   * of an example may come in several calls, in order.
   *
   * @param source [count · (end − begin), columns]; a last column of ones is left aside
   */
  void scatter(Matrix source, Rows maps, int first, int count, int begin, int end) {
    int piece = (end - begin) * columns;
    boolean starts = begin == 0;
    boolean ends = end == firstRun.length - 1;
    if (source.precision() == Precision.FLOAT) {
      if (floatPatches.length < count * piece) {
        floatPatches = new float[count * piece];
      }
      float[] map = floatMap();
      source.get(0, floatPatches, 0, count * piece);
      for (int k = 0; k < count; k++) {
        if (starts) {
          Arrays.fill(map, 0, size, 0);
        }
        int base = k * piece - begin * columns;
        for (int r = firstRun[begin]; r < firstRun[end]; r++) {
          if (from[r] < size) {
            add(floatPatches, base + to[r], map, from[r], length[r]);
          }
        }
        if (ends) {
          maps.put(first + k, map);
        }
      }
    } else {
      if (doublePatches.length < count * piece) {
        doublePatches = new double[count * piece];
      }
      double[] map = doubleMap();
      source.get(0, doublePatches, 0, count * piece);
      for (int k = 0; k < count; k++) {
        if (starts) {
          Arrays.fill(map, 0, size, 0);
        }
        int base = k * piece - begin * columns;
        for (int r = firstRun[begin]; r < firstRun[end]; r++) {
          if (from[r] < size) {
            for (int i = 0; i < length[r]; i++) {
              map[from[r] + i] += doublePatches[base + to[r] + i];
            }
          }
        }
        if (ends) {
          maps.put(first + k, map);
        }
      }
    }
  }

  private static void add(float[] source, int at, float[] target, int to, int n) {
    for (int i = 0; i < n; i++) {
      target[to + i] += source[at + i];
    }
  }

  /**
   * Writes the sum of an example's patches, Σ_t [[A]]_t.
   *
   * @param sum [columns]
   */
  void sum(Rows maps, int example, double[] sum) {
    double[] map = doubleMap();
    maps.get(example, map);
    Arrays.fill(sum, 0, columns, 0);
    int positions = firstRun.length - 1;
    for (int t = 0; t < positions; t++) {
      for (int r = firstRun[t]; r < firstRun[t + 1]; r++) {
        int target = to[r] - t * columns;
        for (int i = 0; from[r] < size && i < length[r]; i++) {
          sum[target + i] += map[from[r] + i];
        }
      }
    }
    if (ones) {
      sum[columns - 1] = positions;
    }
  }
}
