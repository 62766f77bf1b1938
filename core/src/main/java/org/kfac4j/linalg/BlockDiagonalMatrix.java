package org.kfac4j.linalg;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.kfac4j.Check;
import org.kfac4j.Snapshot;

/** A square matrix that is zero outside of {@link DiagonalBlocks}, and products with it. */
public final class BlockDiagonalMatrix implements AutoCloseable {
  private final DiagonalBlocks blocks;

  /** One for each block; none of a diagonal. */
  private final List<Matrix> squares;

  /** Of a diagonal; else of no length. */
  private final double[] diagonal;

  private BlockDiagonalMatrix(DiagonalBlocks blocks, List<Matrix> squares, double[] diagonal) {
    this.blocks = blocks;
    this.squares = squares;
    this.diagonal = diagonal;
  }

  /** Of one matrix for each block, which now belong to this. */
  public static BlockDiagonalMatrix of(DiagonalBlocks blocks, List<Matrix> squares) {
    Check.that(
        !blocks.isDiagonal() && squares.size() == blocks.count(),
        "%d matrices do not make %s",
        squares.size(),
        blocks);
    for (int i = 0; i < squares.size(); i++) {
      Check.that(
          squares.get(i).rows() == blocks.width(i) && squares.get(i).columns() == blocks.width(i),
          "block %d of %s has %d rows, got %d",
          i,
          blocks,
          blocks.width(i),
          squares.get(i).rows());
    }
    return new BlockDiagonalMatrix(blocks, List.copyOf(squares), new double[0]);
  }

  /** Of a diagonal, which now belongs to this. */
  public static BlockDiagonalMatrix ofDiagonal(double[] diagonal) {
    return new BlockDiagonalMatrix(DiagonalBlocks.diagonal(diagonal.length), List.of(), diagonal);
  }

  /** Of views of a matrix [1, {@link DiagonalBlocks#squareLength}], block after block. */
  public static BlockDiagonalMatrix view(DiagonalBlocks blocks, Matrix row) {
    if (blocks.isDiagonal()) {
      return ofDiagonal(row.toArray());
    }
    List<Matrix> squares = new ArrayList<>();
    long at = 0;
    for (int i = 0; i < blocks.count(); i++) {
      int width = blocks.width(i);
      squares.add(row.view(at, width, width, width));
      at += (long) width * width;
    }
    return of(blocks, squares);
  }

  /** What {@link #save} saved. */
  public static BlockDiagonalMatrix restore(Snapshot snapshot, String name, Precision precision) {
    DiagonalBlocks blocks =
        new DiagonalBlocks(
            Math.toIntExact(snapshot.longValue(name + " rows")),
            Math.toIntExact(snapshot.longValue(name + " blocks")));
    double[] values = snapshot.doubles(name);
    if (blocks.isDiagonal()) {
      return ofDiagonal(values.clone());
    }
    List<Matrix> squares = new ArrayList<>();
    int at = 0;
    for (int i = 0; i < blocks.count(); i++) {
      int width = blocks.width(i);
      int end = at + width * width;
      squares.add(Matrix.of(precision, width, width, Arrays.copyOfRange(values, at, end)));
      at = end;
    }
    return of(blocks, squares);
  }

  public void save(Snapshot snapshot, String name) {
    snapshot.put(name, toArray());
    snapshot.put(name + " rows", blocks.size());
    snapshot.put(name + " blocks", blocks.count());
  }

  public DiagonalBlocks blocks() {
    return blocks;
  }

  /**
   * The matrix itself.
   *
   * @throws IllegalArgumentException if it has several blocks
   */
  public Matrix whole() {
    Check.that(blocks.isWhole(), "%s is not whole", blocks);
    return squares.get(0);
  }

  /** Rows and columns. */
  public int size() {
    return blocks.size();
  }

  /**
   * result ← op(M) x.
   *
   * @param result without gaps
   */
  public void multiply(boolean transposed, Matrix x, Matrix result) {
    if (blocks.isDiagonal()) {
      Rowwise.scale(x, diagonal, result);
      return;
    }
    for (int i = 0; i < squares.size(); i++) {
      Matrix square = squares.get(i);
      Blas.multiply(square, transposed, rows(x, i), false, 0, rows(result, i));
    }
  }

  /**
   * result ← x op(M).
   *
   * @param result without gaps
   */
  public void multiply(Matrix x, boolean transposed, Matrix result) {
    if (blocks.isDiagonal()) {
      Rowwise.scaleColumns(x, diagonal, result);
      return;
    }
    for (int i = 0; i < squares.size(); i++) {
      Blas.multiply(columns(x, i), false, squares.get(i), transposed, 0, columns(result, i));
    }
  }

  private Matrix rows(Matrix x, int i) {
    return blocks.isWhole()
        ? x
        : x.view((long) blocks.first(i) * x.stride(), blocks.width(i), x.columns(), x.stride());
  }

  private Matrix columns(Matrix x, int i) {
    return blocks.isWhole() ? x : x.view(blocks.first(i), x.rows(), blocks.width(i), x.stride());
  }

  /** The blocks, one after the other, row by row; a copy. */
  public double[] toArray() {
    if (blocks.isDiagonal()) {
      return diagonal.clone();
    }
    if (blocks.isWhole()) {
      return squares.get(0).toArray();
    }
    double[] all = new double[blocks.squareLength()];
    int at = 0;
    for (Matrix square : squares) {
      double[] values = square.toArray();
      System.arraycopy(values, 0, all, at, values.length);
      at += values.length;
    }
    return all;
  }

  @Override
  public void close() {
    squares.forEach(Matrix::close);
  }
}
