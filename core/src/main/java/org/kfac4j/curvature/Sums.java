package org.kfac4j.curvature;

import static java.util.Objects.requireNonNull;

import java.io.Externalizable;
import java.io.IOException;
import java.io.ObjectInput;
import java.io.ObjectOutput;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import org.kfac4j.Check;
import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Packed;
import org.kfac4j.linalg.Precision;
import org.kfac4j.linalg.Vectors;

/**
 * Named sums over examples: the only thing that travels from tasks to the driver. Merging adds, in
 * float64; an empty object is neutral.
 *
 * <p>A task's vectors are float32, and its scalars are rounded to {@value #SCALAR_BITS} bits, so
 * that adding a few of them in float64 is exact and the order of merging does not show. Names that
 * start with {@value #MAXIMUM} are merged by maximum instead: measurements, not results.
 */
public final class Sums implements Externalizable {
  private static final long serialVersionUID = 1L;

  /** Prefix of scalars of which the largest is kept. */
  public static final String MAXIMUM = "max ";

  private static final int SCALAR_BITS = 40;

  /** Numbers averaged at a time, few enough to stay in a cache. */
  private static final int PART = 1 << 11;

  private final Map<String, Double> scalars = new TreeMap<>();
  private final Map<String, VectorSum> vectors = new TreeMap<>();
  private final Map<String, TreeMap<Long, VectorSum>> samples = new TreeMap<>();

  /** No sums: the neutral element of {@link #merge}. */
  public Sums() {}

  /** Adds a task's scalar, rounded so that a few of them add up exactly. */
  public void put(String name, double value) {
    Check.that(scalars.put(name, summable(value)) == null, "sum %s is set already", name);
  }

  /** Adds a task's vector; not copied. */
  public void put(String name, float[] vector) {
    put(name, new VectorSum(vector));
  }

  /** Adds a task's vector; not copied. */
  public void put(String name, double[] vector) {
    put(name, new VectorSum(vector));
  }

  /** Adds a task's vector, in the matrix's precision; copied. */
  public void put(String name, Matrix vector) {
    if (vector.precision() == Precision.FLOAT) {
      float[] values = new float[vector.columns()];
      vector.get(0, values, 0, values.length);
      put(name, values);
    } else {
      put(name, vector.toArray());
    }
  }

  /** Adds a task's matrix without gaps, row by row, in the matrix's precision; copied. */
  public void putAll(String name, Matrix matrix) {
    int length = matrix.rows() * matrix.columns();
    put(name, matrix.view(0, 1, length, length));
  }

  /** Adds the lower triangle of a task's symmetric matrix, packed, in the matrix's precision. */
  public void putPacked(String name, Matrix lower) {
    putPacked(name, List.of(lower));
  }

  /** Adds lower triangles, packed, one after the other, in the matrices' precision. */
  public void putPacked(String name, List<Matrix> lower) {
    if (lower.get(0).precision() == Precision.FLOAT) {
      put(name, Packed.floats(lower));
    } else {
      put(name, Packed.doubles(lower));
    }
  }

  /**
   * Adds rows of one example, to be told apart from others' by {@code place}; not copied. They are
   * kept, not added up.
   */
  public void putRows(String name, long place, float[] rows) {
    putRows(name, place, new VectorSum(rows));
  }

  /** As {@link #putRows(String, long, float[])}. */
  public void putRows(String name, long place, double[] rows) {
    putRows(name, place, new VectorSum(rows));
  }

  private void putRows(String name, long place, VectorSum rows) {
    Check.that(
        samples.computeIfAbsent(name, key -> new TreeMap<>()).put(place, rows) == null,
        "%s of example %s are set already",
        name,
        place);
  }

  /** What {@link #putRows} was given, one array for each example, in the order of places. */
  public List<double[]> rows(String name) {
    List<double[]> rows = new ArrayList<>();
    for (VectorSum each : samples.getOrDefault(name, new TreeMap<>()).values()) {
      double[] values = new double[each.length()];
      each.mean(1, 0, values.length, values, 0);
      rows.add(values);
    }
    return rows;
  }

  private void put(String name, VectorSum vector) {
    Check.that(vectors.put(name, vector) == null, "sum %s is set already", name);
  }

