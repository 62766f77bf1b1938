package org.kfac4j.optimizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.kfac4j.Dense.assertClose;

import org.junit.jupiter.api.Test;
import org.kfac4j.Dense;
import org.kfac4j.Networks;
import org.kfac4j.Tolerance;
import org.kfac4j.network.DenseLayer;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.ParameterRole;
import org.kfac4j.network.SquaredError;

/** LARS and LAMB against the specification's numbers and their formulas. */
class LayerwiseTest {
  /** One layer with the two weights of the fixture. */
  private static final Network TWO =
      Network.of(new SquaredError(1, 1), new DenseLayer("layer", 2, 1, false));

  private static final double[] W = {3, 4};
  private static final double[] G = {.6, -.8};
  private static final Schedule NONE = Schedule.constant(0);

  private static double[] update(
      FirstOrder.Rule rule, Network network, double[] theta, double[] g, double alpha, int k) {
    double[] update = Dense.normal(1, theta.length);
    rule.update(
        new FirstOrder.Now(network, theta, g, alpha, k),
        new double[rule.slots()][theta.length],
        update);
    return update;
  }

  @Test
  void larsGivesTheFixture() {
    double[] update = update(new Lars(NONE, 0.001, 1e-4), TWO, W, G, 1, 1);
    double q = .0049975012494;
    assertClose(update, new double[] {-q * (.6 + 3e-4), -q * (-.8 + 4e-4)}, Tolerance.PRINTED);
  }

  @Test
  void lambGivesTheFixture() {
    double[] update = update(new Lamb(.9, .999, 1e-6, .01), TWO, W, G, 1, 1);
    double trust = 3.5511093455;
    assertClose(update, new double[] {-trust * 1.0299983333, trust * .95999875}, Tolerance.PRINTED);
  }

  @Test
  void larsStepsDoNotDependOnTheLosssScale() {
    Lars lars = new Lars(NONE, 0.001, 0);
    double[] one = update(lars, TWO, W, G, 0.3, 1);
    for (double scale : new double[] {1e-6, 10, 1e6}) {
      assertClose(update(lars, TWO, W, Dense.scaled(scale, G), 0.3, 1), one, Tolerance.F64);
    }
    assertThat(Dense.norm(one)).isCloseTo(0.3 * 0.001 * 5, within(1e-15));
  }

  @Test
  void lambWithoutWeightsIsAdam() {
    double[] zero = new double[2];
    assertThat(update(new Lamb(.9, .999, 1e-6, .01), TWO, zero, G, 0.3, 1))
        .isEqualTo(update(new FirstOrder.Adam(.9, .999, 1e-6), TWO, zero, G, 0.3, 1));
  }

  @Test
  void withoutGradientNothingIsDividedByZero() {
    double[] zero = new double[2];
    assertThat(Dense.norm(update(new Lars(NONE, 0.001, 0), TWO, W, zero, 1, 1))).isZero();
    assertThat(Dense.norm(update(new Lamb(.9, .999, 1e-6, 0), TWO, W, zero, 1, 1))).isZero();
  }

  /** The ratio is then 1: what is left are plain steps with momentum and decay. */
  @Test
  void whereANormIsZeroLarsTakesPlainSteps() {
    double[] zero = new double[2];
    assertClose(
        update(new Lars(NONE, 0.001, 0.1), TWO, zero, G, 0.3, 1),
        Dense.scaled(-0.3, G),
        Tolerance.F64);
    assertClose(
        update(new Lars(NONE, 0.001, 0.1), TWO, W, zero, 0.3, 1),
        Dense.scaled(-0.3 * 0.1, W),
        Tolerance.F64);
  }

  /** Biases and scales take plain steps, weights of each layer their own length. */
  @Test
  void onlyWeightsAreScaledAndEveryLayerByItself() {
    Network network = Networks.residual();
    double[] theta = Dense.normal(3, network.parameterCount());
    double[] g = Dense.normal(4, network.parameterCount());
    for (ParameterBlock block : network.statistics()) {
      java.util.Arrays.fill(g, block.offset(), block.end(), 0);
    }
    double alpha = 0.2;
    double[] lars = update(new Lars(NONE, 0.01, 0.1), network, theta, g, alpha, 1);
    double[] lamb = update(new Lamb(.9, .999, 1e-6, 0.1), network, theta, g, alpha, 1);
    double[] adam = update(new FirstOrder.Adam(.9, .999, 1e-6), network, theta, g, alpha, 1);
    for (ParameterBlock block : network.blocks()) {
      int end = block.shape().role() == ParameterRole.WEIGHTS ? block.biasOffset() : block.offset();
      double w = norm(theta, block.offset(), end);
      assertThat(norm(lamb, block.offset(), end)).isCloseTo(alpha * w, within(1e-12));
      for (int i = block.offset(); i < end; i++) {
        double q = 0.01 * w / (norm(g, block.offset(), end) + 0.1 * w);
        assertThat(lars[i]).isCloseTo(-alpha * q * (g[i] + 0.1 * theta[i]), within(1e-15));
      }
      for (int i = end; i < block.end(); i++) {
        assertThat(lars[i]).isEqualTo(-alpha * g[i]);
        assertThat(lamb[i]).isCloseTo(adam[i], within(1e-15));
      }
    }
  }

  private static double norm(double[] v, int from, int to) {
    return Dense.norm(java.util.Arrays.copyOfRange(v, from, to));
  }

  @Test
  void larsMomentumAddsUpScaledGradients() {
    Lars lars = new Lars(Schedule.constant(0.5), 0.001, 0);
    double[][] slots = new double[1][2];
    double[] first = new double[2];
    double[] second = new double[2];
    lars.update(new FirstOrder.Now(TWO, W, G, 1, 1), slots, first);
    lars.update(new FirstOrder.Now(TWO, W, G, 1, 2), slots, second);
    assertClose(second, Dense.scaled(1.5, first), Tolerance.F64);
  }

  @Test
  void impossibleSettingsAreRefused() {
    assertThatThrownBy(() -> new Lars(NONE, 0, 0)).hasMessageContaining("lars.trust");
    assertThatThrownBy(() -> new Lars(NONE, 1, -1)).hasMessageContaining("lars.weight-decay");
    assertThatThrownBy(() -> new Lamb(1, .9, 1, 0)).hasMessageContaining("lamb.beta1");
    assertThatThrownBy(() -> new Lamb(.9, -1, 1, 0)).hasMessageContaining("lamb.beta2");
    assertThatThrownBy(() -> new Lamb(.9, .9, 0, 0)).hasMessageContaining("lamb.epsilon");
    assertThatThrownBy(() -> new Lamb(.9, .9, 1, -1)).hasMessageContaining("lamb.weight-decay");
  }
}
