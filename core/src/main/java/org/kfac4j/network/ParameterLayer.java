package org.kfac4j.network;

import org.kfac4j.linalg.Accumulator;

/**
 * A layer with a parameter matrix X = [parameterRows, parameterColumns], whose Fisher block K-FAC
 * takes for A ⊗ G: what the layer adds to the sums that the gradient and the two factors are made
 * of.
 */
public sealed interface ParameterLayer extends Layer permits ConvolutionLayer, DenseLayer {
  /** Whether the last row of X is the bias. */
  boolean hasBias();

  /**
   * Adds the gradient with respect to X, summed over the first n examples, to {@code sum},
   * [parameterRows, parameterColumns].
   */
  void addGradient(LayerBuffers buffers, int n, Accumulator sum);

  /**
   * Adds the second moments of what X multiplies, summed over the first n examples, to the lower
   * triangle of {@code sum}, [parameterRows, parameterRows]: A times the number of examples.
   */
  void addInputMoment(LayerBuffers buffers, int n, WeightSharing sharing, Accumulator sum);

  /**
   * Adds the second moments of the gradients with respect to the layer's output, summed over the
   * first n examples, to the lower triangle of {@code sum}, [parameterColumns, parameterColumns]: G
   * times the number of examples.
   */
  void addGradientMoment(LayerBuffers buffers, int n, WeightSharing sharing, Accumulator sum);
}
