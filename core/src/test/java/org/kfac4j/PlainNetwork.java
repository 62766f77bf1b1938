package org.kfac4j;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.kfac4j.network.Activation;
import org.kfac4j.network.ActivationLayer;
import org.kfac4j.network.DenseLayer;
import org.kfac4j.network.Layer;
import org.kfac4j.network.Loss;
import org.kfac4j.network.Network;
import org.kfac4j.network.SigmoidCrossEntropy;
import org.kfac4j.network.SoftmaxCrossEntropy;
import org.kfac4j.network.SquaredError;

/** A network one example and one number at a time. */
public record PlainNetwork(Network network, double[] theta) {

  /**
   * What one example brings about.
   *
   * @param values input of each layer, and z
   */
  public record Pass(List<double[]> values) {
    public double[] z() {
      return values.get(values.size() - 1);
    }
  }

  /**
   * Derivatives of one scalar function of z.
   *
   * @param gradient with respect to θ
   * @param g with respect to each dense layer's output, in order
   */
  public record Backward(double[] gradient, List<double[]> g) {}

  public Pass forward(double[] x) {
    List<double[]> values = new ArrayList<>();
    values.add(x);
    int offset = 0;
    for (Layer layer : network.layers()) {
      double[] a = values.get(values.size() - 1);
      double[] s = new double[layer.outputs()];
      for (int j = 0; j < s.length; j++) {
        if (layer instanceof DenseLayer dense) {
          double[] homogeneous = homogeneous(dense, a);
          for (int i = 0; i < homogeneous.length; i++) {
            s[j] += homogeneous[i] * theta[offset + i * s.length + j];
          }
        } else {
          s[j] = value(((ActivationLayer) layer).activation(), a[j]);
        }
      }
      offset += layer.parameterCount();
      values.add(s);
    }
    return new Pass(values);
  }

  /** ā of each dense layer, in order. */
  public List<double[]> inputs(Pass pass) {
    List<double[]> inputs = new ArrayList<>();
    for (int i = 0; i < network.layers().size(); i++) {
      if (network.layers().get(i) instanceof DenseLayer dense) {
        inputs.add(homogeneous(dense, pass.values.get(i)));
      }
    }
    return inputs;
  }

  /** Derivatives of vᵀz. */
  public Backward backward(Pass pass, double[] v) {
    double[] gradient = new double[theta.length];
    List<double[]> all = new ArrayList<>();
    double[] g = v;
    int end = theta.length;
    for (int l = network.layers().size() - 1; l >= 0; l--) {
      Layer layer = network.layers().get(l);
      double[] a = pass.values.get(l);
      double[] below = new double[a.length];
      int offset = end - layer.parameterCount();
      if (layer instanceof DenseLayer dense) {
        double[] homogeneous = homogeneous(dense, a);
        for (int j = 0; j < g.length; j++) {
          for (int i = 0; i < homogeneous.length; i++) {
            gradient[offset + i * g.length + j] = homogeneous[i] * g[j];
          }
          for (int i = 0; i < below.length; i++) {
            below[i] += theta[offset + i * g.length + j] * g[j];
          }
        }
        all.add(0, g);
      } else {
        for (int i = 0; i < below.length; i++) {
          below[i] = slope(((ActivationLayer) layer).activation(), a[i]) * g[i];
        }
      }
      g = below;
      end = offset;
    }
    return new Backward(gradient, all);
  }

  /** ∂z/∂θ, [outputs, parameters]. */
  public double[][] jacobian(Pass pass) {
    double[][] unit = Dense.identity(network.outputs());
    double[][] jacobian = new double[network.outputs()][];
    for (int j = 0; j < jacobian.length; j++) {
      jacobian[j] = backward(pass, unit[j]).gradient;
    }
    return jacobian;
  }

  /** F_R of the loss's distribution at z, [outputs, outputs]. */
  public static double[][] outputFisher(Loss loss, double[] z) {
    double[] p = mean(loss, z);
    if (loss instanceof SoftmaxCrossEntropy) {
      return Dense.minus(Dense.diagonal(p), Dense.outer(p, p));
    }
    double[] diagonal = new double[z.length];
    for (int j = 0; j < z.length; j++) {
      diagonal[j] = loss instanceof SquaredError squared ? 2 * squared.scale() : p[j] * (1 - p[j]);
    }
    return Dense.diagonal(diagonal);
  }

  /** Mean of the loss's distribution at z. */
  public static double[] mean(Loss loss, double[] z) {
    double[] p = z.clone();
    if (loss instanceof SigmoidCrossEntropy) {
      for (int j = 0; j < z.length; j++) {
        p[j] = 1 / (1 + Math.exp(-z[j]));
      }
    } else if (loss instanceof SoftmaxCrossEntropy) {
      double sum = 0;
      for (double each : z) {
        sum += Math.exp(each);
      }
      for (int j = 0; j < z.length; j++) {
        p[j] = Math.exp(z[j]) / sum;
      }
    }
    return p;
  }

  /** L of one example. */
  public static double loss(Loss loss, double[] z, double[] target) {
    double largest = Arrays.stream(z).max().orElseThrow();
    double logSum = 0;
    for (double each : z) {
      logSum += Math.exp(each - largest);
    }
    logSum = largest + Math.log(logSum);
    double sum = 0;
    for (int j = 0; j < z.length; j++) {
      if (loss instanceof SquaredError squared) {
        sum += squared.scale() * (z[j] - target[j]) * (z[j] - target[j]);
      } else if (loss instanceof SoftmaxCrossEntropy) {
        sum -= target[j] * (z[j] - logSum);
      } else {
        // −t log σ(z) − (1 − t) log σ(−z), with log σ(z) = −softplus(−z).
        sum += target[j] * softplus(-z[j]) + (1 - target[j]) * softplus(z[j]);
      }
    }
    return sum;
  }

  private static double softplus(double s) {
    return s > 0 ? s + Math.log1p(Math.exp(-s)) : Math.log1p(Math.exp(s));
  }

  /** ∂L/∂z of one example. */
  public static double[] lossGradient(Loss loss, double[] z, double[] target) {
    double scale = loss instanceof SquaredError squared ? 2 * squared.scale() : 1;
    return Dense.scaled(scale, Dense.minus(mean(loss, z), target));
  }

  private static double[] homogeneous(DenseLayer dense, double[] a) {
    if (!dense.hasBias()) {
      return a;
    }
    double[] longer = Arrays.copyOf(a, a.length + 1);
    longer[a.length] = 1;
    return longer;
  }

  private static double value(Activation activation, double s) {
    return switch (activation.function()) {
      case SIGMOID -> 1 / (1 + Math.exp(-s));
      case TANH -> Math.tanh(s);
      default -> activation.value(s);
    };
  }

  private static double slope(Activation activation, double s) {
    return switch (activation.function()) {
      case SIGMOID -> 1 / ((1 + Math.exp(-s)) * (1 + Math.exp(s)));
      case TANH -> 1 / (Math.cosh(s) * Math.cosh(s));
      default -> activation.slope(s, activation.value(s));
    };
  }
}
