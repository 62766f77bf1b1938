package org.kfac4j.optimizer;

import java.util.Arrays;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.kfac4j.Snapshot;
import org.kfac4j.linalg.Vectors;

/**
 * Solves C X = V by conjugate gradients (Hestenes and Stiefel), residuals divided by C's diagonal
 * if the settings say so: a linear map only as far as the tolerance is small.
 */
final class CgMap implements LinearMap {
  private final CgfacPreconditioner settings;
  private final @Nullable CgOperator operator;
  private final String layer;
  private double[] solution;
  private int iterations;
  private double residual;

  /**
   * @param operator null for one that has nothing but the solution to start from
   * @param start of the first solution
   */
  CgMap(CgfacPreconditioner settings, @Nullable CgOperator operator, double[] start, String layer) {
    this.settings = settings;
    this.operator = operator;
    this.solution = start;
    this.layer = layer;
  }

  /** The last solution; not a copy. */
  double[] solution() {
    return solution;
  }

  @Override
  public void apply(double[] v, int offset, double[] result) {
    double[] right = Arrays.copyOfRange(v, offset, offset + solution.length);
    boolean cold = Arrays.stream(solution).allMatch(value -> value == 0);
    double[] x = solve(right, solution);
    if (!cold && Vectors.dot(x, right) <= 0) {
      // From zero on, every iterate is a descent direction; from elsewhere it need not be.
      x = solve(right, new double[x.length]);
    }
    solution = settings.warmStart() ? x : new double[x.length];
    System.arraycopy(x, 0, result, offset, x.length);
  }

  private double[] solve(double[] right, double[] start) {
    CgOperator matrix = operator;
    if (matrix == null) {
      throw new IllegalStateException("this map has no rows to solve with");
    }
    double norm = Math.sqrt(Vectors.dot(right, right));
    int n = right.length;
    double[] x = start.clone();
    iterations = 0;
    residual = 0;
    if (norm == 0) {
      return new double[n];
    }
    double[] product = new double[n];
    double[] r = right.clone();
    if (Vectors.dot(x, x) > 0) {
      matrix.apply(x, product);
      add(-1, product, r);
    }
    double[] diagonal = settings.jacobi() ? matrix.diagonal() : null;
    double[] z = divided(r, diagonal);
    double[] p = z.clone();
    double rz = Vectors.dot(r, z);
    residual = Math.sqrt(Vectors.dot(r, r)) / norm;
    while (residual > settings.tolerance() && iterations < settings.iterations()) {
      matrix.apply(p, product);
      double curvature = Vectors.dot(p, product);
      if (!(curvature > 0) || !Double.isFinite(curvature)) {
        throw new DivergedException(
            "layer "
                + layer
                + ": conjugate gradients met a curvature of "
                + curvature
                + " after "
                + iterations
                + " iterations");
      }
      double step = rz / curvature;
      add(step, p, x);
      add(-step, product, r);
      z = divided(r, diagonal);
      double next = Vectors.dot(r, z);
      double beta = next / rz;
      rz = next;
      for (int i = 0; i < n; i++) {
        p[i] = z[i] + beta * p[i];
      }
      residual = Math.sqrt(Vectors.dot(r, r)) / norm;
      iterations++;
    }
    return x;
  }

  private static double[] divided(double[] r, double @Nullable [] diagonal) {
    if (diagonal == null) {
      return r.clone();
    }
    double[] z = new double[r.length];
    for (int i = 0; i < z.length; i++) {
      z[i] = r[i] / Math.max(diagonal[i], Double.MIN_NORMAL);
    }
    return z;
  }

  /** y ← y + α x. */
  private static void add(double alpha, double[] x, double[] y) {
    for (int i = 0; i < y.length; i++) {
      y[i] += alpha * x[i];
    }
  }

  @Override
  public int recoveries() {
    return 0;
  }

  /** Of the last solution: iterations, and the residual relative to the right-hand side. */
  @Override
  public Map<String, Double> figures() {
    return Map.of("cg iterations", (double) iterations, "cg residual", residual);
  }

  @Override
  public void save(Snapshot snapshot, String prefix) {
    snapshot.put(prefix + "X", solution.clone());
  }

  @Override
  public void close() {
    if (operator != null) {
      operator.close();
    }
  }
}
