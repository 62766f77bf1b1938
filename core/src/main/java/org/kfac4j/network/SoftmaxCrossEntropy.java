package org.kfac4j.network;

import org.kfac4j.data.Hashing;

/**
 * A categorical output with logits z: L = −Σ_c t_c log p_c, p = softmax(z), t a class or a
 * distribution over classes; DL4J's MCXENT and SPARSE_MCXENT with softmax activation. g = p − t,
 * F_R = diag(p) − p pᵀ, v_c = √p_c (e_c − p).
 */
public record SoftmaxCrossEntropy(int outputs) implements Loss {
  @Override
  public String name() {
    return "softmax cross-entropy (MCXENT)";
  }

  @Override
  public double value(double[] z, Targets targets, int n) {
    double[] p = new double[outputs];
    double sum = 0;
    for (int row = 0; row < n; row++) {
      sum += exampleLoss(z, targets, row, softmax(z, row, p));
    }
    return sum;
  }

  @Override
  public double gradient(double[] z, Targets targets, int n, double[] g) {
    double[] p = new double[outputs];
    double sum = 0;
    for (int row = 0; row < n; row++) {
      sum += exampleLoss(z, targets, row, softmax(z, row, p));
      for (int j = 0; j < outputs; j++) {
        g[row * outputs + j] = p[j] - targets.at(row, j, outputs);
      }
    }
    return sum;
  }

  private double exampleLoss(double[] z, Targets targets, int row, double logSum) {
    double loss = 0;
    for (int j = 0; j < outputs; j++) {
      loss += targets.at(row, j, outputs) * (logSum - z[row * outputs + j]);
    }
    return loss;
  }

  @Override
  public void sampledGradient(double[] z, long[] keys, int n, double[] g) {
    double[] p = new double[outputs];
    for (int row = 0; row < n; row++) {
      softmax(z, row, p);
      double left = Hashing.uniform(keys[row], 0);
      int drawn = outputs - 1;
      for (int j = 0; j < outputs - 1; j++) {
        left -= p[j];
        if (left < 0) {
          drawn = j;
          break;
        }
      }
      for (int j = 0; j < outputs; j++) {
        g[row * outputs + j] = p[j] - (j == drawn ? 1 : 0);
      }
    }
  }

  @Override
  public void fisherVector(int c, double[] z, int n, double[] v) {
    double[] p = new double[outputs];
    for (int row = 0; row < n; row++) {
      softmax(z, row, p);
      double root = Math.sqrt(p[c]);
      for (int j = 0; j < outputs; j++) {
        v[row * outputs + j] = root * ((j == c ? 1 : 0) - p[j]);
      }
    }
  }

  @Override
  public double fisherProduct(double[] z, double[] u, double[] v, int n) {
    double[] p = new double[outputs];
    double sum = 0;
    for (int row = 0; row < n; row++) {
      softmax(z, row, p);
      double uv = 0;
      double pu = 0;
      double pv = 0;
      for (int j = 0; j < outputs; j++) {
        int i = row * outputs + j;
        uv += p[j] * u[i] * v[i];
        pu += p[j] * u[i];
        pv += p[j] * v[i];
      }
      sum += uv - pu * pv;
    }
    return sum;
  }

  @Override
  public void predict(double[] z, int n) {
    double[] p = new double[outputs];
    for (int row = 0; row < n; row++) {
      softmax(z, row, p);
      System.arraycopy(p, 0, z, row * outputs, outputs);
    }
  }

  /** p ← softmax of one row; returns log Σ e^z. */
  private double softmax(double[] z, int row, double[] p) {
    int from = row * outputs;
    double max = z[from];
    for (int j = 1; j < outputs; j++) {
      max = Math.max(max, z[from + j]);
    }
    double sum = 0;
    for (int j = 0; j < outputs; j++) {
      p[j] = Math.exp(z[from + j] - max);
      sum += p[j];
    }
    for (int j = 0; j < outputs; j++) {
      p[j] /= sum;
    }
    return max + Math.log(sum);
  }
}
