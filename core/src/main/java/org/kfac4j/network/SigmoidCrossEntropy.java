package org.kfac4j.network;

import org.kfac4j.data.Hashing;

/**
 * Independent Bernoulli outputs with logits z: L = Σ_j log(1 + e^{z_j}) − t_j z_j, t_j in [0, 1];
 * DL4J's XENT with sigmoid activation (without its clipping of probabilities). g = σ(z) − t, F_R =
 * diag(p(1 − p)).
 */
public record SigmoidCrossEntropy(int outputs) implements Loss {
  /**
   * How many factors max(p, 1 − p) = 1 / (1 + e^{−|z|}), each in [½, 1], are multiplied before a
   * logarithm is taken; 2^−512 does not underflow.
   */
  private static final int FACTORS = 512;

  @Override
  public String name() {
    return "sigmoid cross-entropy (XENT)";
  }

  @Override
  public double value(double[] z, Targets targets, int n) {
    return accumulate(z, targets, n, null);
  }

  @Override
  public double gradient(double[] z, Targets targets, int n, double[] g) {
    return accumulate(z, targets, n, g);
  }

  private double accumulate(
      double[] z, Targets targets, int n, double @org.jspecify.annotations.Nullable [] g) {
    double sum = 0;
    double product = 1;
    int factors = 0;
    double[] p = new double[outputs];
    for (int row = 0; row < n; row++) {
      Logistic.of(z, row * outputs, p, outputs);
      for (int j = 0; j < outputs; j++) {
        int i = row * outputs + j;
        double t = targets.at(row, j, outputs);
        // max(z, 0) and max(p, 1 − p), without branches that depend on data.
        sum += 0.5 * (z[i] + Math.abs(z[i])) - t * z[i];
        product *= 0.5 + Math.abs(p[j] - 0.5);
        if (++factors == FACTORS) {
          sum -= Math.log(product);
          product = 1;
          factors = 0;
        }
        if (g != null) {
          g[i] = p[j] - t;
        }
      }
    }
    return sum - Math.log(product);
  }

  @Override
  public void sampledGradient(double[] z, long[] keys, int n, double[] g) {
    double[] p = new double[outputs];
    for (int row = 0; row < n; row++) {
      Logistic.of(z, row * outputs, p, outputs);
      for (int j = 0; j < outputs; j++) {
        g[row * outputs + j] = p[j] - (Hashing.uniform(keys[row], j) < p[j] ? 1 : 0);
      }
    }
  }

  @Override
  public void fisherVector(int c, double[] z, int n, double[] v) {
    java.util.Arrays.fill(v, 0, n * outputs, 0);
    for (int row = 0; row < n; row++) {
      double p = sigmoid(z[row * outputs + c]);
      v[row * outputs + c] = Math.sqrt(p * (1 - p));
    }
  }

  @Override
  public double fisherProduct(double[] z, double[] u, double[] v, int n) {
    double sum = 0;
    for (int i = 0; i < n * outputs; i++) {
      double p = sigmoid(z[i]);
      sum += p * (1 - p) * u[i] * v[i];
    }
    return sum;
  }

  @Override
  public void addFisherProducts(double[] z, double[][] tangents, int n, double[][] sums) {
    int length = n * outputs;
    double[] variances = new double[length];
    Logistic.of(z, 0, variances, length);
    for (int i = 0; i < length; i++) {
      variances[i] *= 1 - variances[i];
    }
    for (int i = 0; i < tangents.length; i++) {
      for (int j = i; j < tangents.length; j++) {
        sums[i][j] += weightedDot(variances, tangents[i], tangents[j], length);
      }
    }
  }

  private static double weightedDot(double[] w, double[] u, double[] v, int length) {
    double a = 0;
    double b = 0;
    // Two sums, because the additions of one wait for each other.
    int i = 0;
    for (; i + 1 < length; i += 2) {
      a += w[i] * u[i] * v[i];
      b += w[i + 1] * u[i + 1] * v[i + 1];
    }
    return i < length ? a + b + w[i] * u[i] * v[i] : a + b;
  }

  @Override
  public void predict(double[] z, int n) {
    for (int i = 0; i < n * outputs; i++) {
      z[i] = sigmoid(z[i]);
    }
  }

  private static double sigmoid(double z) {
    return 1 / (1 + Math.exp(-z));
  }
}
