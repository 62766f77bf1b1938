package org.kfac4j.curvature;

import java.io.IOException;
import java.io.ObjectInput;
import java.io.ObjectOutput;
import org.kfac4j.Check;
import org.kfac4j.linalg.Vectors;

/**
 * A sum of vectors, added in float64. One float32 vector, or two, are kept as they came and added
 * when somebody asks for the sum: they take no more memory than the float64 vector that further
 * ones are added to, and on a machine with two task slots nothing else is ever made.
 */
final class VectorSum {
  private static final float[] NONE = {};

  /** Without {@code wide}, the sum is first + second; with it, both are {@link #NONE}. */
  private float[] first = NONE;

  private float[] second = NONE;
  private double[] wide = {};
  private final int length;

  /** The sum of {@code vector} alone; not copied, and never changed. */
  VectorSum(float[] vector) {
    first = vector;
    length = vector.length;
  }

  /** The sum of {@code vector} alone; not copied, but changed by {@link #add}. */
  VectorSum(double[] vector) {
    wide = vector;
    length = vector.length;
  }

  /** An independent sum of the same vectors. */
  VectorSum copy() {
    VectorSum copy = new VectorSum(wide.clone(), length);
    copy.first = first;
    copy.second = second;
    return copy;
  }

  private VectorSum(double[] wide, int length) {
    this.wide = wide;
    this.length = length;
  }

  int length() {
    return length;
  }

  private boolean isWide() {
    return wide.length == length && length > 0;
  }

  /** Adds {@code other}, which is left alone. */
  void add(VectorSum other) {
    Check.that(
        length == other.length, "sums of %d and %d numbers do not merge", length, other.length);
    if (!isWide() && second == NONE && !other.isWide() && other.second == NONE) {
      second = other.first;
      return;
    }
    double[] sum = isWide() ? wide : new double[length];
    boolean fresh = sum != wide;
    Vectors.forRanges(
        0,
        length,
        (from, to) -> {
          if (fresh) {
            addParts(sum, from, to);
          }
          other.addParts(sum, from, to);
        });
    wide = sum;
    first = NONE;
    second = NONE;
  }

  private void addParts(double[] sum, int from, int to) {
    add(sum, first, from, to);
    add(sum, second, from, to);
    if (isWide()) {
      for (int i = from; i < to; i++) {
        sum[i] += wide[i];
      }
    }
  }

  private static void add(double[] sum, float[] vector, int from, int to) {
    if (vector != NONE) {
      for (int i = from; i < to; i++) {
        sum[i] += vector[i];
      }
    }
  }

  /** {@code target[i]} ← this[from + i] / count for i &lt; n. */
  void mean(double count, int from, int n, double[] target, int at) {
    if (isWide()) {
      for (int i = 0; i < n; i++) {
        target[at + i] = wide[from + i] / count;
      }
    } else if (second == NONE) {
      for (int i = 0; i < n; i++) {
        target[at + i] = first[from + i] / count;
      }
    } else {
      for (int i = 0; i < n; i++) {
        target[at + i] = ((double) first[from + i] + second[from + i]) / count;
      }
    }
  }

  void write(ObjectOutput out) throws IOException {
    out.writeInt(length);
    BulkIo.write(out, first);
    BulkIo.write(out, second);
    BulkIo.write(out, wide);
  }

  static VectorSum read(ObjectInput in) throws IOException {
    int length = in.readInt();
    float[] first = BulkIo.readFloats(in);
    float[] second = BulkIo.readFloats(in);
    VectorSum sum = new VectorSum(BulkIo.readDoubles(in), length);
    sum.first = first.length == 0 ? NONE : first;
    sum.second = second.length == 0 ? NONE : second;
    return sum;
  }
}
