package org.kfac4j.linalg;

import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.kfac4j.Check;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * A matrix in native memory, row by row, with {@code stride} numbers from one row to the next.
 * Views share memory with the matrix they were taken from; {@link #close} frees it for all of them.
 */
public final class Matrix implements AutoCloseable {
  private final INDArray buffer;
  private final Precision precision;
  private final long offset;
  private final int rows;
  private final int columns;
  private final int stride;

  private Matrix(
      INDArray buffer, Precision precision, long offset, int rows, int columns, int stride) {
    this.buffer = buffer;
    this.precision = precision;
    this.offset = offset;
    this.rows = rows;
    this.columns = columns;
    this.stride = stride;
  }

  /** A new matrix of zeros. */
  public static Matrix zeros(Precision precision, int rows, int columns) {
    Check.that(
        rows >= 1 && columns >= 1, "a matrix needs rows and columns, got [%d, %d]", rows, columns);
    INDArray buffer = Nd4j.createUninitializedDetached(precision.type(), (long) rows * columns);
    buffer.assign(0);
    return new Matrix(buffer, precision, 0, rows, columns, columns);
  }

  /** A new matrix with these numbers, row by row. */
  public static Matrix of(Precision precision, int rows, int columns, double[] values) {
    Check.that(
        values.length == (long) rows * columns,
        "%d numbers do not fill a matrix [%d, %d]",
        values.length,
        rows,
        columns);
    Matrix matrix = zeros(precision, rows, columns);
    matrix.put(0, values, 0, values.length);
    return matrix;
  }

  public int rows() {
    return rows;
  }

  public int columns() {
    return columns;
  }

  public int stride() {
    return stride;
  }

  public Precision precision() {
    return precision;
  }

  /** Bytes of native memory behind this matrix and its views. */
  public long bytes() {
    return buffer.length() * precision.type().width();
  }

  /** The matrix that starts {@code from} numbers after this one's first; shares memory. */
  public Matrix view(long from, int viewRows, int viewColumns, int viewStride) {
    long last = offset + from + (long) (viewRows - 1) * viewStride + viewColumns;
    Check.that(
        from >= 0 && viewColumns <= viewStride && last <= buffer.length(),
        "view [%d, %d] with stride %d at %d leaves a buffer of %d",
        viewRows,
        viewColumns,
        viewStride,
        from,
        buffer.length());
    return new Matrix(buffer, precision, offset + from, viewRows, viewColumns, viewStride);
  }

  /** The first {@code n} rows; shares memory. */
  public Matrix top(int n) {
    return n == rows ? this : view(0, n, columns, stride);
  }

  /** The first {@code n} columns; shares memory. */
  public Matrix left(int n) {
    return n == columns ? this : view(0, rows, n, stride);
  }

  /**
   * Every number from the first to the last, gaps between rows included, as a vector for
   * element-wise operations; shares memory.
   */
  public INDArray flat() {
    long length = span();
    return offset == 0 && length == buffer.length()
        ? buffer
        : buffer.get(NDArrayIndex.interval(offset, offset + length));
  }

  /** Sets every number, gaps between rows included, to zero. */
  public void clear() {
    flat().assign(0);
  }

  /** Sets column {@code column} to {@code value}. */
  public void fillColumn(int column, double value) {
    if (precision == Precision.FLOAT) {
      FloatPointer here = floats(column);
      for (int row = 0; row < rows; row++) {
        here.put((long) row * stride, (float) value);
      }
    } else {
      DoublePointer here = doubles(column);
      for (int row = 0; row < rows; row++) {
        here.put((long) row * stride, value);
      }
    }
  }

  /**
   * Copies {@code length} numbers from {@code source} to here, from the {@code at}-th on, gaps
   * between rows counted.
   */
  public void put(long at, double[] source, int from, int length) {
    checkSpan(at, length);
    if (precision == Precision.DOUBLE) {
      doubles(at).put(source, from, length);
      return;
    }
    float[] chunk = new float[Math.min(length, CHUNK)];
    for (int done = 0; done < length; done += CHUNK) {
      int n = Math.min(CHUNK, length - done);
      for (int i = 0; i < n; i++) {
        chunk[i] = (float) source[from + done + i];
      }
      floats(at + done).put(chunk, 0, n);
    }
  }

  /** As {@link #put(long, double[], int, int)}. */
  public void put(long at, float[] source, int from, int length) {
    checkSpan(at, length);
    if (precision == Precision.FLOAT) {
      floats(at).put(source, from, length);
      return;
    }
    double[] chunk = new double[length];
    for (int i = 0; i < length; i++) {
      chunk[i] = source[from + i];
    }
    doubles(at).put(chunk, 0, length);
  }

  /**
   * Copies {@code length} numbers from here, from the {@code at}-th on, gaps between rows counted,
   * to {@code target}.
   */
  public void get(long at, double[] target, int from, int length) {
    checkSpan(at, length);
    if (precision == Precision.DOUBLE) {
      doubles(at).get(target, from, length);
      return;
    }
    float[] chunk = new float[Math.min(length, CHUNK)];
    for (int done = 0; done < length; done += CHUNK) {
      int n = Math.min(CHUNK, length - done);
      floats(at + done).get(chunk, 0, n);
      for (int i = 0; i < n; i++) {
        target[from + done + i] = chunk[i];
      }
    }
  }

  /** As {@link #get(long, double[], int, int)}. */
  public void get(long at, float[] target, int from, int length) {
    checkSpan(at, length);
    if (precision == Precision.FLOAT) {
      floats(at).get(target, from, length);
      return;
    }
    double[] chunk = new double[length];
    doubles(at).get(chunk, 0, length);
    for (int i = 0; i < length; i++) {
      target[from + i] = (float) chunk[i];
    }
  }

  /** The float32 numbers from the first on, gaps between rows included: this memory itself. */
  public FloatBuffer asFloats() {
    return floats(0).limit(span()).asBuffer();
  }

  /** The float64 numbers from the first on, gaps between rows included: this memory itself. */
  public DoubleBuffer asDoubles() {
    return doubles(0).limit(span()).asBuffer();
  }

  /** A copy, [rows · columns] row by row without gaps. */
  public double[] toArray() {
    double[] copy = new double[rows * columns];
    for (int row = 0; row < rows; row++) {
      get((long) row * stride, copy, row * columns, columns);
    }
    return copy;
  }

  @Override
  public void close() {
    if (!buffer.wasClosed()) {
      buffer.close();
    }
  }

  private static final int CHUNK = 8192;

  private long span() {
    return (long) (rows - 1) * stride + columns;
  }

  private void checkSpan(long at, int length) {
    Check.that(
        at >= 0 && offset + at + length <= buffer.length(),
        "%d numbers at %d leave a buffer of %d",
        length,
        offset + at,
        buffer.length());
  }

  FloatPointer floats(long at) {
    Pointer address = buffer.data().addressPointer();
    return ((FloatPointer) address).getPointer(offset + at);
  }

  DoublePointer doubles(long at) {
    Pointer address = buffer.data().addressPointer();
    return ((DoublePointer) address).getPointer(offset + at);
  }
}
