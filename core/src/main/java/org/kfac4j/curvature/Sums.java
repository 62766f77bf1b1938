package org.kfac4j.curvature;

import static java.util.Objects.requireNonNull;

import java.io.Externalizable;
import java.io.IOException;
import java.io.ObjectInput;
import java.io.ObjectOutput;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import org.kfac4j.Check;
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

  private final Map<String, Double> scalars = new TreeMap<>();
  private final Map<String, float[]> single = new TreeMap<>();
  private final Map<String, double[]> full = new TreeMap<>();

  /** No sums: the neutral element of {@link #merge}. */
  public Sums() {}

  /** Adds a task's scalar, rounded so that a few of them add up exactly. */
  public void put(String name, double value) {
    Check.that(scalars.put(name, summable(value)) == null, "sum %s is set already", name);
  }

  /** Adds a task's vector; not copied. */
  public void put(String name, float[] vector) {
    Check.that(single.put(name, vector) == null, "sum %s is set already", name);
  }

  /** Adds a task's vector; not copied. */
  public void put(String name, double[] vector) {
    Check.that(full.put(name, vector) == null, "sum %s is set already", name);
  }

  /** Adds {@code other} to this and returns this. {@code other} is left alone. */
  public Sums merge(Sums other) {
    if (scalars.isEmpty() && single.isEmpty() && full.isEmpty()) {
      // A float32 vector is never changed, so it may be shared; it stays float32 on its way from
      // the task.
      scalars.putAll(other.scalars);
      single.putAll(other.single);
      other.full.forEach((name, vector) -> full.put(name, vector.clone()));
      return this;
    }
    other.scalars.forEach(
        (name, value) ->
            scalars.merge(name, value, name.startsWith(MAXIMUM) ? Math::max : Double::sum));
    other.single.forEach(
        (name, vector) -> {
          float[] own = single.remove(name);
          if (own != null) {
            full.put(name, sum(own, vector));
          } else {
            addTo(full.computeIfAbsent(name, n -> new double[vector.length]), vector);
          }
        });
    single.forEach((name, vector) -> full.put(name, widen(vector)));
    single.clear();
    other.full.forEach(
        (name, vector) ->
            addTo(full.computeIfAbsent(name, n -> new double[vector.length]), vector));
    return this;
  }

  /** The scalar {@code name}, 0 if nothing was summed. */
  public double scalar(String name) {
    return scalars.getOrDefault(name, 0.0);
  }

  /** Whether there is a vector {@code name}. */
  public boolean hasVector(String name) {
    return single.containsKey(name) || full.containsKey(name);
  }

  /**
   * A copy of the vector {@code name}, divided by {@code count}.
   *
   * @throws IllegalArgumentException if there is no such sum or count is not positive
   */
  public double[] mean(String name, double count) {
    Check.that(count > 0, "the mean of %s needs examples, got %s", name, count);
    double[] wide = full.get(name);
    float[] narrow = single.get(name);
    Check.that(wide != null || narrow != null, "there is no sum %s", name);
    double[] mean = new double[wide != null ? wide.length : requireNonNull(narrow).length];
    Vectors.forRanges(
        0,
        mean.length,
        (from, to) -> {
          for (int i = from; i < to; i++) {
            mean[i] = (wide != null ? wide[i] : requireNonNull(narrow)[i]) / count;
          }
        });
    return mean;
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

  private static double[] widen(float[] vector) {
    double[] wide = new double[vector.length];
    for (int i = 0; i < vector.length; i++) {
      wide[i] = vector[i];
    }
    return wide;
  }

  private static double[] sum(float[] u, float[] v) {
    Check.that(u.length == v.length, "sums of %d and %d numbers do not merge", u.length, v.length);
    double[] sum = new double[u.length];
    for (int i = 0; i < sum.length; i++) {
      sum[i] = (double) u[i] + v[i];
    }
    return sum;
  }

  private static void addTo(double[] sum, float[] vector) {
    Check.that(
        sum.length == vector.length,
        "sums of %d and %d numbers do not merge",
        sum.length,
        vector.length);
    for (int i = 0; i < sum.length; i++) {
      sum[i] += vector[i];
    }
  }

  private static void addTo(double[] sum, double[] vector) {
    Check.that(
        sum.length == vector.length,
        "sums of %d and %d numbers do not merge",
        sum.length,
        vector.length);
    for (int i = 0; i < sum.length; i++) {
      sum[i] += vector[i];
    }
  }

  @Override
  public void writeExternal(ObjectOutput out) throws IOException {
    out.writeInt(scalars.size());
    for (Map.Entry<String, Double> entry : scalars.entrySet()) {
      out.writeUTF(entry.getKey());
      out.writeDouble(entry.getValue());
    }
    out.writeInt(single.size());
    for (Map.Entry<String, float[]> entry : single.entrySet()) {
      out.writeUTF(entry.getKey());
      BulkIo.write(out, entry.getValue());
    }
    out.writeInt(full.size());
    for (Map.Entry<String, double[]> entry : full.entrySet()) {
      out.writeUTF(entry.getKey());
      BulkIo.write(out, entry.getValue());
    }
  }

  @Override
  public void readExternal(ObjectInput in) throws IOException {
    for (int i = in.readInt(); i > 0; i--) {
      scalars.put(in.readUTF(), in.readDouble());
    }
    for (int i = in.readInt(); i > 0; i--) {
      single.put(in.readUTF(), BulkIo.readFloats(in));
    }
    for (int i = in.readInt(); i > 0; i--) {
      full.put(in.readUTF(), BulkIo.readDoubles(in));
    }
  }
}
