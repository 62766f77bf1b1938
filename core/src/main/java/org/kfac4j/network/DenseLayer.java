package org.kfac4j.network;

import java.util.List;
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
    implements WeightLayer {
  public DenseLayer {
    Check.that(
        inputs >= 1 && outputs >= 1,
        "%s: a dense layer needs inputs and outputs, got %d and %d",
        name,
        inputs,
        outputs);
  }

  @Override
  public List<Shape> inputShapes() {
    return List.of(Shape.vector(inputs));
  }

  @Override
  public Shape outputShape() {
    return Shape.vector(outputs);
  }

  @Override
  public List<LayerPart> parts() {
    return List.of(
        new LayerPart(parameterRows(), parameterColumns(), hasBias, ParameterRole.WEIGHTS));
  }

  /** Rows of X. */
  public int parameterRows() {
    return hasBias ? inputs + 1 : inputs;
  }

  /** Columns of X. */
  public int parameterColumns() {
    return outputs;
  }

  /** The rows that the parameters multiply: ā with a bias, a without; [n, parameterRows]. */
  private Matrix operand(LayerBuffers buffers, int n) {
    return hasBias ? buffers.in().homogeneous(n) : buffers.in().plain(n);
  }

  @Override
  public void forward(LayerBuffers buffers, int n) {
    Blas.multiply(
        operand(buffers, n), false, buffers.parameters(), false, 0, buffers.out().plain(n));
  }

  /** ∂L/∂a = g X₀ᵀ with X₀ the rows of X without the bias. */
  @Override
  public void backward(LayerBuffers buffers, int n) {
    Matrix weights = buffers.parameters().top(inputs);
    Blas.multiply(
        buffers.gradientOut().plain(n), false, weights, true, 0, buffers.gradientIn().plain(n));
  }

  /** Σ āᵀ g. */
  @Override
  public void addGradient(LayerBuffers buffers, int n, List<Accumulator> sums) {
    sums.get(0).addProduct(operand(buffers, n), true, buffers.gradientOut().plain(n), false);
  }

  /** Σ ā āᵀ. */
  @Override
  public void addInputMoments(
      LayerBuffers buffers, int n, WeightSharing sharing, List<Accumulator> sums) {
    sums.get(0).addGram(operand(buffers, n), 1);
  }

  /** Σ g gᵀ. */
  @Override
  public void addGradientMoments(
      LayerBuffers buffers, int n, WeightSharing sharing, List<Accumulator> sums) {
    sums.get(0).addGram(buffers.gradientOut().plain(n), 1);
  }

  @Override
  public void forRows(LayerBuffers buffers, int n, RowWork work) {
    work.apply(0, 0, n, operand(buffers, n), buffers.gradientOut().plain(n));
  }

  /** ṡ = ā V + ȧ X₀. */
  @Override
  public void tangent(LayerBuffers buffers, int n) {
    Matrix out = buffers.tangentOut().plain(n);
    Blas.multiply(operand(buffers, n), false, buffers.direction(), false, 0, out);
    Rows tangentIn = buffers.tangentIn();
    if (tangentIn != null) {
      Matrix weights = buffers.parameters().top(inputs);
      Blas.multiply(tangentIn.plain(n), false, weights, false, 1, out);
    }
  }
}
