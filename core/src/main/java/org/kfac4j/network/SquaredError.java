package org.kfac4j.network;

import org.kfac4j.data.Hashing;

/**
 * L = c ‖z − t‖², the negative log-likelihood of a Gaussian with variance 1/(2c): g = 2c(z − t),
 * F_R = 2c I, targets z + ξ with ξ of that variance.
 *
 * <p>DL4J's conventions, kept here: {@code L2} is c = 1 (no ½), {@code MSE} is c = 1/outputs (the
 * mean over outputs, no ½).
 *
 * @param scale c
 */
public record SquaredError(int outputs, double scale) implements Loss {
  @Override
  public String name() {
    return scale == 1 ? "squared error (L2)" : "squared error (MSE)";
  }

  @Override
  public double value(double[] z, Targets targets, int n) {
    return scale * squaredError(z, targets, n);
  }

  @Override
  public double gradient(double[] z, Targets targets, int n, double[] g) {
    double sum = 0;
    for (int row = 0; row < n; row++) {
      for (int j = 0; j < outputs; j++) {
        int i = row * outputs + j;
        double difference = z[i] - targets.at(row, j, outputs);
        sum += difference * difference;
        g[i] = 2 * scale * difference;
      }
    }
    return scale * sum;
  }

  @Override
  public void sampledGradient(double[] z, long[] keys, int n, double[] g) {
    double deviation = Math.sqrt(2 * scale);
    for (int row = 0; row < n; row++) {
      for (int j = 0; j < outputs; j++) {
        g[row * outputs + j] = -deviation * Hashing.normal(keys[row], j);
      }
    }
  }

  @Override
  public void fisherVector(int c, double[] z, int n, double[] v) {
    java.util.Arrays.fill(v, 0, n * outputs, 0);
    for (int row = 0; row < n; row++) {
      v[row * outputs + c] = Math.sqrt(2 * scale);
    }
  }

  @Override
  public double fisherProduct(double[] z, double[] u, double[] v, int n) {
    double sum = 0;
    for (int i = 0; i < n * outputs; i++) {
      sum += u[i] * v[i];
    }
    return 2 * scale * sum;
  }

  @Override
  public void predict(double[] z, int n) {
    // The mean of the Gaussian is z itself.
  }
}
