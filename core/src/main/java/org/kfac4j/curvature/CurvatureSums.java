package org.kfac4j.curvature;

import java.util.ArrayList;
import java.util.List;
import org.kfac4j.linalg.Accumulator;
import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Packed;
import org.kfac4j.linalg.Precision;
import org.kfac4j.network.Layer;
import org.kfac4j.network.LayerBuffers;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.ScaleLayer;
import org.kfac4j.network.WeightLayer;

/** The sums over examples that each layer's curvature is made of; in a workspace's buffers. */
final class CurvatureSums {
  private final Network network;
  private final BlockForms forms;
  private final Workspace workspace;
  private final List<List<ParameterBlock>> blocks = new ArrayList<>();

  /** All sums zero. */
  CurvatureSums(Network network, BlockForms forms, Workspace workspace) {
    this.network = network;
    this.forms = forms;
    this.workspace = workspace;
    network.layers().forEach(layer -> blocks.add(new ArrayList<>()));
    for (ParameterBlock block : network.blocks()) {
      blocks.get(block.layer()).add(block);
      sums(block).forEach(Accumulator::clear);
    }
  }

  private List<Accumulator> sums(ParameterBlock block) {
    return forms.of(block) == BlockForm.KRONECKER
        ? List.of(inputs(block), gradients(block))
        : List.of(own(block));
  }

  private Accumulator inputs(ParameterBlock block) {
    return workspace.sum(SumNames.inputs(block), block.rows(), block.rows());
  }

  private Accumulator gradients(ParameterBlock block) {
    return workspace.sum(SumNames.gradients(block), block.columns(), block.columns());
  }

  /** Σ u uᵀ or Σ u². */
  private Accumulator own(ParameterBlock block) {
    int n = block.shape().size();
    return forms.of(block) == BlockForm.EXACT
        ? workspace.sum(SumNames.exact(block), n, n)
        : workspace.sum(SumNames.diagonal(block), 1, n);
  }

  /** Adds what is made of inputs, of the first n examples. */
  void addInputs(int n) {
    for (int i = 0; i < blocks.size(); i++) {
      if (network.layers().get(i) instanceof WeightLayer layer) {
        layer.addInputMoments(
            workspace.buffers(i),
            n,
            forms.weights(),
            blocks.get(i).stream().map(this::inputs).toList());
      }
    }
  }

  /** Adds what is made of the gradients that have come back to layer i, of the first n examples. */
  void addGradients(int i, int n) {
    Layer layer = network.layers().get(i);
    LayerBuffers buffers = workspace.buffers(i);
    if (layer instanceof WeightLayer weights) {
      weights.addGradientMoments(
          buffers, n, forms.weights(), blocks.get(i).stream().map(this::gradients).toList());
    } else if (layer instanceof ScaleLayer scales && !blocks.get(i).isEmpty()) {
      ParameterBlock block = blocks.get(i).get(0);
      Matrix gradients = buffers.scratch().matrix(1, n, block.shape().size());
      scales.exampleGradients(buffers, n, gradients);
      if (forms.of(block) == BlockForm.EXACT) {
        own(block).addGram(gradients, 1);
      } else {
        own(block).add(squares(gradients));
      }
    }
  }

  /** Column by column the sum of squares. */
  private static double[] squares(Matrix rows) {
    double[] values = rows.toArray();
    double[] sums = new double[rows.columns()];
    for (int i = 0; i < values.length; i++) {
      sums[i % sums.length] += values[i] * values[i];
    }
    return sums;
  }

  /** Adds all sums, as they travel, to {@code sums}. */
  void put(Sums sums) {
    for (ParameterBlock block : network.blocks()) {
      switch (forms.of(block)) {
        case KRONECKER -> {
          putPacked(sums, SumNames.inputs(block), inputs(block).sum());
          putPacked(sums, SumNames.gradients(block), gradients(block).sum());
        }
        case EXACT -> putPacked(sums, SumNames.exact(block), own(block).sum());
        case DIAGONAL -> sums.put(SumNames.diagonal(block), own(block).sum());
      }
    }
  }

  private static void putPacked(Sums sums, String name, Matrix lower) {
    if (lower.precision() == Precision.FLOAT) {
      sums.put(name, Packed.floats(lower));
    } else {
      sums.put(name, Packed.doubles(lower));
    }
  }
}
