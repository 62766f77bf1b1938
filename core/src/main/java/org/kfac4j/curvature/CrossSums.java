package org.kfac4j.curvature;

import java.util.ArrayList;
import java.util.List;
import org.kfac4j.linalg.Accumulator;
import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Rowwise;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.WeightLayer;

/** Σ ā_i ā_{i+1}ᵀ and Σ g_i g_{i+1}ᵀ of a chain of dense layers: {@link CouplingMoments}. */
final class CrossSums implements CouplingSums {
  private final Network network;
  private final Workspace workspace;
  private final List<ParameterBlock> blocks;
  private final List<Accumulator> inputs = new ArrayList<>();
  private final List<Accumulator> gradients = new ArrayList<>();

  CrossSums(Network network, Workspace workspace) {
    this.network = network;
    this.workspace = workspace;
    this.blocks = network.weightBlocks();
    for (int i = 0; i + 1 < blocks.size(); i++) {
      ParameterBlock here = blocks.get(i);
      ParameterBlock next = blocks.get(i + 1);
      inputs.add(workspace.cleared(SumNames.crossInputs(here, next), here.rows(), next.rows()));
      gradients.add(
          workspace.cleared(SumNames.crossGradients(here, next), here.columns(), next.columns()));
    }
  }

  @Override
  public void add(int n, int pass, Block source) {
    double[] roots = source.roots(n);
    List<Matrix> a = new ArrayList<>();
    List<Matrix> g = new ArrayList<>();
    for (ParameterBlock block : blocks) {
      // A dense layer hands its buffers out, which nothing has changed since it was passed.
      ((WeightLayer) network.layers().get(block.layer()))
          .forRows(
              workspace.buffers(block.layer()),
              n,
              (part, first, examples, layerInputs, layerGradients) -> {
                a.add(roots == null ? layerInputs : weighed(block, layerInputs, roots));
                g.add(layerGradients);
              });
    }
    for (int i = 0; i + 1 < blocks.size(); i++) {
      if (pass == 0) {
        inputs.get(i).addProduct(a.get(i), true, a.get(i + 1), false);
      }
      gradients.get(i).addProduct(g.get(i), true, g.get(i + 1), false);
    }
  }

  /** Rows times √w of their examples. */
  private Matrix weighed(ParameterBlock block, Matrix rows, double[] roots) {
    Matrix weighed =
        workspace.examples("weighed inputs " + block.index(), rows.columns()).top(rows.rows());
    Rowwise.scale(rows, roots, weighed);
    return weighed;
  }

  @Override
  public void put(Sums sums) {
    for (int i = 0; i + 1 < blocks.size(); i++) {
      sums.putAll(SumNames.crossInputs(blocks.get(i), blocks.get(i + 1)), inputs.get(i).sum());
      sums.putAll(
          SumNames.crossGradients(blocks.get(i), blocks.get(i + 1)), gradients.get(i).sum());
    }
  }
}
