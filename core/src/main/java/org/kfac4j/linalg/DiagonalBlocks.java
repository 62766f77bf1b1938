package org.kfac4j.linalg;

import java.io.Serializable;
import java.util.Arrays;
import org.kfac4j.Check;

/**
 * How a symmetric matrix is cut into blocks along its diagonal, all else being zero: consecutive
 * ones, as equal as can be. One block is the whole matrix, as many as it has rows are its diagonal.
 * In memory and on their way such matrices are packed: the lower triangles of the blocks, one after
 * the other.
 *
 * @param size rows of the matrix
 * @param count how many blocks
 */
public record DiagonalBlocks(int size, int count) implements Serializable {
  public DiagonalBlocks {
    Check.that(
        1 <= count && count <= size, "a matrix of %d rows does not have %d blocks", size, count);
  }

  /** The whole matrix. */
  public static DiagonalBlocks whole(int size) {
    return new DiagonalBlocks(size, 1);
  }

  /** The diagonal alone. */
  public static DiagonalBlocks diagonal(int size) {
    return new DiagonalBlocks(size, size);
  }

  /** As few blocks as can be of at most {@code width} rows. */
  public static DiagonalBlocks atMost(int size, int width) {
    return new DiagonalBlocks(size, (size + width - 1) / width);
  }

  public boolean isWhole() {
    return count == 1;
  }

  /** Whether nothing but the diagonal is left. */
  public boolean isDiagonal() {
    return count == size && size > 1;
  }

  /** The first row of block {@code i}. */
  public int first(int i) {
    return (int) ((long) size * i / count);
  }

  /** The rows of block {@code i}. */
  public int width(int i) {
    return first(i + 1) - first(i);
  }

  /** Numbers of the packed matrix. */
  public int packedLength() {
    long length = 0;
    for (int i = 0; i < count; i++) {
      length += width(i) * (width(i) + 1L) / 2;
    }
    return Math.toIntExact(length);
  }

  /** Numbers of the blocks, both triangles of each. */
  public int squareLength() {
    long length = 0;
    for (int i = 0; i < count; i++) {
      length += (long) width(i) * width(i);
    }
    return Math.toIntExact(length);
  }

  /** The packed triangle of block {@code i}; not a copy if it is all there is. */
  public double[] block(double[] packed, int i) {
    if (isWhole()) {
      return packed;
    }
    int from = 0;
    for (int before = 0; before < i; before++) {
      from += Packed.length(width(before));
    }
    return Arrays.copyOfRange(packed, from, from + Packed.length(width(i)));
  }

  /** Σ of a packed matrix's diagonal. */
  public double trace(double[] packed) {
    double trace = 0;
    int end = 0;
    for (int i = 0; i < count; i++) {
      for (int row = 0; row < width(i); row++) {
        end += row + 1;
        trace += packed[end - 1];
      }
    }
    return trace;
  }

  /** For tables: "785²", "4 × 5000²" (of the widest), "20001 diagonal". */
  @Override
  public String toString() {
    if (isDiagonal()) {
      return size + " diagonal";
    }
    int widest = (size + count - 1) / count;
    return isWhole() ? size + "²" : count + " × " + widest + "²";
  }
}
