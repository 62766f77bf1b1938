package org.kfac4j.network;

import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Precision;

/**
 * Room for up to {@code capacity} rows of {@code width} numbers, one row per example, each followed
 * by the homogeneous coordinate: one for activations, zero for gradients and tangents.
 */
public final class Rows implements AutoCloseable {
  private final Matrix buffer;
  private final int width;
  private final double last;
  private float[] scratch = new float[0];

  private Rows(Precision precision, int capacity, int width, double last) {
    this.buffer = Matrix.zeros(precision, capacity, width + 1);
    this.width = width;
    this.last = last;
    setLastColumn(capacity);
  }

  /** Rows that end in one. */
  public static Rows activations(Precision precision, int capacity, int width) {
    return new Rows(precision, capacity, width, 1);
  }

  /** Rows that end in zero: gradients with respect to activations, and their tangents. */
  public static Rows derivatives(Precision precision, int capacity, int width) {
    return new Rows(precision, capacity, width, 0);
  }

  public int capacity() {
    return buffer.rows();
  }

  public int width() {
    return width;
  }

  /** The first n rows, [n, width]; shares memory. */
  public Matrix plain(int n) {
    return buffer.view(0, n, width, width + 1);
  }

  /** The first n rows with the homogeneous coordinate, [n, width + 1]; shares memory. */
  public Matrix homogeneous(int n) {
    return buffer.top(n);
  }

  /** Restores the homogeneous coordinate of the first n rows after an operation on whole rows. */
  public void setLastColumn(int n) {
    buffer.top(n).fillColumn(width, last);
  }

  /** Copies n rows of {@code width} numbers in. */
  public void put(float[] rows, int n) {
    float[] padded = floats(n);
    for (int row = 0; row < n; row++) {
      System.arraycopy(rows, row * width, padded, row * (width + 1), width);
      padded[row * (width + 1) + width] = (float) last;
    }
    buffer.put(0, padded, 0, n * (width + 1));
  }

  /** Copies n rows of {@code width} numbers in. */
  public void put(double[] rows, int n) {
    if (buffer.precision() == Precision.DOUBLE) {
      for (int row = 0; row < n; row++) {
        buffer.put((long) row * (width + 1), rows, row * width, width);
      }
      setLastColumn(n);
      return;
    }
    float[] padded = floats(n);
    for (int row = 0; row < n; row++) {
      int to = row * (width + 1);
      int from = row * width;
      for (int j = 0; j < width; j++) {
        padded[to + j] = (float) rows[from + j];
      }
      padded[to + width] = (float) last;
    }
    buffer.put(0, padded, 0, n * (width + 1));
  }

  /** Copies the first n rows of {@code width} numbers out. */
  public void get(double[] rows, int n) {
    if (buffer.precision() == Precision.DOUBLE) {
      for (int row = 0; row < n; row++) {
        buffer.get((long) row * (width + 1), rows, row * width, width);
      }
      return;
    }
    float[] padded = floats(n);
    buffer.get(0, padded, 0, n * (width + 1));
    for (int row = 0; row < n; row++) {
      int from = row * (width + 1);
      int to = row * width;
      for (int j = 0; j < width; j++) {
        rows[to + j] = padded[from + j];
      }
    }
  }

  /**
   * Room for n padded rows on the way to or from the heap, kept because making it costs more than
   * filling it.
   */
  private float[] floats(int n) {
    if (scratch.length < n * (width + 1)) {
      scratch = new float[buffer.rows() * (width + 1)];
    }
    return scratch;
  }

  @Override
  public void close() {
    buffer.close();
  }
}
