package org.kfac4j.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.kfac4j.Dense.assertClose;

import org.kfac4j.Problem;
import org.kfac4j.Tolerance;
import org.kfac4j.curvature.Request;
import org.kfac4j.curvature.SumNames;
import org.kfac4j.curvature.Sums;
import org.kfac4j.linalg.Precision;
import org.kfac4j.optimizer.Objective;
import org.kfac4j.training.LocalObjective;

/** h and ∇h over all examples of a problem, by passes over blocks: what is compared with DL4J. */
record RegularizedLoss(double h, double[] gradient) {
  static RegularizedLoss of(Problem problem, double[] theta, Precision precision) {
    Network network = problem.network();
    int count = problem.count();
    try (LocalObjective objective = problem.objective(precision);
        Objective.Point here = objective.at(theta)) {
      Sums sums = here.evaluate(new Request.Gradient(problem.all(), null));
      double[] gradient = sums.mean(SumNames.GRADIENT, count);
      network.addPenaltyGradient(theta, gradient);
      assertThat(sums.scalar(SumNames.COUNT)).isEqualTo(count);
      double alone = here.evaluate(new Request.Loss(problem.all(), false)).scalar(SumNames.LOSS);
      assertClose(alone, sums.scalar(SumNames.LOSS), Tolerance.SUMS);
      return new RegularizedLoss(alone / count + network.penalty(theta), gradient);
    }
  }
}
