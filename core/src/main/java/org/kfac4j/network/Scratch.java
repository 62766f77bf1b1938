package org.kfac4j.network;

import java.util.HashMap;
import java.util.Map;
import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Precision;

/**
 * Native memory that layers compute in, one after the other: each piece is as large as the largest
 * request for it. What is in it is lost when the method that asked for it returns.
 */
public final class Scratch implements AutoCloseable {
  private final Precision precision;
  private final Map<Integer, Matrix> pieces = new HashMap<>();

  public Scratch(Precision precision) {
    this.precision = precision;
  }

  public Precision precision() {
    return precision;
  }

  /**
   * A matrix of any content, without gaps between rows.
   *
   * @param piece matrices used at the same time have different numbers
   */
  public Matrix matrix(int piece, int rows, int columns) {
    Matrix buffer = pieces.get(piece);
    int length = Math.multiplyExact(rows, columns);
    if (buffer == null || buffer.columns() < length) {
      if (buffer != null) {
        buffer.close();
      }
      buffer = Matrix.zeros(precision, 1, length);
      pieces.put(piece, buffer);
    }
    return buffer.view(0, rows, columns, columns);
  }

  @Override
  public void close() {
    pieces.values().forEach(Matrix::close);
    pieces.clear();
  }
}
