package org.kfac4j.linalg;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;

/**
 * Long heap vectors, worked on in pieces of fixed size by all cores: results do not depend on how
 * many there are. For the driver, which has little else to do between passes; tasks do not use it.
 */
public final class Vectors {
  private static final int PIECE = 1 << 16;
  private static final int PART = 1 << 11;

  private Vectors() {}

  /** Work on indices {@code from} (included) to {@code to} (excluded). */
  @FunctionalInterface
  public interface Range {
    void apply(int from, int to);
  }

  /** Has {@code work} done on all indices in [from, to), pieces side by side. */
  public static void forRanges(int from, int to, Range work) {
    int pieces = pieces(from, to);
    if (pieces <= 1) {
      work.apply(from, to);
      return;
    }
    IntStream.range(0, pieces)
        .parallel()
        .forEach(
            piece -> work.apply(from + piece * PIECE, Math.min(from + (piece + 1) * PIECE, to)));
  }

  /** The same numbers, rounded. */
  public static float[] floats(double[] v) {
    float[] rounded = new float[v.length];
    forRanges(
        0,
        v.length,
        (from, to) -> {
          for (int i = from; i < to; i++) {
            rounded[i] = (float) v[i];
          }
        });
    return rounded;
  }

  /** A vector of either precision in float64; not a copy if it is. */
  public static double[] doubles(Object vector) {
    if (vector instanceof double[] already) {
      return already;
    }
    float[] single = (float[]) vector;
    double[] wide = new double[single.length];
    for (int i = 0; i < wide.length; i++) {
      wide[i] = single[i];
    }
    return wide;
  }

  /** Σ u v. */
  public static double dot(double[] u, double[] v) {
    return dot(u, v, 0, u.length);
  }

  /** Σ u v over indices in [from, to). */
  public static double dot(double[] u, double[] v, int from, int to) {
    int pieces = pieces(from, to);
    double[] partial = new double[Math.max(pieces, 1)];
    IntStream range = IntStream.range(0, partial.length);
    (pieces > 1 ? range.parallel() : range)
        .forEach(
            piece ->
                partial[piece] =
                    dotOfPiece(
                        u, v, from + piece * PIECE, Math.min(from + (piece + 1) * PIECE, to)));
    return Arrays.stream(partial).sum();
  }

  /** Σ u_i u_j for all pairs, in one pass over the vectors; [u.size(), u.size()]. */
  public static double[][] gram(List<double[]> u, int from, int to) {
    int n = u.size();
    double[][] products = new double[n][n];
    double[][][] partial = new double[Math.max(pieces(from, to), 1)][n][n];
    forRanges(
        from,
        to,
        (begin, end) -> {
          double[][] mine = partial[(begin - from) / PIECE];
          // Short enough for all vectors' parts to stay in a cache.
          for (int at = begin; at < end; at += PART) {
            int stop = Math.min(at + PART, end);
            for (int i = 0; i < n; i++) {
              for (int j = i; j < n; j++) {
                mine[i][j] += dotOfPiece(u.get(i), u.get(j), at, stop);
              }
            }
          }
        });
    for (double[][] each : partial) {
      for (int i = 0; i < n; i++) {
        for (int j = i; j < n; j++) {
          products[i][j] += each[i][j];
        }
      }
    }
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < i; j++) {
        products[i][j] = products[j][i];
      }
    }
    return products;
  }

  /** Whether all numbers with indices in [from, to) are finite. */
  public static boolean isFinite(double[] v, int from, int to) {
    AtomicBoolean finite = new AtomicBoolean(true);
    forRanges(
        from,
        to,
        (begin, end) -> {
          if (!isFinitePiece(v, begin, end)) {
            finite.set(false);
          }
        });
    return finite.get();
  }

  private static boolean isFinitePiece(double[] v, int from, int to) {
    for (int i = from; i < to; i++) {
      if (!Double.isFinite(v[i])) {
        return false;
      }
    }
    return true;
  }

  private static int pieces(int from, int to) {
    return (to - from + PIECE - 1) / PIECE;
  }

  /** Four partial sums: the additions of one would wait for each other. */
  private static double dotOfPiece(double[] u, double[] v, int from, int to) {
    double a = 0;
    double b = 0;
    double c = 0;
    double d = 0;
    int i = from;
    for (; i + 3 < to; i += 4) {
      a += u[i] * v[i];
      b += u[i + 1] * v[i + 1];
      c += u[i + 2] * v[i + 2];
      d += u[i + 3] * v[i + 3];
    }
    for (; i < to; i++) {
      a += u[i] * v[i];
    }
    return a + b + c + d;
  }
}
