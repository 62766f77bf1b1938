package org.kfac4j.curvature;

import java.util.List;
import org.kfac4j.linalg.Accumulator;
import org.kfac4j.network.LayerBuffers;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.WeightLayer;
import org.kfac4j.network.WeightSharing;

/** Σ ā āᵀ and Σ g gᵀ of a layer's blocks: {@link KroneckerFactors}. */
final class MomentSums implements LayerSums {
  private final WeightLayer layer;
  private final List<ParameterBlock> blocks;
  private final WeightSharing sharing;
  private final List<Accumulator> inputs;
  private final List<Accumulator> gradients;

  MomentSums(
      WeightLayer layer, List<ParameterBlock> blocks, WeightSharing sharing, Workspace workspace) {
    this.layer = layer;
    this.blocks = blocks;
    this.sharing = sharing;
    this.inputs =
        blocks.stream()
            .map(each -> workspace.cleared(SumNames.inputs(each), each.rows(), each.rows()))
            .toList();
    this.gradients =
        blocks.stream()
            .map(
                each -> workspace.cleared(SumNames.gradients(each), each.columns(), each.columns()))
            .toList();
  }

  @Override
  public void addInputs(LayerBuffers buffers, int n) {
    layer.addInputMoments(buffers, n, sharing, inputs);
  }

  @Override
  public void addGradients(LayerBuffers buffers, int n, int pass, long[] places) {
    layer.addGradientMoments(buffers, n, sharing, gradients);
  }

  @Override
  public void put(Sums sums) {
    for (int i = 0; i < blocks.size(); i++) {
      sums.putPacked(SumNames.inputs(blocks.get(i)), inputs.get(i).sum());
      sums.putPacked(SumNames.gradients(blocks.get(i)), gradients.get(i).sum());
    }
  }
}
