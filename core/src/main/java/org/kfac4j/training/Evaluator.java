package org.kfac4j.training;

import org.kfac4j.curvature.Request;
import org.kfac4j.curvature.SumNames;
import org.kfac4j.curvature.Sums;
import org.kfac4j.data.Batch;
import org.kfac4j.optimizer.Objective;

/**
 * Judges weights on a data set.
 *
 * @param objective over the test set
 * @param classes whether targets are classes
 */
public record Evaluator(Objective objective, boolean classes) {
  /** Loss and error or accuracy over all examples of the objective. */
  public Evaluation evaluate(double[] theta, boolean averaged) {
    try (Objective.Point point = objective.at(theta)) {
      Sums sums = point.evaluate(new Request.Loss(Batch.everything(objective.size()), true));
      double count = sums.scalar(SumNames.COUNT);
      return new Evaluation(
          sums.scalar(SumNames.LOSS) / count,
          classes ? null : (Double) (sums.scalar(SumNames.SQUARED_ERROR) / count),
          classes ? (Double) (sums.scalar(SumNames.CORRECT) / count) : null,
          averaged);
    }
  }
}
