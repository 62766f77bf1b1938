package org.kfac4j.network;

import java.io.Serializable;
import java.util.Locale;

/**
 * An element-wise activation a = φ(s).
 *
 * @param function which φ
 * @param parameter its α or θ; unused by functions without one
 */
public record Activation(Function function, double parameter) implements Serializable {

  public static Activation of(Function function) {
    return new Activation(function, 0);
  }

  /** φ(s). */
  public double value(double s) {
    return function.value(s, parameter);
  }

  /** φ'(s), given both s and a = φ(s); one-sided at kinks. */
  public double slope(double s, double a) {
    return function.slope(s, a, parameter);
  }

  /** Whether φ'(s) can be had from a = φ(s) alone, so that s need not be kept. */
  public boolean isSlopeOfOutput() {
    return switch (function) {
      case IDENTITY, SIGMOID, TANH, RELU -> true;
      default -> false;
    };
  }

  public boolean isIdentity() {
    return function == Function.IDENTITY;
  }

  @Override
  public String toString() {
    String name = function.name().toLowerCase(Locale.ROOT);
    return parameter == 0 ? name : name + "(" + parameter + ")";
  }

  /** The functions, with DL4J's definitions; p is the parameter. */
  public enum Function {
    IDENTITY {
      @Override
      double value(double s, double p) {
        return s;
      }

      @Override
      double slope(double s, double a, double p) {
        return 1;
      }
    },
    SIGMOID {
      @Override
      double value(double s, double p) {
        return 0.5 * Math.tanh(0.5 * s) + 0.5;
      }

      @Override
      double slope(double s, double a, double p) {
        return a * (1 - a);
      }
    },
    TANH {
      @Override
      double value(double s, double p) {
        return Math.tanh(s);
      }

      @Override
      double slope(double s, double a, double p) {
        return 1 - a * a;
      }
    },
    RELU {
      @Override
      double value(double s, double p) {
        return Math.max(s, 0);
      }

      @Override
      double slope(double s, double a, double p) {
        return s > 0 ? 1 : 0;
      }
    },
    /** min(max(s, 0), 6). */
    RELU6 {
      @Override
      double value(double s, double p) {
        return Math.min(Math.max(s, 0), 6);
      }

      @Override
      double slope(double s, double a, double p) {
        return s > 0 && s < 6 ? 1 : 0;
      }
    },
    /** s above the threshold p, 0 elsewhere. */
    THRESHOLDEDRELU {
      @Override
      double value(double s, double p) {
        return s > p ? s : 0;
      }

      @Override
      double slope(double s, double a, double p) {
        return s > p ? 1 : 0;
      }
    },
    /** s for s ≥ 0, p·s below. */
    LEAKYRELU {
      @Override
      double value(double s, double p) {
        return s < 0 ? p * s : s;
      }

      @Override
      double slope(double s, double a, double p) {
        return s < 0 ? p : 1;
      }
    },
    /** s for s ≥ 0, p(eˢ − 1) below. */
    ELU {
      @Override
      double value(double s, double p) {
        return s < 0 ? p * Math.expm1(s) : s;
      }

      @Override
      double slope(double s, double a, double p) {
        return s < 0 ? p * Math.exp(s) : 1;
      }
    },
    /** Scaled ELU with the self-normalising constants of arXiv:1706.02515. */
    SELU {
      @Override
      double value(double s, double p) {
        return SELU_SCALE * (s > 0 ? s : SELU_ALPHA * Math.expm1(s));
      }

      @Override
      double slope(double s, double a, double p) {
        return SELU_SCALE * (s > 0 ? 1 : SELU_ALPHA * Math.exp(s));
      }
    },
    /** log(1 + eˢ). */
    SOFTPLUS {
      @Override
      double value(double s, double p) {
        return Math.max(s, 0) + Math.log1p(Math.exp(-Math.abs(s)));
      }

      @Override
      double slope(double s, double a, double p) {
        return sigmoid(s);
      }
    },
    /** s / (1 + |s|). */
    SOFTSIGN {
      @Override
      double value(double s, double p) {
        return s / (1 + Math.abs(s));
      }

      @Override
      double slope(double s, double a, double p) {
        double d = 1 + Math.abs(s);
        return 1 / (d * d);
      }
    },
    /** s·σ(s). */
    SWISH {
      @Override
      double value(double s, double p) {
        return s * sigmoid(s);
      }

      @Override
      double slope(double s, double a, double p) {
        double sigma = sigmoid(s);
        return sigma + a * (1 - sigma);
      }
    },
    /** s·σ(1.702 s), DL4J's GELU. */
    GELU {
      @Override
      double value(double s, double p) {
        return s * sigmoid(GELU_SCALE * s);
      }

      @Override
      double slope(double s, double a, double p) {
        double sigma = sigmoid(GELU_SCALE * s);
        return sigma + GELU_SCALE * a * (1 - sigma);
      }
    },
    /** s·tanh(log(1 + eˢ)). */
    MISH {
      @Override
      double value(double s, double p) {
        return s * Math.tanh(SOFTPLUS.value(s, p));
      }

      @Override
      double slope(double s, double a, double p) {
        double t = Math.tanh(SOFTPLUS.value(s, p));
        return t + s * sigmoid(s) * (1 - t * t);
      }
    },
    /** s clipped to [−1, 1]. */
    HARDTANH {
      @Override
      double value(double s, double p) {
        return Math.min(Math.max(s, -1), 1);
      }

      @Override
      double slope(double s, double a, double p) {
        return s > -1 && s < 1 ? 1 : 0;
      }
    },
    /** 0.2 s + 0.5 clipped to [0, 1]. */
    HARDSIGMOID {
      @Override
      double value(double s, double p) {
        return Math.min(Math.max(0.2 * s + 0.5, 0), 1);
      }

      @Override
      double slope(double s, double a, double p) {
        return s > -2.5 && s < 2.5 ? 0.2 : 0;
      }
    },
    /** max(tanh s, 0). */
    RECTIFIEDTANH {
      @Override
      double value(double s, double p) {
        return Math.max(Math.tanh(s), 0);
      }

      @Override
      double slope(double s, double a, double p) {
        return s > 0 ? 1 - a * a : 0;
      }
    },
    /**
     * 1.7159 τ(⅔ s), τ(x) = sign(x)(1 − 1/(1 + |x| + x² + 1.41645 x⁴)): DL4J's rational
     * approximation of tanh.
     */
    RATIONALTANH {
      @Override
      double value(double s, double p) {
        double x = Math.abs(2 * s / 3);
        return 1.7159 * Math.signum(s) * (1 - 1 / (1 + x + x * x + 1.41645 * x * x * x * x));
      }

      @Override
      double slope(double s, double a, double p) {
        double x = Math.abs(2 * s / 3);
        double d = 1 + x + x * x + 1.41645 * x * x * x * x;
        return 1.7159 * 2 / 3 * (1 + 2 * x + 4 * 1.41645 * x * x * x) / (d * d);
      }
    },
    CUBE {
      @Override
      double value(double s, double p) {
        return s * s * s;
      }

      @Override
      double slope(double s, double a, double p) {
        return 3 * s * s;
      }
    };

    private static final double SELU_SCALE = 1.0507009873554805;
    private static final double SELU_ALPHA = 1.6732632423543772;
    private static final double GELU_SCALE = 1.702;

    abstract double value(double s, double p);

    abstract double slope(double s, double a, double p);

    private static double sigmoid(double s) {
      return 1 / (1 + Math.exp(-s));
    }
  }
}
