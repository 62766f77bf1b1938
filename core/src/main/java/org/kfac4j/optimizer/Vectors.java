package org.kfac4j.optimizer;

/** Vectors of θ's length. */
final class Vectors {
  private Vectors() {}

  /** Σ u v. Four partial sums: the additions of one would wait for each other. */
  static double dot(double[] u, double[] v) {
    double a = 0;
    double b = 0;
    double c = 0;
    double d = 0;
    int i = 0;
    for (; i + 3 < u.length; i += 4) {
      a += u[i] * v[i];
      b += u[i + 1] * v[i + 1];
      c += u[i + 2] * v[i + 2];
      d += u[i + 3] * v[i + 3];
    }
    for (; i < u.length; i++) {
      a += u[i] * v[i];
    }
    return a + b + c + d;
  }
}