  /** Adds {@code other} to this and returns this. {@code other} is left alone. */
  public Sums merge(Sums other) {
    other.scalars.forEach(
        (name, value) ->
            scalars.merge(name, value, name.startsWith(MAXIMUM) ? Math::max : Double::sum));
    other.vectors.forEach(
        (name, vector) -> {
          VectorSum own = vectors.get(name);
          if (own == null) {
            vectors.put(name, vector.copy());
          } else {
            own.add(vector);
          }
        });
    other.samples.forEach((name, rows) -> rows.forEach((place, row) -> putRows(name, place, row)));
    return this;
  }

  /** The scalar {@code name}, 0 if nothing was summed. */
  public double scalar(String name) {
    return scalars.getOrDefault(name, 0.0);
  }

  /** Whether there is a vector {@code name}. */
  public boolean hasVector(String name) {
    return vectors.containsKey(name);
  }

  /**
   * A copy of the vector {@code name}, divided by {@code count}.
   *
   * @throws IllegalArgumentException if there is no such sum or count is not positive
   */
  public double[] mean(String name, double count) {
    VectorSum sum = sum(name, count);
    double[] mean = new double[sum.length()];
    Vectors.forRanges(0, mean.length, (from, to) -> sum.mean(count, from, to - from, mean, from));
    return mean;
  }

  /**
   * Writes entries from {@code from} (included) to {@code to} of {@link #mean} to {@code target}.
   */
  public void mean(String name, double count, int from, int to, double[] target) {
    sum(name, count).mean(count, from, to - from, target, from);
  }

  /**
   * average ← ε average + (1 − ε) sum / count with the vector {@code name}, in place: {@link
   * RunningAverage} of its mean.
   *
   * @throws IllegalArgumentException if there is no such sum or count is not positive
   */
  public void average(String name, double count, double epsilon, double[] average) {
    VectorSum sum = sum(name, count);
    Check.that(
        sum.length() == average.length,
        "%s: %d and %d numbers do not average",
        name,
        average.length,
        sum.length());
    Vectors.forRanges(
        0,
        average.length,
        (from, to) -> {
          double[] mean = new double[Math.min(PART, to - from)];
          for (int at = from; at < to; at += PART) {
            int n = Math.min(PART, to - at);
            sum.mean(count, at, n, mean, 0);
            RunningAverage.update(average, at, mean, n, epsilon);
          }
        });
  }

  private VectorSum sum(String name, double count) {
    Check.that(count > 0, "the mean of %s needs examples, got %s", name, count);
    VectorSum sum = vectors.get(name);
    Check.that(sum != null, "there is no sum %s", name);
    return requireNonNull(sum);
  }

  /** Scalars in order of their names. */
  public void forEachScalar(BiConsumer<String, Double> consumer) {
    scalars.forEach(consumer);
  }

  /** {@code value} rounded to {@value #SCALAR_BITS} bits of mantissa. */
  static double summable(double value) {
    if (!Double.isFinite(value) || value == 0) {
      return value;
    }
    double unit =
        Math.scalb(1.0, Math.max(Math.getExponent(value) - SCALAR_BITS + 1, Double.MIN_EXPONENT));
    return Math.rint(value / unit) * unit;
  }

  @Override
  public void writeExternal(ObjectOutput out) throws IOException {
    out.writeInt(scalars.size());
    for (Map.Entry<String, Double> entry : scalars.entrySet()) {
      out.writeUTF(entry.getKey());
      out.writeDouble(entry.getValue());
    }
    out.writeInt(vectors.size());
    for (Map.Entry<String, VectorSum> entry : vectors.entrySet()) {
      out.writeUTF(entry.getKey());
      entry.getValue().write(out);
    }
    out.writeInt(samples.size());
    for (Map.Entry<String, TreeMap<Long, VectorSum>> entry : samples.entrySet()) {
      out.writeUTF(entry.getKey());
      out.writeInt(entry.getValue().size());
      for (Map.Entry<Long, VectorSum> row : entry.getValue().entrySet()) {
        out.writeLong(row.getKey());
        row.getValue().write(out);
      }
    }
  }

  @Override
  public void readExternal(ObjectInput in) throws IOException {
    for (int i = in.readInt(); i > 0; i--) {
      scalars.put(in.readUTF(), in.readDouble());
    }
    for (int i = in.readInt(); i > 0; i--) {
      vectors.put(in.readUTF(), VectorSum.read(in));
    }
    for (int i = in.readInt(); i > 0; i--) {
      TreeMap<Long, VectorSum> rows = new TreeMap<>();
      samples.put(in.readUTF(), rows);
      for (int k = in.readInt(); k > 0; k--) {
        long place = in.readLong();
        rows.put(place, VectorSum.read(in));
      }
    }
  }
}
