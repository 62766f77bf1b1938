package org.kfac4j.network;

import java.io.Serializable;
import org.jspecify.annotations.Nullable;
import org.kfac4j.linalg.Matrix;

/**
 * One layer of a network: a function of its input and its parameters. Implementations are
 * immutable; all arrays are arguments. n is the number of examples in the block; matrices not named
 * as written are left alone.
 */
public sealed interface Layer extends Serializable permits ParameterLayer, ActivationLayer {
  /** What messages and tables call it. */
  String name();

  /** Numbers per example that go in. */
  int inputs();

  /** Numbers per example that come out. */
  int outputs();

  /** Rows of the parameter matrix, 0 for a layer without parameters. */
  int parameterRows();

  /** Columns of the parameter matrix, 0 for a layer without parameters. */
  int parameterColumns();

  /** Number of parameters. */
  default int parameterCount() {
    return Math.multiplyExact(parameterRows(), parameterColumns());
  }

  /**
   * Whether the output may overwrite the input, and a derivative that comes back or goes forward
   * the one it is made from: whether this layer never looks at its input again.
   */
  default boolean worksInPlace() {
    return false;
  }

  /** Writes the first n rows of {@code out} from those of {@code in}. */
  void forward(@Nullable Matrix parameters, Rows in, Rows out, int n);

  /**
   * Vector–Jacobian product with respect to the input: writes {@code gradientIn} from {@code
   * gradientOut}.
   */
  void backward(
      @Nullable Matrix parameters, Rows in, Rows out, Rows gradientOut, Rows gradientIn, int n);

  /**
   * Forward-mode (Jacobian–vector) product: writes {@code tangentOut}, the derivative of the output
   * when the parameters move along {@code direction} and the input along {@code tangentIn}.
   *
   * @param tangentIn null if the input does not move
   */
  void tangent(
      @Nullable Matrix parameters,
      @Nullable Matrix direction,
      Rows in,
      Rows out,
      @Nullable Rows tangentIn,
      Rows tangentOut,
      int n);
}
