package org.kfac4j.curvature;

import java.util.List;
import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Rowwise;
import org.kfac4j.network.LayerBuffers;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.Scratch;
import org.kfac4j.network.WeightLayer;
import org.kfac4j.network.WeightSharing;

/** Σ ā āᵀ and Σ g gᵀ of a layer's blocks: {@link KroneckerFactors}. */
final class MomentSums implements LayerSums {
  private static final int REDUCED_INPUTS = WeightLayer.FREE_SCRATCH;
  private static final int REDUCED_GRADIENTS = REDUCED_INPUTS + 1;
  private static final int WEIGHED = REDUCED_INPUTS + 2;

  private final WeightLayer layer;
  private final WeightSharing sharing;
  private final List<FactorSum> inputs;
  private final List<FactorSum> gradients;

  MomentSums(
      WeightLayer layer, List<ParameterBlock> blocks, BlockForms forms, Workspace workspace) {
    this.layer = layer;
    this.sharing = forms.sharing();
    this.inputs =
        blocks.stream()
            .map(each -> new FactorSum(SumNames.inputs(each), forms.inputBlocks(each), workspace))
            .toList();
    this.gradients =
        blocks.stream()
            .map(
                each ->
                    new FactorSum(SumNames.gradients(each), forms.gradientBlocks(each), workspace))
            .toList();
  }

  @Override
  public void addInputs(LayerBuffers buffers, int n, Block source) {
    if (areWhole(inputs) && source.weights() == null) {
      layer.addInputMoments(buffers, n, sharing, inputs.stream().map(FactorSum::whole).toList());
    }
  }

  @Override
  public void addGradients(LayerBuffers buffers, int n, int pass, Block source) {
    boolean gradientRows = !areWhole(gradients);
    if (!gradientRows) {
      layer.addGradientMoments(
          buffers, n, sharing, gradients.stream().map(FactorSum::whole).toList());
    }
    // Layers sum whole matrices in ways of their own; blocks and weighted sums are made of rows.
    double[] roots = source.roots(n);
    boolean inputRows = pass == 0 && (!areWhole(inputs) || roots != null);
    if (!inputRows && !gradientRows) {
      return;
    }
    layer.forRows(
        buffers,
        n,
        (part, first, examples, a, g) -> {
          int positions = a.rows() / examples;
          Scratch scratch = buffers.scratch();
          if (inputRows) {
            Matrix weighed = roots == null ? a : weighed(a, roots, first, positions, scratch);
            Matrix rows = shared(weighed, positions, REDUCED_INPUTS, scratch);
            inputs.get(part).add(rows, sharing.inputScale(positions));
          }
          if (gradientRows) {
            Matrix rows = shared(g, positions, REDUCED_GRADIENTS, scratch);
            gradients.get(part).add(rows, sharing.gradientScale(positions));
          }
        });
  }

  /** Rows times √w of their examples. */
  private static Matrix weighed(
      Matrix rows, double[] roots, int first, int positions, Scratch scratch) {
    double[] factors = new double[rows.rows()];
    for (int i = 0; i < factors.length; i++) {
      factors[i] = roots[first + i / positions];
    }
    Matrix weighed = scratch.matrix(WEIGHED, rows.rows(), rows.columns());
    Rowwise.scale(rows, factors, weighed);
    return weighed;
  }

  private static boolean areWhole(List<FactorSum> sums) {
    return sums.stream().allMatch(each -> each.blocks().isWhole());
  }

  private Matrix shared(Matrix rows, int positions, int piece, Scratch scratch) {
    if (sharing != WeightSharing.REDUCE || positions == 1) {
      return rows;
    }
    Matrix reduced = scratch.matrix(piece, rows.rows() / positions, rows.columns());
    Rowwise.sumGroups(rows, positions, reduced);
    return reduced;
  }

  @Override
  public void put(Sums sums) {
    inputs.forEach(each -> each.put(sums));
    gradients.forEach(each -> each.put(sums));
  }
}
