package org.kfac4j.optimizer;

import java.util.ArrayList;
import java.util.List;
import org.kfac4j.Dense;
import org.kfac4j.PlainNetwork;
import org.kfac4j.Problem;
import org.kfac4j.data.Batch;
import org.kfac4j.data.Hashing;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;

/**
 * Algorithm 2 of arXiv:1503.05671, and its variant with scheduled steps, written down with matrices
 * in full: Fisher matrix, Kronecker products and their inverses. Shares nothing with what it is to
 * check but the settings, which examples are in a batch and the sampled targets. η is the same for
 * all parameters.
 */
final class DenseKfac {
  private final Problem problem;
  private final Network network;
  private final Kfac settings;
  private final double eta;
  private final List<double[][]> inputs = new ArrayList<>();
  private final List<double[][]> gradients = new ArrayList<>();
  private int statistics;
  private List<double[][]> inverses = List.of();

  double[] theta;
  double[] previous;
  double lambda;
  double gamma;
  double alpha;
  double mu;
  double rho;
  double clip;

  DenseKfac(Problem problem, Kfac settings, double eta, double[] theta) {
    this.problem = problem;
    this.network = problem.network();
    this.settings = settings;
    this.eta = eta;
    this.theta = theta;
    this.previous = new double[theta.length];
    this.lambda = settings.damping().initial();
    this.gamma = Math.sqrt(lambda + eta);
  }

  void step(Batch batch, int k) {
    lambda = settings.damping().at(k, lambda);
    double[] gradient = gradient(batch);
    if ((k - 1) % settings.statistics().period() == 0) {
      updateAverages(batch.subset(settings.statistics().fraction()), k);
    }
    double[] update =
        settings.stepRule() instanceof StepRule.Exact exact
            ? exactStep(batch, gradient, exact, k)
            : scheduledStep(gradient, (StepRule.Scheduled) settings.stepRule(), k);
    theta = Dense.plus(theta, update);
  }

  /** h on a batch. */
  private double objective(Batch batch, double[] at) {
    PlainNetwork plain = new PlainNetwork(network, at);
    double sum = 0;
    for (int n : problem.members(batch)) {
      double[] z = plain.forward(problem.x(n)).z();
      sum += PlainNetwork.loss(network.loss(), z, problem.target(n));
    }
    return sum / batch.count() + 0.5 * eta * Dense.dot(at, at);
  }

  private double[] gradient(Batch batch) {
    PlainNetwork plain = new PlainNetwork(network, theta);
    double[] sum = new double[theta.length];
    for (int n : problem.members(batch)) {
      PlainNetwork.Pass pass = plain.forward(problem.x(n));
      double[] g = PlainNetwork.lossGradient(network.loss(), pass.z(), problem.target(n));
      sum = Dense.plus(sum, plain.backward(pass, g).gradient());
    }
    return Dense.plus(Dense.scaled(1.0 / batch.count(), sum), Dense.scaled(eta, theta));
  }

  private void updateAverages(Batch batch, int k) {
    PlainNetwork plain = new PlainNetwork(network, theta);
    long key = Hashing.key(settings.seed(), k);
    statistics++;
    double cap = Math.pow(settings.statistics().average(), settings.statistics().period());
    double epsilon = Math.min(1 - 1.0 / statistics, cap);
    for (int i = 0; i < network.blocks().size(); i++) {
      ParameterBlock block = network.blocks().get(i);
      double[][] a = Dense.zeros(block.rows(), block.rows());
      double[][] g = Dense.zeros(block.columns(), block.columns());
      for (int n : problem.members(batch)) {
        PlainNetwork.Pass pass = plain.forward(problem.x(n));
        double[] sampled = new double[network.outputs()];
        network.loss().sampledGradient(pass.z(), new long[] {Hashing.key(key, n)}, 1, sampled);
        double[] input = plain.inputs(pass).get(i);
        double[] output = plain.backward(pass, sampled).g().get(i);
        a = Dense.plus(a, Dense.scaled(1.0 / batch.count(), Dense.outer(input, input)));
        g = Dense.plus(g, Dense.scaled(1.0 / batch.count(), Dense.outer(output, output)));
      }
      if (statistics == 1) {
        inputs.add(a);
        gradients.add(g);
      } else {
        inputs.set(i, mixed(inputs.get(i), a, epsilon));
        gradients.set(i, mixed(gradients.get(i), g, epsilon));
      }
    }
  }

  private static double[][] mixed(double[][] past, double[][] batch, double epsilon) {
    return Dense.plus(Dense.scaled(epsilon, past), Dense.scaled(1 - epsilon, batch));
  }

  private boolean isInverseDue(int k) {
    return k <= 3 || k % settings.inverses().period() == 0;
  }

