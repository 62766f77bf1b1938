package org.kfac4j.optimizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.kfac4j.linalg.BlockDiagonalMatrix;
import org.kfac4j.linalg.DiagonalBlocks;
import org.kfac4j.linalg.Matrix;

/**
 * The inverse of a damped symmetric matrix, block by block along its diagonal, each by the {@link
 * RecoveryLadder}.
 *
 * @param rung the highest of all blocks
 */
record BlockInverses(BlockDiagonalMatrix inverse, int rung) {
  /**
   * (S + shift I)⁻¹ or the nearest that can be had.
   *
   * @param packed S
   */
  static BlockInverses of(
      double[] packed, DiagonalBlocks blocks, double shift, DenseMachine machine) {
    if (blocks.isDiagonal()) {
      return ofDiagonal(packed, shift);
    }
    List<Matrix> inverses = new ArrayList<>();
    int rung = 0;
    for (int i = 0; i < blocks.count(); i++) {
      RecoveryLadder ladder =
          RecoveryLadder.climb(blocks.block(packed, i), blocks.width(i), shift, machine);
      inverses.add(ladder.inverse());
      rung = Math.max(rung, ladder.rung());
    }
    return new BlockInverses(BlockDiagonalMatrix.of(blocks, inverses), rung);
  }

  private static BlockInverses ofDiagonal(double[] diagonal, double shift) {
    double least = RecoveryLadder.smallestShift(Arrays.stream(diagonal).sum(), diagonal.length);
    double[] inverse = new double[diagonal.length];
    int rung = 0;
    for (int i = 0; i < inverse.length; i++) {
      double entry = diagonal[i] + shift;
      if (!Double.isFinite(entry)) {
        Arrays.fill(inverse, 1);
        return new BlockInverses(BlockDiagonalMatrix.ofDiagonal(inverse), RecoveryLadder.IDENTITY);
      }
      if (!(entry > 0)) {
        entry = least;
        rung = RecoveryLadder.MORE_DAMPING;
      }
      inverse[i] = 1 / entry;
    }
    return new BlockInverses(BlockDiagonalMatrix.ofDiagonal(inverse), rung);
  }
}
