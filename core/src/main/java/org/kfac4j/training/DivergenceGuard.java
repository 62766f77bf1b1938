package org.kfac4j.training;

import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.optimizer.DivergedException;

/**
 * Stops a run whose loss has exploded but is still finite: a saturated network may go on for ever
 * at a loss a million times the first one. Names the layer whose weights grew most.
 */
final class DivergenceGuard {
  private final Network network;
  private final double[] initialNorms;
  private final double factor;
  private double firstLoss;

  /**
   * @param firstLoss the first iteration's loss, NaN before it is known
   */
  DivergenceGuard(Network network, double[] initial, double factor, double firstLoss) {
    this.network = network;
    this.initialNorms = norms(initial);
    this.factor = factor;
    this.firstLoss = firstLoss;
  }

  double firstLoss() {
    return firstLoss;
  }

  /**
   * @param theta after the step of iteration {@code k}
   * @throws DivergedException if {@code loss} is more than the allowed multiple of the first loss
   */
  void check(int k, double loss, double[] theta) {
    if (Double.isNaN(firstLoss)) {
      firstLoss = loss;
    }
    check(k, "loss", loss, theta);
  }

  /**
   * The same for the loss on the test set, which is the first to see the last update.
   *
   * @throws DivergedException if it is more than the allowed multiple of the first loss on a batch
   */
  void checkTest(int k, double loss, double[] theta) {
    check(k, "test loss", loss, theta);
  }

  private void check(int k, String what, double loss, double[] theta) {
    double limit = factor * Math.max(firstLoss, 1);
    if (loss <= limit) {
      return;
    }
    double[] norms = norms(theta);
    int worst = 0;
    for (int i = 1; i < norms.length; i++) {
      worst = growth(norms, i) > growth(norms, worst) ? i : worst;
    }
    ParameterBlock block = network.blocks().get(worst);
    throw new DivergedException(
        String.format(
            java.util.Locale.ROOT,
            "iteration %d: the %s is %.4g, more than %.4g times the first one (%.4g); the weights of layer %s grew most,"
                + " from norm %.4g to %.4g",
            k,
            what,
            loss,
            factor,
            firstLoss,
            block.name(),
            initialNorms[worst],
            norms[worst]));
  }

  private double growth(double[] norms, int i) {
    return norms[i] / Math.max(initialNorms[i], Double.MIN_NORMAL);
  }

  private double[] norms(double[] theta) {
    double[] norms = new double[network.blocks().size()];
    for (int i = 0; i < norms.length; i++) {
      ParameterBlock block = network.blocks().get(i);
      double sum = 0;
      for (int j = block.offset(); j < block.end(); j++) {
        sum += theta[j] * theta[j];
      }
      norms[i] = Math.sqrt(sum);
    }
    return norms;
  }
}
