package org.kfac4j.network;

import static java.util.Objects.requireNonNull;

import java.util.List;

/**
 * a = φ(s), element by element.
 *
 * @param name what messages and tables call it
 * @param shape what goes in and comes out
 */
public record ActivationLayer(String name, Shape shape, Activation activation) implements Layer {
  /** Of a vector. */
  public ActivationLayer(String name, int width, Activation activation) {
    this(name, Shape.vector(width), activation);
  }

  @Override
  public List<Shape> inputShapes() {
    return List.of(shape);
  }

  @Override
  public Shape outputShape() {
    return shape;
  }

  @Override
  public boolean worksInPlace() {
    return activation.isSlopeOfOutput();
  }

  @Override
  public boolean needsOutput() {
    return true;
  }

  @Override
  public void forward(LayerBuffers buffers, int n) {
    ActivationKernel.value(activation, buffers.in().whole(n), buffers.out().whole(n));
    buffers.out().setLastColumn(n);
  }

  /** ∂L/∂s = ∂L/∂a ∘ φ'(s). */
  @Override
  public void backward(LayerBuffers buffers, int n) {
    timesSlope(buffers, buffers.gradientOut(), buffers.gradientIn(), n);
  }

  /** ȧ = φ'(s) ∘ ṡ. */
  @Override
  public void tangent(LayerBuffers buffers, int n) {
    timesSlope(buffers, requireNonNull(buffers.tangentIn()), buffers.tangentOut(), n);
  }

  private void timesSlope(LayerBuffers buffers, Rows factor, Rows result, int n) {
    ActivationKernel.timesSlope(
        activation,
        buffers.in().whole(n),
        buffers.out().whole(n),
        factor.whole(n),
        result.whole(n));
  }
}
