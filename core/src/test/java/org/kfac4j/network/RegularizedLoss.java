package org.kfac4j.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.kfac4j.Dense.assertClose;

import org.kfac4j.Dense;
import org.kfac4j.Problem;
import org.kfac4j.Tolerance;
import org.kfac4j.curvature.Request;
import org.kfac4j.curvature.SumNames;
import org.kfac4j.curvature.Sums;
import org.kfac4j.linalg.Precision;
import org.kfac4j.optimizer.Objective;
import org.kfac4j.training.LocalObjective;
import org.nd4j.linalg.api.ndarray.INDArray;

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

  /**
   * What {@link #gradient} must be according to DL4J, whose gradient is a sum over examples, but
   * for averages over examples, of which it is the step that they make.
   */
  static double[] dl4js(Dl4jModel model, double[] theta, INDArray gradients, int count) {
    Network network = model.network();
    double[] sum = gradients.dup().toDoubleVector();
    double[] expected = Dense.scaled(1.0 / count, Dl4jWeights.fromDl4j(network, sum));
    network.addPenaltyGradient(theta, expected);
    double[] next =
        Dl4jWeights.fromDl4j(network, Dense.minus(Dl4jWeights.toDl4j(network, theta), sum));
    for (Network.ParameterBlock block : network.statistics()) {
      double decay = ((BatchNormalizationLayer) network.layers().get(block.layer())).decay();
      for (int i = block.offset(); i < block.end(); i++) {
        expected[i] = (theta[i] - next[i]) / (1 - decay);
      }
    }
    return expected;
  }
}
