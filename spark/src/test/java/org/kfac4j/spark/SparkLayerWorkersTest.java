package org.kfac4j.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.kfac4j.curvature.KroneckerFactors;
import org.kfac4j.linalg.Eigen;
import org.kfac4j.linalg.Factorizations;
import org.kfac4j.linalg.LapackFactorizations;
import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Packed;
import org.kfac4j.linalg.Precision;
import org.kfac4j.optimizer.DenseMachine;
import org.kfac4j.optimizer.KfacPreconditioner;
import org.kfac4j.optimizer.LayerTask;
import org.kfac4j.optimizer.LayerWorkers;

/** Spark's tasks as workers on layers: in which order they begin, and whose result is whose. */
class SparkLayerWorkersTest {
  private static JavaSparkContext spark;

  /** One task at a time, so that the order in which Spark starts them is seen. */
  @BeforeAll
  static void start() {
    spark =
        new JavaSparkContext(
            new SparkConf()
                .setMaster("local[1]")
                .setAppName("kfac4j test")
                .set("spark.ui.enabled", "false"));
  }

  @AfterAll
  static void stop() {
    spark.close();
  }

  /** Writes down how large the matrices are that tasks invert. */
  private static final class Recorded implements Factorizations {
    private static final long serialVersionUID = 1L;
    private static final List<Integer> SIZES = Collections.synchronizedList(new ArrayList<>());

    private final Factorizations lapack = new LapackFactorizations();

    @Override
    public Matrix inverse(double[] packed, int n, double shift, Precision precision) {
      SIZES.add(n);
      return lapack.inverse(packed, n, shift, precision);
    }

    @Override
    public Eigen eigen(double[] packed, int n, Precision precision) {
      return lapack.eigen(packed, n, precision);
    }

    @Override
    public Matrix cholesky(double[] packed, int n, Precision precision) {
      return lapack.cholesky(packed, n, precision);
    }
  }

  /** a times the unit matrix. */
  private static double[] scaled(double a, int n) {
    double[] packed = new double[Packed.length(n)];
    Packed.addToDiagonal(packed, n, a);
    return packed;
  }

  /** Of a layer whose factors are 2 · I and 8 · I, with γ² = rows. */
  private static LayerTask task(int rows, int columns, double cost) {
    return new LayerTask(
        new KfacPreconditioner(),
        new KroneckerFactors(scaled(2, rows), scaled(8, columns), rows, columns),
        rows,
        "layer" + rows,
        rows,
        columns,
        new DenseMachine(new Recorded(), Precision.DOUBLE, 1),
        cost);
  }

  @Test
  void theCostliestLayerIsBegunFirstAndEveryResultIsItsLayers() {
    List<LayerTask> tasks =
        List.of(task(3, 2, 10), task(9, 4, 1000), task(5, 6, 40), task(7, 8, 300));
    Recorded.SIZES.clear();
    try (LayerWorkers.Made made = new SparkLayerWorkers(spark, new JobLabels(spark)).make(tasks)) {
      assertThat(Recorded.SIZES).containsExactly(9, 4, 7, 8, 5, 6, 3, 2);
      assertThat(made.recoveries()).containsOnly(0).hasSize(4);
      List<double[]> parts = new ArrayList<>();
      for (LayerTask task : tasks) {
        double[] part = new double[task.rows() * task.columns()];
        java.util.Arrays.setAll(part, i -> i + 1);
        parts.add(part);
      }
      List<double[]> applied = made.apply(parts);
      for (int i = 0; i < tasks.size(); i++) {
        // π = ½, so that V ↦ V / ((2 + γ/2) (8 + 2γ)) with γ² = rows.
        double gamma = Math.sqrt(tasks.get(i).rows());
        double divisor = (2 + gamma / 2) * (8 + 2 * gamma);
        double[] result = applied.get(i);
        assertThat(result).hasSameSizeAs(parts.get(i));
        for (int j = 0; j < result.length; j++) {
          assertThat(result[j]).isCloseTo(parts.get(i)[j] / divisor, within(1e-12));
        }
      }
    }
  }
}
