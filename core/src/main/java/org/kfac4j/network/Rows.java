package org.kfac4j.network;

import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Precision;

/**
 * Room for a value of up to {@code capacity} examples. A vector is a row, followed by the
 * homogeneous coordinate: one for activations, zero for gradients and tangents. A map is a row of
 * channels for each position, without gaps, one example after the other.
 */
public final class Rows implements AutoCloseable {
  private final Matrix buffer;
  private final Shape shape;
  private final int capacity;
  private final int padding;
  private final double last;
  private float[] floats = new float[0];

  private Rows(Precision precision, int capacity, Shape shape, double last) {
    this.shape = shape;
    this.capacity = capacity;
    this.padding = shape.isVector() ? 1 : 0;
    this.last = last;
    this.buffer = Matrix.zeros(precision, capacity, shape.size() + padding);
    setLastColumn(capacity);
  }

  /** Rows that end in one. */
  public static Rows activations(Precision precision, int capacity, Shape shape) {
    return new Rows(precision, capacity, shape, 1);
  }

  /** Rows that end in zero: gradients with respect to activations, and their tangents. */
  public static Rows derivatives(Precision precision, int capacity, Shape shape) {
    return new Rows(precision, capacity, shape, 0);
  }

  public int capacity() {
    return capacity;
  }

  public Shape shape() {
    return shape;
  }

  /** The first n examples, [n, size]; shares memory. */
  public Matrix plain(int n) {
    return buffer.view(0, n, shape.size(), shape.size() + padding);
  }

  /** The positions of the first n examples, [n · positions, channels]; shares memory. */
  public Matrix positions(int n) {
    return positions(0, n * shape.positions());
  }

  /**
   * {@code count} positions from the {@code from}-th on, counted through all examples, [count,
   * channels]; shares memory.
   */
  public Matrix positions(int from, int count) {
    int stride = shape.channels() + padding;
    return buffer.view((long) from * stride, count, shape.channels(), stride);
  }

  /** The first n rows of a vector with the homogeneous coordinate, [n, size + 1]; shares memory. */
  public Matrix homogeneous(int n) {
    return buffer.view(0, n, shape.size() + 1, shape.size() + 1);
  }

  /**
   * Everything that the first n examples take up, without gaps, for operations element by element;
   * after those that change a one or a zero, {@link #setLastColumn}. Shares memory.
   */
  public Matrix whole(int n) {
    return buffer.top(n);
  }

  /** Restores the homogeneous coordinate of the first n rows after an operation on whole rows. */
  public void setLastColumn(int n) {
    if (padding == 1) {
      buffer.top(n).fillColumn(shape.size(), last);
    }
  }

  /** Copies example {@code index} to the start of {@code target}. */
  public void get(int index, double[] target) {
    buffer.get((long) index * (shape.size() + padding), target, 0, shape.size());
  }

  /** Copies example {@code index} to the start of {@code target}. */
  public void get(int index, float[] target) {
    buffer.get((long) index * (shape.size() + padding), target, 0, shape.size());
  }

  /** Copies the start of {@code source} to example {@code index}. */
  public void put(int index, float[] source) {
    buffer.put((long) index * (shape.size() + padding), source, 0, shape.size());
  }

  /** Copies the start of {@code source} to example {@code index}. */
  public void put(int index, double[] source) {
    buffer.put((long) index * (shape.size() + padding), source, 0, shape.size());
  }

  /**
   * Copies n examples in, as data sources have them: a map channel by channel, each row by row.
   *
   * @param rows [n, size]
   */
  public void putExamples(float[] rows, int n) {
    float[] padded = floats(n);
    int size = shape.size();
    int positions = shape.positions();
    for (int row = 0; row < n; row++) {
      int from = row * size;
      int to = row * (size + padding);
      if (shape.isVector() || shape.channels() == 1) {
        System.arraycopy(rows, from, padded, to, size);
      } else {
        for (int c = 0; c < shape.channels(); c++) {
          for (int p = 0; p < positions; p++) {
            padded[to + p * shape.channels() + c] = rows[from + c * positions + p];
          }
        }
      }
      if (padding == 1) {
        padded[to + size] = (float) last;
      }
    }
    buffer.put(0, padded, 0, n * (size + padding));
  }

  /** Copies n examples of {@code size} numbers in, in this class's order. */
  public void put(double[] rows, int n) {
    int size = shape.size();
    if (buffer.precision() == Precision.DOUBLE) {
      for (int row = 0; row < n; row++) {
        buffer.put((long) row * (size + padding), rows, row * size, size);
      }
      setLastColumn(n);
      return;
    }
    float[] padded = floats(n);
    for (int row = 0; row < n; row++) {
      int to = row * (size + padding);
      int from = row * size;
      for (int j = 0; j < size; j++) {
        padded[to + j] = (float) rows[from + j];
      }
      if (padding == 1) {
        padded[to + size] = (float) last;
      }
    }
    buffer.put(0, padded, 0, n * (size + padding));
  }

  /** Copies the first n examples of {@code size} numbers out, in this class's order. */
  public void get(double[] rows, int n) {
    int size = shape.size();
    if (buffer.precision() == Precision.DOUBLE) {
      for (int row = 0; row < n; row++) {
        buffer.get((long) row * (size + padding), rows, row * size, size);
      }
      return;
    }
    float[] padded = floats(n);
    buffer.get(0, padded, 0, n * (size + padding));
    for (int row = 0; row < n; row++) {
      int from = row * (size + padding);
      int to = row * size;
      for (int j = 0; j < size; j++) {
        rows[to + j] = padded[from + j];
      }
    }
  }

  /**
   * Room for n padded rows on the way to or from the heap, kept because making it costs more than
   * filling it.
   */
  private float[] floats(int n) {
    if (floats.length < n * (shape.size() + padding)) {
      floats = new float[capacity * (shape.size() + padding)];
    }
    return floats;
  }

  @Override
  public void close() {
    buffer.close();
  }
}
