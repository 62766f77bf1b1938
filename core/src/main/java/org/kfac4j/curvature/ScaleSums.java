package org.kfac4j.curvature;

import org.kfac4j.linalg.Accumulator;
import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Rowwise;
import org.kfac4j.network.LayerBuffers;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.ScaleLayer;

/** Σ u uᵀ or Σ u² of a layer's scales: {@link ExactStatistics} or {@link DiagonalStatistics}. */
final class ScaleSums implements LayerSums {
  private static final int GRADIENTS = 1;

  private final ScaleLayer layer;
  private final ParameterBlock block;
  private final boolean exact;
  private final Accumulator sum;

  ScaleSums(ScaleLayer layer, ParameterBlock block, BlockForm form, Workspace workspace) {
    this.layer = layer;
    this.block = block;
    this.exact = form == BlockForm.EXACT;
    int n = block.shape().size();
    this.sum =
        exact
            ? workspace.cleared(SumNames.exact(block), n, n)
            : workspace.cleared(SumNames.diagonal(block), 1, n);
  }

  @Override
  public void addGradients(LayerBuffers buffers, int n, int pass, Block source) {
    Matrix gradients = buffers.scratch().matrix(GRADIENTS, n, block.shape().size());
    layer.exampleGradients(buffers, n, gradients);
    if (exact) {
      sum.addGram(gradients, 1);
    } else {
      sum.add(Rowwise.columnSquares(gradients, 1));
    }
  }

  @Override
  public void put(Sums sums) {
    if (exact) {
      sums.putPacked(SumNames.exact(block), sum.sum());
    } else {
      sums.putAll(SumNames.diagonal(block), sum.sum());
    }
  }
}
