package org.kfac4j.curvature;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.kfac4j.linalg.Accumulator;
import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Rowwise;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.WeightLayer;

/**
 * Σ (1ᵀā_i) ā_j and Σ (1ᵀg_i) g_j for all pairs of blocks of weights: {@link CouplingMoments}. Of a
 * layer with several positions, ā is the mean over an example's positions and g the sum, whose
 * product is the example's gradient if all positions were alike (arXiv:2311.00636, eq. 10): layers
 * with different numbers of positions then go together.
 */
final class CoarseSums implements CouplingSums {
  private final Network network;
  private final Workspace workspace;
  private final List<ParameterBlock> blocks;
  private final List<Accumulator> inputs = new ArrayList<>();
  private final List<Accumulator> gradients = new ArrayList<>();

  CoarseSums(Network network, Workspace workspace) {
    this.network = network;
    this.workspace = workspace;
    this.blocks = network.weightBlocks();
    for (ParameterBlock block : blocks) {
      inputs.add(workspace.cleared(SumNames.coarseInputs(block), blocks.size(), block.rows()));
      gradients.add(
          workspace.cleared(SumNames.coarseGradients(block), blocks.size(), block.columns()));
    }
  }

  @Override
  public void add(int n, int pass, Block source) {
    double[] roots = source.roots(n);
    List<Matrix> a = new ArrayList<>();
    List<Matrix> g = new ArrayList<>();
    for (ParameterBlock block : blocks) {
      a.add(workspace.examples("coarse inputs " + block.index(), block.rows()).top(n));
      g.add(workspace.examples("coarse gradients " + block.index(), block.columns()).top(n));
    }
    int at = 0;
    while (at < blocks.size()) {
      int base = at;
      int layer = blocks.get(at).layer();
      ((WeightLayer) network.layers().get(layer))
          .forRows(
              workspace.buffers(layer),
              n,
              (part, first, examples, layerInputs, layerGradients) -> {
                double positions = (double) layerInputs.rows() / examples;
                reduce(layerInputs, examples, 1 / positions, roots, first, a.get(base + part));
                reduce(layerGradients, examples, 1, null, first, g.get(base + part));
              });
      while (at < blocks.size() && blocks.get(at).layer() == layer) {
        at++;
      }
    }
    if (pass == 0) {
      add(a, "coarse input sums", inputs);
    }
    add(g, "coarse gradient sums", gradients);
  }

  /**
   * Writes the sums of each example's rows, times {@code factor} and the examples' own factors,
   * from row {@code to} on.
   */
  private static void reduce(
      Matrix rows, int examples, double factor, double @Nullable [] roots, int to, Matrix target) {
    int positions = rows.rows() / examples;
    double[] sum = new double[rows.columns()];
    double[] row = new double[rows.columns()];
    for (int example = 0; example < examples; example++) {
      java.util.Arrays.fill(sum, 0);
      double scale = roots == null ? factor : factor * roots[to + example];
      for (int t = 0; t < positions; t++) {
        rows.get((long) (example * positions + t) * rows.stride(), row, 0, row.length);
        for (int i = 0; i < row.length; i++) {
          sum[i] += scale * row[i];
        }
      }
      target.put((long) (to + example) * sum.length, sum, 0, sum.length);
    }
  }

  /** sum of block j ← it + (sums of all blocks' rows)ᵀ rows of j. */
  private void add(List<Matrix> rows, String name, List<Accumulator> sums) {
    int n = rows.get(0).rows();
    Matrix scalars = workspace.examples(name, blocks.size()).top(n);
    for (int i = 0; i < rows.size(); i++) {
      double[] sumsOfRows = Rowwise.sums(rows.get(i));
      for (int example = 0; example < n; example++) {
        scalars.put((long) example * rows.size() + i, sumsOfRows, example, 1);
      }
    }
    for (int j = 0; j < rows.size(); j++) {
      sums.get(j).addProduct(scalars, true, rows.get(j), false);
    }
  }

  @Override
  public void put(Sums sums) {
    for (int j = 0; j < blocks.size(); j++) {
      sums.putAll(SumNames.coarseInputs(blocks.get(j)), inputs.get(j).sum());
      sums.putAll(SumNames.coarseGradients(blocks.get(j)), gradients.get(j).sum());
    }
  }
}
