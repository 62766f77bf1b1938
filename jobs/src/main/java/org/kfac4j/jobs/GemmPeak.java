package org.kfac4j.jobs;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.api.java.JavaSparkContext;
import org.kfac4j.linalg.Blas;
import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Precision;

/**
 * The rate of large float32 matrix products on all task slots at once: the roofline of a network of
 * dense layers.
 */
final class GemmPeak {
  private static final int N = 2048;

  private GemmPeak() {}

  /**
   * Operations per second summed over {@code tasks} tasks with {@code threads} threads each, once.
   */
  static double measure(JavaSparkContext spark, int tasks, int threads) {
    List<Integer> indices = new ArrayList<>();
    for (int i = 0; i < tasks; i++) {
      indices.add(i);
    }
    double slowest = spark.parallelize(indices, tasks).map(i -> seconds(threads)).reduce(Math::max);
    return tasks * 2.0 * N * N * N / slowest;
  }

  private static double seconds(int threads) {
    Blas.useThreads(threads);
    try (Matrix a = Matrix.zeros(Precision.FLOAT, N, N);
        Matrix b = Matrix.zeros(Precision.FLOAT, N, N);
        Matrix c = Matrix.zeros(Precision.FLOAT, N, N)) {
      a.flat().assign(0.5);
      b.flat().assign(0.25);
      Blas.multiply(a.top(64), false, b, false, 0, c.top(64)); // loads and warms up
      long begin = System.nanoTime();
      Blas.multiply(a, false, b, false, 0, c);
      return (System.nanoTime() - begin) * 1e-9;
    }
  }
}
