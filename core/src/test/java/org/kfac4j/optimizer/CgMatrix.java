package org.kfac4j.optimizer;

import java.util.List;
import java.util.function.Function;
import org.kfac4j.Dense;
import org.kfac4j.curvature.ExampleRows;
import org.kfac4j.network.WeightSharing;
import org.kfac4j.optimizer.CgfacPreconditioner.Operator;

/**
 * The matrix that CG-FAC solves with in full: K-FAC's damped product of factors, or the damped
 * Fisher block itself.
 *
 * @param batches the block's rows
 * @param weights of the batches
 * @param strength γ² or λ
 */
record CgMatrix(Operator operator, List<ExampleRows> batches, double[] weights, double strength) {
  /** Of one batch. */
  static CgMatrix of(Operator operator, ExampleRows rows, double strength) {
    return new CgMatrix(operator, List.of(rows), new double[] {1}, strength);
  }

  private double[][] average(Function<ExampleRows, double[][]> what) {
    double[][] sum = null;
    for (int i = 0; i < weights.length; i++) {
      double[][] each = Dense.scaled(weights[i], what.apply(batches.get(i)));
      sum = sum == null ? each : Dense.plus(sum, each);
    }
    return sum;
  }

  double[][] matrix() {
    return operator == Operator.FISHER
        ? Dense.shifted(average(ExampleRows::fisher), strength)
        : FactoredDamping.of(
            average(rows -> rows.inputMoment(WeightSharing.KFC)),
            average(rows -> rows.gradientMoment(WeightSharing.KFC)),
            strength);
  }

  /**
   * What residuals are divided by: the diagonal, of the Fisher block without what positions have in
   * common.
   */
  double[] diagonal() {
    return Dense.diagonalOf(
        operator == Operator.FISHER
            ? Dense.shifted(average(ExampleRows::expanded), strength)
            : matrix());
  }
}
