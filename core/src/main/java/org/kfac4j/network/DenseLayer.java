package org.kfac4j.network;

import static java.util.Objects.requireNonNull;

import org.jspecify.annotations.Nullable;
import org.kfac4j.Check;
import org.kfac4j.linalg.Accumulator;
import org.kfac4j.linalg.Blas;
import org.kfac4j.linalg.Matrix;

/**
 * A fully connected layer, s = ā X, with X = [inputs + 1, outputs] and the bias as its last row;
 * without bias s = a X, X = [inputs, outputs].
 *
 * @param name what messages and tables call it
 */
public record DenseLayer(String name, int inputs, int outputs, boolean hasBias)
    implements ParameterLayer {
  public DenseLayer {
    Check.that(
        inputs >= 1 && outputs >= 1,
        "%s: a dense layer needs inputs and outputs, got %d and %d",
        name,
        inputs,
        outputs);
  }

  @Override
  public int parameterRows() {
    return hasBias ? inputs + 1 : inputs;
  }

  @Override
  public int parameterColumns() {
    return outputs;
  }

  /** The rows that the parameters multiply: ā with a bias, a without; [n, parameterRows]. */
  private Matrix operand(Rows in, int n) {
    return hasBias ? in.homogeneous(n) : in.plain(n);
  }

  @Override
  public void forward(@Nullable Matrix parameters, Rows in, Rows out, int n) {
    Blas.multiply(operand(in, n), false, requireNonNull(parameters), false, 0, out.plain(n));
  }

  /** ∂L/∂a = g X₀ᵀ with X₀ the rows of X without the bias. */
  @Override
  public void backward(
      @Nullable Matrix parameters, Rows in, Rows out, Rows gradientOut, Rows gradientIn, int n) {
    Matrix weights = requireNonNull(parameters).top(inputs);
    Blas.multiply(gradientOut.plain(n), false, weights, true, 0, gradientIn.plain(n));
  }

  /** Σ āᵀ g. */
  @Override
  public void addGradient(Rows in, Rows gradientOut, int n, Accumulator sum) {
    sum.addProduct(operand(in, n), true, gradientOut.plain(n), false);
  }

  /** Σ ā āᵀ. */
  @Override
  public void addInputMoment(Rows in, int n, Accumulator sum) {
    sum.addGram(operand(in, n));
  }

  /** Σ g gᵀ. */
  @Override
  public void addGradientMoment(Rows gradientOut, int n, Accumulator sum) {
    sum.addGram(gradientOut.plain(n));
  }

  /** ṡ = ā V + ȧ X₀. */
  @Override
  public void tangent(
      @Nullable Matrix parameters,
      @Nullable Matrix direction,
      Rows in,
      Rows out,
      @Nullable Rows tangentIn,
      Rows tangentOut,
      int n) {
    Blas.multiply(operand(in, n), false, requireNonNull(direction), false, 0, tangentOut.plain(n));
    if (tangentIn != null) {
      Matrix weights = requireNonNull(parameters).top(inputs);
      Blas.multiply(tangentIn.plain(n), false, weights, false, 1, tangentOut.plain(n));
    }
  }
}
