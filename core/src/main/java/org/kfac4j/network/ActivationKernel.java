package org.kfac4j.network;

import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Precision;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Activations over whole blocks, in chunks copied to the heap, where the compiler vectorises
 * arithmetic and a copy costs less than an operation's pass over memory.
 */
final class ActivationKernel {
  private static final int CHUNK = 4096;

  private ActivationKernel() {}

  /**
   * out ← φ(in), all numbers of both, which have one shape without gaps; {@code out} may be {@code
   * in}.
   */
  static void value(Activation activation, Matrix in, Matrix out) {
    switch (activation.function()) {
      case IDENTITY -> {
        if (out != in) {
          out.flat().assign(in.flat());
        }
      }
      case RELU -> {
        // In one pass over memory, without a copy to the heap.
        Nd4j.getExecutioner()
            .exec(
                DynamicCustomOp.builder("relu")
                    .addInputs(in.flat())
                    .addOutputs(out.flat())
                    .addFloatingPointArguments(0.0)
                    .build());
      }
      case TANH, SIGMOID -> {
        if (in.precision() == Precision.FLOAT) {
          commonValue(activation.function(), in, out);
        } else {
          valueOnHeap(activation, in, out);
        }
      }
      default -> valueOnHeap(activation, in, out);
    }
  }

  private static void commonValue(Activation.Function function, Matrix in, Matrix out) {
    int length = in.rows() * in.stride();
    float[] x = new float[CHUNK];
    for (int at = 0; at < length; at += CHUNK) {
      int n = Math.min(CHUNK, length - at);
      in.get(at, x, 0, n);
      switch (function) {
        case TANH -> TanhKernel.tanh(x, n);
        default -> TanhKernel.sigmoid(x, n);
      }
      out.put(at, x, 0, n);
    }
  }

  private static void valueOnHeap(Activation activation, Matrix in, Matrix out) {
    int length = in.rows() * in.stride();
    double[] s = new double[CHUNK];
    for (int at = 0; at < length; at += CHUNK) {
      int n = Math.min(CHUNK, length - at);
      in.get(at, s, 0, n);
      for (int i = 0; i < n; i++) {
        s[i] = activation.value(s[i]);
      }
      out.put(at, s, 0, n);
    }
  }

  /**
   * result ← factor ∘ φ'(s) with a = φ(s); all matrices have one shape without gaps; {@code result}
   * may be {@code factor}.
   */
  static void timesSlope(Activation activation, Matrix s, Matrix a, Matrix factor, Matrix result) {
    switch (activation.function()) {
      case IDENTITY -> {
        if (result != factor) {
          result.flat().assign(factor.flat());
        }
      }
      case TANH, SIGMOID, RELU -> {
        if (a.precision() == Precision.FLOAT) {
          timesSlopeOfOutput(activation.function(), a, factor, result);
        } else {
          timesSlopeOnHeap(activation, s, a, factor, result);
        }
      }
      default -> timesSlopeOnHeap(activation, s, a, factor, result);
    }
  }

  /**
   * The three common functions, whose slopes are arithmetic in the output, in single precision:
   * loops that vectorise.
   */
  private static void timesSlopeOfOutput(
      Activation.Function function, Matrix a, Matrix factor, Matrix result) {
    int length = a.rows() * a.stride();
    float[] as = new float[CHUNK];
    float[] fs = new float[CHUNK];
    for (int at = 0; at < length; at += CHUNK) {
      int n = Math.min(CHUNK, length - at);
      a.get(at, as, 0, n);
      factor.get(at, fs, 0, n);
      switch (function) {
        case TANH -> tanhSlope(as, fs, n);
        case SIGMOID -> sigmoidSlope(as, fs, n);
        default -> reluSlope(as, fs, n);
      }
      result.put(at, fs, 0, n);
    }
  }

  private static void tanhSlope(float[] a, float[] f, int n) {
    for (int i = 0; i < n; i++) {
      f[i] = f[i] * (1 - a[i] * a[i]);
    }
  }

  private static void sigmoidSlope(float[] a, float[] f, int n) {
    for (int i = 0; i < n; i++) {
      f[i] = f[i] * (a[i] * (1 - a[i]));
    }
  }

  /** f or 0: signs of units are random, so a branch would be guessed wrong half of the time. */
  private static void reluSlope(float[] a, float[] f, int n) {
    for (int i = 0; i < n; i++) {
      // 1 for every a from the smallest normal number on.
      f[i] = f[i] * Math.min(1, a[i] * 0x1p126f);
    }
  }

  private static void timesSlopeOnHeap(
      Activation activation, Matrix s, Matrix a, Matrix factor, Matrix result) {
    int length = s.rows() * s.stride();
    double[] ss = new double[CHUNK];
    double[] as = new double[CHUNK];
    double[] fs = new double[CHUNK];
    for (int at = 0; at < length; at += CHUNK) {
      int n = Math.min(CHUNK, length - at);
      s.get(at, ss, 0, n);
      a.get(at, as, 0, n);
      factor.get(at, fs, 0, n);
      for (int i = 0; i < n; i++) {
        fs[i] *= activation.slope(ss[i], as[i]);
      }
      result.put(at, fs, 0, n);
    }
  }
}