  private double[][] invertedFactored(int i, double candidate) {
    double[][] a = inputs.get(i);
    double[][] g = gradients.get(i);
    double pi = Math.sqrt(Dense.trace(a) / a.length / (Dense.trace(g) / g.length));
    return Dense.inverse(
        Dense.kronecker(Dense.shifted(a, pi * candidate), Dense.shifted(g, candidate / pi)));
  }

  private List<double[][]> inverted(double candidate) {
    List<double[][]> result = new ArrayList<>();
    for (int i = 0; i < inputs.size(); i++) {
      result.add(
          settings.preconditioner() instanceof KfacPreconditioner
              ? invertedFactored(i, candidate)
              : Dense.inverse(
                  Dense.shifted(Dense.kronecker(inputs.get(i), gradients.get(i)), lambda + eta)));
    }
    return result;
  }

  /** −F̆⁻¹ ∇h. */
  private double[] direction(List<double[][]> blocks, double[] gradient) {
    double[] result = new double[gradient.length];
    for (int i = 0; i < blocks.size(); i++) {
      ParameterBlock block = network.blocks().get(i);
      double[] part = java.util.Arrays.copyOfRange(gradient, block.offset(), block.end());
      double[] solved = Dense.times(blocks.get(i), part);
      for (int j = 0; j < solved.length; j++) {
        result[block.offset() + j] = -solved[j];
      }
    }
    return result;
  }

  private double[] exactStep(Batch batch, double[] gradient, StepRule.Exact rule, int k) {
    double[][] fisher = problem.exactFisher(theta, batch.subset(rule.fraction()));
    double[][] curvature = Dense.shifted(fisher, lambda + eta);
    double omega = Math.pow(Math.sqrt(19.0 / 20), settings.inverses().gammaPeriod());
    boolean searches =
        settings.inverses().gammaSearch() && k % settings.inverses().gammaPeriod() == 0;
    double[] candidates =
        searches ? new double[] {gamma, omega * gamma, gamma / omega} : new double[] {gamma};
    if (!settings.inverses().gammaSearch()) {
      candidates[0] = Math.sqrt(lambda + eta);
    }
    double lowest = Double.POSITIVE_INFINITY;
    double[] best = theta;
    List<double[][]> kept = inverses;
    for (double candidate : candidates) {
      List<double[][]> blocks = isInverseDue(k) ? inverted(candidate) : inverses;
      double[] direction = direction(blocks, gradient);
      double[] coefficients =
          coefficients(curvature, gradient, direction, rule.momentum() && k > 1);
      double[] update =
          Dense.plus(
              Dense.scaled(coefficients[0], direction), Dense.scaled(coefficients[1], previous));
      double change =
          0.5 * Dense.dot(update, Dense.times(curvature, update)) + Dense.dot(gradient, update);
      if (change < lowest) {
        lowest = change;
        best = update;
        kept = blocks;
        gamma = candidate;
        alpha = coefficients[0];
        mu = coefficients[1];
      }
    }
    inverses = kept;
    adapt(batch, best, lowest, k);
    previous = best;
    return best;
  }

  /** α and μ. */
  private double[] coefficients(
      double[][] curvature, double[] gradient, double[] direction, boolean momentum) {
    if (!momentum) {
      double along = Dense.dot(direction, Dense.times(curvature, direction));
      return new double[] {-Dense.dot(gradient, direction) / along, 0};
    }
    double[][] both = {direction, previous};
    double[][] system = Dense.times(both, Dense.times(curvature, Dense.transposed(both)));
    return Dense.scaled(-1, Dense.solve(system, Dense.times(both, gradient)));
  }

  private void adapt(Batch batch, double[] update, double change, int k) {
    rho = Double.NaN;
    if (!(settings.damping() instanceof Damping.LevenbergMarquardt rule)
        || k % rule.period() != 0) {
      return;
    }
    double predicted =
        rule.ratioIncludesDamping() ? change : change - 0.5 * lambda * Dense.dot(update, update);
    rho = (objective(batch, Dense.plus(theta, update)) - objective(batch, theta)) / predicted;
    double omega = Math.pow(rule.decay(), rule.period());
    lambda *= rho > 0.75 ? omega : rho < 0.25 ? 1 / omega : 1;
    lambda = Math.max(rule.minimum(), Math.min(rule.maximum(), lambda));
  }

  private double[] scheduledStep(double[] gradient, StepRule.Scheduled rule, int k) {
    if (isInverseDue(k)) {
      inverses = inverted(Math.sqrt(lambda + eta));
    }
    double rate = rule.learningRate().at(k);
    double[] v = Dense.scaled(-1, direction(inverses, gradient));
    clip = Math.min(1, Math.sqrt(rule.klClip() / Math.abs(rate * rate * Dense.dot(v, gradient))));
    mu = rule.momentum().at(k);
    alpha = rate * clip;
    previous = Dense.plus(Dense.scaled(mu, previous), Dense.scaled(clip, v));
    return Dense.scaled(-rate, previous);
  }
}
