package org.kfac4j.cost;

import java.util.ArrayList;
import java.util.List;
import org.apache.commons.math3.linear.Array2DRowRealMatrix;
import org.apache.commons.math3.linear.ArrayRealVector;
import org.apache.commons.math3.linear.RealMatrix;
import org.apache.commons.math3.linear.SingularValueDecomposition;

/**
 * min ‖A x − b‖ over x ≥ 0 for a few unknowns, in relative errors: rows are divided by b. Tries
 * every set of unknowns that may differ from zero, which is exact and needs no tolerance.
 */
final class NonNegativeFit {
  private NonNegativeFit() {}

  /** Above it, columns of unit length do not tell unknowns apart. */
  private static final double LARGEST_CONDITION = 300;

  /** Whether {@code rows} determine all unknowns. */
  static boolean isWellPosed(List<double[]> rows, List<Double> values) {
    if (rows.isEmpty() || rows.size() < rows.get(0).length) {
      return false;
    }
    RealMatrix matrix = weighted(rows, values, all(rows.get(0).length));
    for (int j = 0; j < matrix.getColumnDimension(); j++) {
      double norm = matrix.getColumnVector(j).getNorm();
      if (!(norm > 0)) {
        return false;
      }
      matrix.setColumnVector(j, matrix.getColumnVector(j).mapDivide(norm));
    }
    return new SingularValueDecomposition(matrix).getConditionNumber() < LARGEST_CONDITION;
  }

  /**
   * x.
   *
   * @param rows of A, each with at most a handful of unknowns
   * @param values b, positive
   */
  static double[] solve(List<double[]> rows, List<Double> values) {
    int unknowns = rows.get(0).length;
    double[] best = new double[unknowns];
    double least = Double.POSITIVE_INFINITY;
    for (int set = 1; set < 1 << unknowns; set++) {
      List<Integer> columns = new ArrayList<>();
      for (int j = 0; j < unknowns; j++) {
        if ((set >> j & 1) == 1) {
          columns.add(j);
        }
      }
      RealMatrix matrix = weighted(rows, values, columns);
      ArrayRealVector ones = new ArrayRealVector(rows.size(), 1.0);
      double[] found = new SingularValueDecomposition(matrix).getSolver().solve(ones).toArray();
      double error = new ArrayRealVector(matrix.operate(found)).subtract(ones).getNorm();
      boolean allowed = java.util.Arrays.stream(found).allMatch(each -> each >= 0);
      // The smaller sets come first among equals: a hair less error is no reason for an unknown.
      if (allowed && error < least * (1 - 1e-12)) {
        least = error;
        best = new double[unknowns];
        for (int i = 0; i < found.length; i++) {
          best[columns.get(i)] = found[i];
        }
      }
    }
    return best;
  }

  private static List<Integer> all(int count) {
    List<Integer> all = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      all.add(i);
    }
    return all;
  }

  private static RealMatrix weighted(
      List<double[]> rows, List<Double> values, List<Integer> columns) {
    double[][] matrix = new double[rows.size()][columns.size()];
    for (int i = 0; i < matrix.length; i++) {
      for (int j = 0; j < columns.size(); j++) {
        matrix[i][j] = rows.get(i)[columns.get(j)] / values.get(i);
      }
    }
    return new Array2DRowRealMatrix(matrix, false);
  }
}
