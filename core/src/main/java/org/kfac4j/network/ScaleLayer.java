package org.kfac4j.network;

import org.kfac4j.linalg.Matrix;

/**
 * A layer with few parameters, in its first part, whose gradients are had example by example; the
 * Fisher block made of them is exact.
 */
public sealed interface ScaleLayer extends ParameterLayer
    permits BatchNormalizationLayer, ParametricReluLayer {
  /**
   * Writes the gradients with respect to the first part of each of the first n examples' losses.
   *
   * @param gradients [n, size of the part], without gaps
   */
  void exampleGradients(LayerBuffers buffers, int n, Matrix gradients);
}
