package org.kfac4j.curvature;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.kfac4j.Check;
import org.kfac4j.linalg.BlockDiagonalMatrix;
import org.kfac4j.linalg.DiagonalBlocks;
import org.kfac4j.network.Layer;
import org.kfac4j.network.LayerBuffers;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.ScaleLayer;
import org.kfac4j.network.WeightLayer;

/** The sums over examples that each layer's curvature is made of; in a workspace's buffers. */
final class CurvatureSums {
  private final Workspace workspace;
  private final List<List<LayerSums>> layers = new ArrayList<>();
  private final CouplingSums coupling;

  /**
   * All sums zero.
   *
   * @param bases if the request's statistics have scalings: U_Aᵀ and U_Gᵀ of one block of weights
   *     after the other
   */
  CurvatureSums(
      Network network, Request.Statistics asked, List<Parameters> bases, Workspace workspace) {
    this.workspace = workspace;
    List<SquareSums.Basis> loaded =
        asked.scalings() ? load(network, asked.forms(), bases, workspace) : List.of();
    int weights = 0;
    for (int i = 0; i < network.layers().size(); i++) {
      int index = i;
      List<ParameterBlock> blocks =
          network.blocks().stream().filter(block -> block.layer() == index).toList();
      List<LayerSums> sums = new ArrayList<>();
      layers.add(sums);
      if (blocks.isEmpty()) {
        continue;
      }
      if (asked.factors()) {
        LayerSums factors = factors(network.layers().get(i), blocks, asked.forms(), workspace);
        if (factors != null) {
          sums.add(factors);
        }
      }
      if (asked.scalings() && network.layers().get(i) instanceof WeightLayer layer) {
        sums.add(
            new SquareSums(
                layer,
                blocks,
                loaded.subList(weights, weights + blocks.size()),
                SumNames::scalings,
                workspace));
        weights += blocks.size();
      }
    }
    this.coupling =
        CouplingSums.of(
            asked.factors() ? asked.forms().coupling() : Coupling.NONE, network, workspace);
  }

  private static @Nullable LayerSums factors(
      Layer layer, List<ParameterBlock> blocks, BlockForms forms, Workspace workspace) {
    BlockForm form = forms.of(blocks.get(0));
    if (form == BlockForm.NONE) {
      return null;
    }
    if (layer instanceof ScaleLayer scales) {
      return new ScaleSums(scales, blocks.get(0), form, workspace);
    }
    WeightLayer weights = (WeightLayer) layer;
    return switch (form) {
      case KRONECKER -> new MomentSums(weights, blocks, forms, workspace);
      case TRACES -> new TraceSums(weights, blocks, forms, workspace);
      case ROWS -> new RowSums(weights, blocks, forms, workspace.precision());
      case DIAGONAL -> new SquareSums(weights, blocks, null, SumNames::diagonal, workspace);
      case EXACT, NONE ->
          throw new IllegalArgumentException("there are no sums of " + form + " for weights");
    };
  }

  private static List<SquareSums.Basis> load(
      Network network, BlockForms forms, List<Parameters> bases, Workspace workspace) {
    List<ParameterBlock> blocks = network.weightBlocks();
    Check.that(
        bases.size() == 2 * blocks.size(),
        "scalings of %d blocks need two bases of each, got %d",
        blocks.size(),
        bases.size());
    List<SquareSums.Basis> loaded = new ArrayList<>();
    for (int i = 0; i < blocks.size(); i++) {
      ParameterBlock block = blocks.get(i);
      loaded.add(
          new SquareSums.Basis(
              basis(
                  workspace,
                  "basis A " + block.index(),
                  forms.inputBlocks(block),
                  bases.get(2 * i)),
              basis(
                  workspace,
                  "basis G " + block.index(),
                  forms.gradientBlocks(block),
                  bases.get(2 * i + 1))));
    }
    return loaded;
  }

  private static BlockDiagonalMatrix basis(
      Workspace workspace, String name, DiagonalBlocks blocks, Parameters values) {
    return BlockDiagonalMatrix.view(
        blocks, workspace.loaded(name, 1, blocks.squareLength(), values));
  }

  /** Adds what is made of inputs, of the first n examples. */
  void addInputs(int n, Block block) {
    for (int i = 0; i < layers.size(); i++) {
      for (LayerSums each : layers.get(i)) {
        each.addInputs(workspace.buffers(i), n, block);
      }
    }
  }

  /**
   * Adds what is made of the gradients that have come back to layer i, of the first n examples.
   *
   * @param pass which of the block's backward passes it is
   */
  void addGradients(int i, int n, int pass, Block block) {
    LayerBuffers buffers = workspace.buffers(i);
    for (LayerSums each : layers.get(i)) {
      each.addGradients(buffers, n, pass, block);
    }
  }

  /** Adds what is made of several layers' gradients, after a backward pass. */
  void addCoupling(int n, int pass, Block block) {
    coupling.add(n, pass, block);
  }

  /** Adds all sums, as they travel, to {@code sums}. */
  void put(Sums sums) {
    layers.forEach(layer -> layer.forEach(each -> each.put(sums)));
    coupling.put(sums);
  }
}
