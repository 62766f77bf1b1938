package org.kfac4j.network;

import java.io.Serializable;

/**
 * The loss of one example, L = −log p(target | z) up to a constant, as a function of the network's
 * output z; and the distribution p that it belongs to, from which the Fisher matrix draws targets.
 * z, gradients and tangents are [n, outputs] row by row. Sums are over rows; nothing is divided by
 * n. Martens and Grosse 2015, arXiv:1503.05671, appendix C.
 */
public sealed interface Loss extends Serializable
    permits SigmoidCrossEntropy, SoftmaxCrossEntropy, SquaredError {
  /** What tables and messages call it. */
  String name();

  /** Length of z for one example. */
  int outputs();

  /** Σ L over the rows. */
  double value(double[] z, Targets targets, int n);

  /** g ← ∂L/∂z for each row; returns Σ L. */
  double gradient(double[] z, Targets targets, int n, double[] g);

  /** g ← ∂L/∂z at a target drawn from p(· | z), for each row from the random stream keys[row]. */
  void sampledGradient(double[] z, long[] keys, int n, double[] g);

  /** Number of vectors v_c with Σ_c v_c v_cᵀ = F_R, the Fisher matrix of p with respect to z. */
  default int fisherVectors() {
    return outputs();
  }

  /** v ← v_c for each row. */
  void fisherVector(int c, double[] z, int n, double[] v);

  /** Σ uᵀ F_R v over the rows. */
  double fisherProduct(double[] z, double[] u, double[] v, int n);

  /**
   * Adds (u_i)ᵀ F_R u_j, summed over the rows, to {@code sums[i][j]} for all pairs i ≤ j of {@code
   * tangents}.
   */
  default void addFisherProducts(double[] z, double[][] tangents, int n, double[][] sums) {
    for (int i = 0; i < tangents.length; i++) {
      for (int j = i; j < tangents.length; j++) {
        sums[i][j] += fisherProduct(z, tangents[i], tangents[j], n);
      }
    }
  }

  /** z ← what the model predicts: the mean of p(· | z). */
  void predict(double[] z, int n);

  /** Σ ‖prediction − target‖² over the rows, no ½: an autoencoder's reconstruction error. */
  default double squaredError(double[] z, Targets targets, int n) {
    double[] prediction = java.util.Arrays.copyOf(z, n * outputs());
    predict(prediction, n);
    double sum = 0;
    for (int row = 0; row < n; row++) {
      for (int j = 0; j < outputs(); j++) {
        double difference = prediction[row * outputs() + j] - targets.at(row, j, outputs());
        sum += difference * difference;
      }
    }
    return sum;
  }

  /** Number of rows whose largest output is the target's largest. */
  default long correct(double[] z, Targets targets, int n) {
    long correct = 0;
    for (int row = 0; row < n; row++) {
      int predicted = 0;
      int actual = 0;
      for (int j = 1; j < outputs(); j++) {
        predicted = z[row * outputs() + j] > z[row * outputs() + predicted] ? j : predicted;
        actual = targets.at(row, j, outputs()) > targets.at(row, actual, outputs()) ? j : actual;
      }
      correct += predicted == actual ? 1 : 0;
    }
    return correct;
  }
}
