package org.kfac4j.curvature;

import static java.util.Objects.requireNonNull;

import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.kfac4j.linalg.Accumulator;
import org.kfac4j.linalg.Blas;
import org.kfac4j.linalg.BlockDiagonalMatrix;
import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Rowwise;
import org.kfac4j.network.LayerBuffers;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.Scratch;
import org.kfac4j.network.WeightLayer;

/**
 * Σ (U_Aᵀ Y U_G)∘², Y = Σ_t ā_t g_tᵀ the gradient of one example with respect to X: the diagonal of
 * a block's Fisher matrix in the basis U_A ⊗ U_G, George et al. 2018, arXiv:1806.03884, §3.2;
 * without a basis the plain diagonal. Positions are summed before anything is squared.
 */
final class SquareSums implements LayerSums {
  private static final int INPUTS = WeightLayer.FREE_SCRATCH;
  private static final int GRADIENTS = INPUTS + 1;
  private static final int EXAMPLE = INPUTS + 2;
  private static final int HALF = INPUTS + 3;

  /**
   * @param inputs U_Aᵀ
   * @param gradients U_Gᵀ
   */
  record Basis(BlockDiagonalMatrix inputs, BlockDiagonalMatrix gradients) {}

  private final WeightLayer layer;
  private final List<ParameterBlock> blocks;
  private final @Nullable List<Basis> bases;
  private final Function<ParameterBlock, String> name;
  private final List<Accumulator> squares;

  /**
   * @param bases one for each block, or null
   * @param name of a block's sum
   */
  SquareSums(
      WeightLayer layer,
      List<ParameterBlock> blocks,
      @Nullable List<Basis> bases,
      Function<ParameterBlock, String> name,
      Workspace workspace) {
    this.layer = layer;
    this.blocks = blocks;
    this.bases = bases;
    this.name = name;
    this.squares =
        blocks.stream()
            .map(each -> workspace.cleared(name.apply(each), each.rows(), each.columns()))
            .toList();
  }

  @Override
  public void addGradients(LayerBuffers buffers, int n, int pass, Block source) {
    layer.forRows(
        buffers,
        n,
        (part, first, examples, a, g) ->
            add(
                a,
                g,
                examples,
                bases == null ? null : bases.get(part),
                buffers.scratch(),
                squares.get(part)));
  }

  private static void add(
      Matrix a, Matrix g, int examples, @Nullable Basis basis, Scratch scratch, Accumulator sum) {
    int positions = a.rows() / examples;
    if (positions == 1) {
      // (u vᵀ)∘² = u∘² v∘²ᵀ: all examples in one product.
      Matrix inputs = moved(a, basis == null ? null : basis.inputs, INPUTS, scratch);
      Matrix gradients = moved(g, basis == null ? null : basis.gradients, GRADIENTS, scratch);
      Rowwise.square(inputs);
      Rowwise.square(gradients);
      sum.addProduct(inputs, true, gradients, false);
      return;
    }
    boolean rowsFirst = rowsAreCheaper(positions, a.columns(), g.columns());
    boolean moves = basis != null && rowsFirst;
    Matrix inputs = moves ? moved(a, requireNonNull(basis).inputs, INPUTS, scratch) : a;
    Matrix gradients = moves ? moved(g, requireNonNull(basis).gradients, GRADIENTS, scratch) : g;
    for (int example = 0; example < examples; example++) {
      Matrix gradient = scratch.matrix(EXAMPLE, a.columns(), g.columns());
      Blas.multiply(
          rows(inputs, example, positions),
          true,
          rows(gradients, example, positions),
          false,
          0,
          gradient);
      if (basis != null && !rowsFirst) {
        Matrix half = scratch.matrix(HALF, a.columns(), g.columns());
        basis.inputs.multiply(false, gradient, half);
        basis.gradients.multiply(half, true, gradient);
      }
      Rowwise.square(gradient);
      sum.add(gradient);
    }
  }

  /** Whether projecting an example's rows takes fewer multiplications than its gradient. */
  private static boolean rowsAreCheaper(long positions, long rows, long columns) {
    return positions * (rows * rows + columns * columns) < rows * columns * (rows + columns);
  }

  /** Rows in a basis, or as they are, in scratch memory without gaps. */
  private static Matrix moved(
      Matrix rows, @Nullable BlockDiagonalMatrix transposedBasis, int piece, Scratch scratch) {
    Matrix target = scratch.matrix(piece, rows.rows(), rows.columns());
    if (transposedBasis == null) {
      Rowwise.copy(rows, target);
    } else {
      transposedBasis.multiply(rows, true, target);
    }
    return target;
  }

  private static Matrix rows(Matrix matrix, int example, int positions) {
    return matrix.view(
        (long) example * positions * matrix.stride(), positions, matrix.columns(), matrix.stride());
  }

  @Override
  public void put(Sums sums) {
    for (int i = 0; i < blocks.size(); i++) {
      sums.putAll(name.apply(blocks.get(i)), squares.get(i).sum());
    }
  }
}
