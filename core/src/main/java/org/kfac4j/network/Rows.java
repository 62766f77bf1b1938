package org.kfac4j.network;

import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Precision;

/**
 * Room for up to {@code capacity} rows of {@code width} numbers, one row per example, each followed by the homogeneous coordinate: one for
 * activations, zero for gradients and tangents.
 */
public final class Rows implements AutoCloseable {
  private final Matrix buffer;
  private final int width;
  private final double last;

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
    float[] padded = new float[n * (width + 1)];
    for (int row = 0; row < n; row++) {
      System.arraycopy(rows, row * width, padded, row * (width + 1), width);
      padded[row * (width + 1) + width] = (float) last;
    }
    buffer.put(0, padded, 0, padded.length);
  }

  /** Copies n rows of {@code width} numbers in. */
  public void put(double[] rows, int n) {
    double[] padded = new double[n * (width + 1)];
    for (int row = 0; row < n; row++) {
      System.arraycopy(rows, row * width, padded, row * (width + 1), width);
      padded[row * (width + 1) + width] = last;
    }
    buffer.put(0, padded, 0, padded.length);
  }

  /** Copies the first n rows of {@code width} numbers out. */
  public void get(double[] rows, int n) {
    double[] padded = new double[n * (width + 1)];
    buffer.get(0, padded, 0, padded.length);
    for (int row = 0; row < n; row++) {
      System.arraycopy(padded, row * (width + 1), rows, row * width, width);
    }
  }

  @Override
  public void close() {
    buffer.close();
  }
}
