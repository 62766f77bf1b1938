package org.kfac4j.curvature;

import java.util.ArrayList;
import java.util.List;
import org.kfac4j.linalg.Accumulator;
import org.kfac4j.linalg.DiagonalBlocks;
import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Rowwise;

/** Σ of rows' second moments, of which the blocks along the diagonal are kept. */
final class FactorSum {
  private final String name;
  private final DiagonalBlocks blocks;

  /** One for each block; of a diagonal a single one, [1, size]. */
  private final List<Accumulator> sums = new ArrayList<>();

  /** Zero. */
  FactorSum(String name, DiagonalBlocks blocks, Workspace workspace) {
    this.name = name;
    this.blocks = blocks;
    if (blocks.isDiagonal()) {
      sums.add(workspace.cleared(name, 1, blocks.size()));
      return;
    }
    for (int i = 0; i < blocks.count(); i++) {
      String each = blocks.isWhole() ? name : name + " block " + i;
      sums.add(workspace.cleared(each, blocks.width(i), blocks.width(i)));
    }
  }

  DiagonalBlocks blocks() {
    return blocks;
  }

  /** The sum of a matrix in one block. */
  Accumulator whole() {
    return sums.get(0);
  }

  /** Adds scale · Σ row rowᵀ. */
  void add(Matrix rows, double scale) {
    if (blocks.isDiagonal()) {
      sums.get(0).add(Rowwise.columnSquares(rows, scale));
      return;
    }
    for (int i = 0; i < sums.size(); i++) {
      sums.get(i).addGram(columns(rows, i), scale);
    }
  }

  private Matrix columns(Matrix rows, int i) {
    return blocks.isWhole()
        ? rows
        : rows.view(blocks.first(i), rows.rows(), blocks.width(i), rows.stride());
  }

  /** Adds the sum, packed, to {@code travelling}. */
  void put(Sums travelling) {
    if (blocks.isDiagonal()) {
      travelling.putAll(name, sums.get(0).sum());
    } else {
      travelling.putPacked(name, sums.stream().map(Accumulator::sum).toList());
    }
  }
}
