package org.kfac4j.verify;

import java.util.Arrays;
import org.kfac4j.data.Hashing;

/** Vectors as plain loops: what is checked must not be what it is checked with. */
final class Vec {
  private Vec() {}

  /** {@code n} standard normal numbers, the same for the same key. */
  static double[] normal(long key, int n) {
    double[] values = new double[n];
    Arrays.setAll(values, i -> Hashing.normal(key, i));
    return values;
  }

  static double dot(double[] u, double[] v) {
    return dot(u, v, 0, u.length);
  }

  /** Σ u_i v_i for i in [from, to). */
  static double dot(double[] u, double[] v, int from, int to) {
    double sum = 0;
    for (int i = from; i < to; i++) {
      sum += u[i] * v[i];
    }
    return sum;
  }

  static double norm(double[] u) {
    return Math.sqrt(dot(u, u));
  }

  /** u + scale v. */
  static double[] plus(double[] u, double scale, double[] v) {
    double[] result = new double[u.length];
    for (int i = 0; i < u.length; i++) {
      result[i] = u[i] + scale * v[i];
    }
    return result;
  }

  /** Root of the mean square of entries in [from, to). */
  static double rms(double[] u, int from, int to) {
    return Math.sqrt(dot(u, u, from, to) / Math.max(1, to - from));
  }

  /** ‖u − v‖ / ‖v‖; 0 if both are zero. */
  static double relative(double[] u, double[] v) {
    return ratio(norm(plus(u, -1, v)), norm(v));
  }

  /** The largest |u_i − v_i| over the largest |v_i|; 0 if both are zero, NaN if one is. */
  static double largest(double[] u, double[] v) {
    double difference = 0;
    double scale = 0;
    for (int i = 0; i < u.length; i++) {
      difference = Math.max(difference, Math.abs(u[i] - v[i]));
      scale = Math.max(scale, Math.abs(v[i]));
    }
    return ratio(difference, scale);
  }

  /** error / scale, 0 for 0 / 0. */
  static double ratio(double error, double scale) {
    return error == 0 ? 0 : error / scale;
  }
}
