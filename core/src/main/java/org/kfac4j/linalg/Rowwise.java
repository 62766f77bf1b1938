package org.kfac4j.linalg;

import org.kfac4j.Check;

/** What is made of a matrix row by row; gaps between rows are left alone. */
public final class Rowwise {
  private Rowwise() {}

  /** ‖row‖² of every row. */
  public static double[] squaredNorms(Matrix matrix) {
    double[] norms = new double[matrix.rows()];
    forRows(
        matrix,
        (row, values) -> {
          double sum = 0;
          for (double value : values) {
            sum += value * value;
          }
          norms[row] = sum;
        });
    return norms;
  }

  /** The sum of every row. */
  public static double[] sums(Matrix matrix) {
    double[] sums = new double[matrix.rows()];
    forRows(
        matrix,
        (row, values) -> {
          for (double value : values) {
            sums[row] += value;
          }
        });
    return sums;
  }

  /**
   * to ← diag(factors) from.
   *
   * @param to of the shape of {@code from}, without gaps
   */
  public static void scale(Matrix from, double[] factors, Matrix to) {
    Check.that(
        factors.length == from.rows(),
        "%d factors do not scale rows of [%d, %d]",
        factors.length,
        from.rows(),
        from.columns());
    requireRoom(from, to);
    forRows(
        from,
        (row, values) -> {
          for (int i = 0; i < values.length; i++) {
            values[i] *= factors[row];
          }
          to.put((long) row * values.length, values, 0, values.length);
        });
  }

  /**
   * to ← from diag(factors).
   *
   * @param to of the shape of {@code from}, without gaps
   */
  public static void scaleColumns(Matrix from, double[] factors, Matrix to) {
    Check.that(
        factors.length == from.columns(),
        "%d factors do not scale columns of [%d, %d]",
        factors.length,
        from.rows(),
        from.columns());
    requireRoom(from, to);
    forRows(
        from,
        (row, values) -> {
          for (int i = 0; i < values.length; i++) {
            values[i] *= factors[i];
          }
          to.put((long) row * values.length, values, 0, values.length);
        });
  }

  /** scale · Σ_row row∘². */
  public static double[] columnSquares(Matrix matrix, double scale) {
    double[] sums = new double[matrix.columns()];
    forRows(
        matrix,
        (row, values) -> {
          for (int i = 0; i < values.length; i++) {
            sums[i] += scale * values[i] * values[i];
          }
        });
    return sums;
  }

  /**
   * Sums {@code size} rows after one another to one.
   *
   * @param to [rows / size, columns], without gaps
   */
  public static void sumGroups(Matrix from, int size, Matrix to) {
    Check.that(
        to.rows() * size == from.rows() && to.columns() == from.columns(),
        "%d rows are not %d groups of %d",
        from.rows(),
        to.rows(),
        size);
    double[] sums = new double[from.columns()];
    forRows(
        from,
        (row, values) -> {
          for (int i = 0; i < values.length; i++) {
            sums[i] = row % size == 0 ? values[i] : sums[i] + values[i];
          }
          if (row % size == size - 1) {
            to.put((long) (row / size) * sums.length, sums, 0, sums.length);
          }
        });
  }

  private static void requireRoom(Matrix from, Matrix to) {
    Check.that(
        to.rows() == from.rows() && to.columns() == from.columns() && to.stride() == to.columns(),
        "what is made of [%d, %d] needs room of that shape without gaps",
        from.rows(),
        from.columns());
  }

  /**
   * Copies numbers.
   *
   * @param to of the shape of {@code from}, without gaps
   */
  public static void copy(Matrix from, Matrix to) {
    requireRoom(from, to);
    forRows(from, (row, values) -> to.put((long) row * values.length, values, 0, values.length));
  }

  /** Squares every number of a matrix without gaps, in place. */
  public static void square(Matrix matrix) {
    Check.that(matrix.stride() == matrix.columns(), "a matrix to be squared must have no gaps");
    matrix.flat().muli(matrix.flat());
  }

  @FunctionalInterface
  private interface RowWork {
    void apply(int row, double[] values);
  }

  private static void forRows(Matrix matrix, RowWork work) {
    double[] values = new double[matrix.columns()];
    for (int row = 0; row < matrix.rows(); row++) {
      matrix.get((long) row * matrix.stride(), values, 0, values.length);
      work.apply(row, values);
    }
  }
}
