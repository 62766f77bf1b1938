package org.kfac4j.network;

import org.jspecify.annotations.Nullable;
import org.kfac4j.linalg.Matrix;

/**
 * a = φ(s), element by element.
 *
 * @param name what messages and tables call it
 * @param width numbers per example, in and out
 */
public record ActivationLayer(String name, int width, Activation activation) implements Layer {
  @Override
  public int inputs() {
    return width;
  }

  @Override
  public int outputs() {
    return width;
  }

  @Override
  public int parameterRows() {
    return 0;
  }

  @Override
  public int parameterColumns() {
    return 0;
  }

  @Override
  public boolean worksInPlace() {
    return activation.isSlopeOfOutput();
  }

  @Override
  public void forward(@Nullable Matrix parameters, Rows in, Rows out, int n) {
    ActivationKernel.value(activation, in.homogeneous(n), out.homogeneous(n));
    out.setLastColumn(n);
  }

  /** ∂L/∂s = ∂L/∂a ∘ φ'(s). */
  @Override
  public void backward(
      @Nullable Matrix parameters, Rows in, Rows out, Rows gradientOut, Rows gradientIn, int n) {
    ActivationKernel.timesSlope(
        activation,
        in.homogeneous(n),
        out.homogeneous(n),
        gradientOut.homogeneous(n),
        gradientIn.homogeneous(n));
  }

  /** ȧ = φ'(s) ∘ ṡ. */
  @Override
  public void tangent(
      @Nullable Matrix parameters,
      @Nullable Matrix direction,
      Rows in,
      Rows out,
      @Nullable Rows tangentIn,
      Rows tangentOut,
      int n) {
    if (tangentIn == null) {
      tangentOut.plain(n).clear();
    } else {
      ActivationKernel.timesSlope(
          activation,
          in.homogeneous(n),
          out.homogeneous(n),
          tangentIn.homogeneous(n),
          tangentOut.homogeneous(n));
    }
  }
}
