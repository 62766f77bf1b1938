package org.kfac4j.network;

import java.util.List;
import org.kfac4j.linalg.Accumulator;
import org.kfac4j.linalg.Matrix;

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

  /** Something that is done with what X multiplies and what comes back, some examples at a time. */
  @FunctionalInterface
  interface RowWork {
    /**
     * @param part which of the layer's parts
     * @param first the first example's index in the block
     * @param examples how many; all have the same number of rows, one example's after the other's
     * @param inputs rows ā, [examples · positions, rows of the part]; not to be changed
     * @param gradients rows g, [examples · positions, columns of the part]; not to be changed
     */
    void apply(int part, int first, int examples, Matrix inputs, Matrix gradients);
  }

  /** Pieces of scratch memory below this one belong to the layer. */
  int FREE_SCRATCH = 4;

  /**
   * Has {@code work} done with the rows ā and g of the first n examples, part by part: the gradient
   * of one example with respect to X is Σ ā gᵀ over its rows. The most general access to what
   * curvature is made of, and not the fastest for every sum. Pieces of scratch memory from {@link
   * #FREE_SCRATCH} on are free for the work to use.
   */
  void forRows(LayerBuffers buffers, int n, RowWork work);
}
