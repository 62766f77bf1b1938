package org.kfac4j.network;

import java.util.List;
import org.kfac4j.linalg.Accumulator;

/** A layer with parameters, in one or more parts. */
public sealed interface ParameterLayer extends Layer permits ScaleLayer, WeightLayer {
  /**
   * Adds the gradient, summed over the first n examples, to {@code sums}; of {@link
   * ParameterRole#STATISTICS}, that by which they exceed the block's, times {@link
   * LayerBuffers#weight}.
   *
   * @param sums one for each part, of its shape
   */
  void addGradient(LayerBuffers buffers, int n, List<Accumulator> sums);

  /** {@link #addGradient} and {@link #backward}, for layers that do both faster in one. */
  default void backwardAndAddGradient(LayerBuffers buffers, int n, List<Accumulator> sums) {
    addGradient(buffers, n, sums);
    backward(buffers, n);
  }
}
