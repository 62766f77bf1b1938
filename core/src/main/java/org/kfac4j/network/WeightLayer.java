package org.kfac4j.network;

import java.util.List;
import org.kfac4j.linalg.Accumulator;

/**
 * A layer whose parts are matrices X = [rows, columns] that rows of inputs are multiplied with.
 * K-FAC takes the Fisher block of each for A ⊗ G: what the layer adds to the sums that the two
 * factors are made of.
 */
public sealed interface WeightLayer extends ParameterLayer
    permits ConvolutionLayer, DenseLayer, DepthwiseConvolutionLayer {
  /**
   * Adds the second moments of what each X multiplies, summed over the first n examples, to the
   * lower triangle of its sum, [rows, rows]: A times the number of examples.
   */
  void addInputMoments(LayerBuffers buffers, int n, WeightSharing sharing, List<Accumulator> sums);

  /**
   * Adds the second moments of the gradients with respect to what comes of each X, summed over the
   * first n examples, to the lower triangle of its sum, [columns, columns]: G times the number of
   * examples.
   */
  void addGradientMoments(
      LayerBuffers buffers, int n, WeightSharing sharing, List<Accumulator> sums);
}
