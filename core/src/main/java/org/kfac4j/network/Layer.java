package org.kfac4j.network;

import java.io.Serializable;
import java.util.List;

/**
 * One layer of a network: a function of its inputs and its parameters. Implementations are
 * immutable; everything that is computed is in {@link LayerBuffers}. n is the number of examples in
 * the block; buffers not named as written are left alone.
 */
public sealed interface Layer extends Serializable
    permits ParameterLayer,
        ActivationLayer,
        DropoutLayer,
        FlattenLayer,
        GlobalPoolingLayer,
        MergeLayer,
        PoolingLayer,
        SumLayer,
        ZeroPaddingLayer {
  /** What messages and tables call it. */
  String name();

  /** What goes in; one for all but layers that join values. */
  List<Shape> inputShapes();

  /** What comes out. */
  Shape outputShape();

  /** Numbers per example that go in, of a layer with one input. */
  default int inputs() {
    return inputShapes().get(0).size();
  }

  /** Numbers per example that come out. */
  default int outputs() {
    return outputShape().size();
  }

  /** Its parameters, in the order in which θ has them. */
  default List<LayerPart> parts() {
    return List.of();
  }

  /** Number of parameters. */
  default int parameterCount() {
    return parts().stream().mapToInt(LayerPart::size).reduce(0, Math::addExact);
  }

  /**
   * Whether the output may overwrite the input, and a derivative that comes back or goes forward
   * the one it is made from: whether this layer never looks at its input again.
   */
  default boolean worksInPlace() {
    return false;
  }

  /** Whether {@link #backward} or {@link #tangent} look at the output. */
  default boolean needsOutput() {
    return false;
  }

  /** Writes the first n examples of {@code out} from those of the inputs. */
  void forward(LayerBuffers buffers, int n);

  /**
   * Vector–Jacobian product with respect to the inputs: writes {@code gradientIn} of each from
   * {@code gradientOut}.
   */
  void backward(LayerBuffers buffers, int n);

  /**
   * Forward-mode (Jacobian–vector) product: writes {@code tangentOut}, the derivative of the output
   * when the parameters move along {@code direction} and the inputs along {@code tangentIn}. Called
   * only if something moves.
   */
  void tangent(LayerBuffers buffers, int n);
}
