package org.kfac4j.curvature;

import java.util.List;
import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Rowwise;
import org.kfac4j.network.LayerBuffers;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.Scratch;
import org.kfac4j.network.WeightLayer;

/**
 * Σ ‖ā‖²‖g‖², Σ ‖g‖² ā āᵀ and Σ ‖ā‖² g gᵀ of a layer's blocks, over all rows: {@link TraceFactors}.
 */
final class TraceSums implements LayerSums {
  private static final int SCALED = WeightLayer.FREE_SCRATCH;

  private final WeightLayer layer;
  private final List<ParameterBlock> blocks;
  private final double[] traces;
  private final List<FactorSum> inputs;
  private final List<FactorSum> gradients;

  TraceSums(WeightLayer layer, List<ParameterBlock> blocks, BlockForms forms, Workspace workspace) {
    this.layer = layer;
    this.blocks = blocks;
    this.traces = new double[blocks.size()];
    this.inputs =
        blocks.stream()
            .map(
                each ->
                    new FactorSum(
                        SumNames.weightedInputs(each), forms.inputBlocks(each), workspace))
            .toList();
    this.gradients =
        blocks.stream()
            .map(
                each ->
                    new FactorSum(
                        SumNames.weightedGradients(each), forms.gradientBlocks(each), workspace))
            .toList();
  }

  @Override
  public void addGradients(LayerBuffers buffers, int n, int pass, Block source) {
    layer.forRows(
        buffers,
        n,
        (part, first, examples, a, g) -> {
          double[] inputNorms = Rowwise.squaredNorms(a);
          double[] gradientNorms = Rowwise.squaredNorms(g);
          for (int i = 0; i < inputNorms.length; i++) {
            traces[part] += inputNorms[i] * gradientNorms[i];
          }
          addWeighted(a, gradientNorms, inputs.get(part), buffers.scratch());
          addWeighted(g, inputNorms, gradients.get(part), buffers.scratch());
        });
  }

  /** sum ← sum + Σ weight · row rowᵀ. */
  private static void addWeighted(Matrix rows, double[] weights, FactorSum sum, Scratch scratch) {
    double[] roots = new double[weights.length];
    for (int i = 0; i < roots.length; i++) {
      roots[i] = Math.sqrt(weights[i]);
    }
    Matrix scaled = scratch.matrix(SCALED, rows.rows(), rows.columns());
    Rowwise.scale(rows, roots, scaled);
    sum.add(scaled, 1);
  }

  @Override
  public void put(Sums sums) {
    for (int i = 0; i < blocks.size(); i++) {
      sums.put(SumNames.trace(blocks.get(i)), traces[i]);
    }
    inputs.forEach(each -> each.put(sums));
    gradients.forEach(each -> each.put(sums));
  }
}
