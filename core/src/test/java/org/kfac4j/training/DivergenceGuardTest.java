package org.kfac4j.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.kfac4j.Problem;
import org.kfac4j.network.Activation.Function;
import org.kfac4j.network.Network;
import org.kfac4j.network.SquaredError;
import org.kfac4j.optimizer.DivergedException;

class DivergenceGuardTest {
  private static final Network NETWORK =
      Problem.network(new SquaredError(1, 1), Function.TANH, false, 1, 2, 1);
  private static final double[] START = {3, 4, 1, 1};

  @Test
  void aLossOfMoreThanTheAllowedMultipleStopsTheRunAndNamesTheLayerThatGrewMost() {
    DivergenceGuard guard = new DivergenceGuard(NETWORK, START, 100, Double.NaN);
    guard.check(1, 2, START);
    assertThat(guard.firstLoss()).isEqualTo(2);
    assertThatCode(() -> guard.check(2, 200, START)).doesNotThrowAnyException();
    assertThatThrownBy(() -> guard.check(17, 200.1, new double[] {30, 40, 1, 10}))
        .isInstanceOf(DivergedException.class)
        .hasMessageContaining("iteration 17")
        .hasMessageContaining("layer dense1")
        .hasMessageContaining("from norm 5.000 to 50.00");
    assertThatThrownBy(() -> guard.check(18, 1e9, new double[] {6, 8, 10, 10}))
        .hasMessageContaining("layer dense2");
    assertThat(guard.firstLoss()).isEqualTo(2);
  }

  @Test
  void aSmallFirstLossCountsAsOne() {
    DivergenceGuard guard = new DivergenceGuard(NETWORK, START, 100, 1e-9);
    assertThatCode(() -> guard.check(5, 99, START)).doesNotThrowAnyException();
    assertThatThrownBy(() -> guard.check(6, 101, START)).isInstanceOf(DivergedException.class);
  }

  @Test
  void aLossThatIsNotANumberStopsTheRun() {
    DivergenceGuard guard = new DivergenceGuard(NETWORK, START, 100, 2);
    assertThatThrownBy(() -> guard.check(3, Double.NaN, START))
        .isInstanceOf(DivergedException.class)
        .hasMessageContaining("iteration 3");
  }

  @Test
  void layersThatStartAtZeroMayGrow() {
    DivergenceGuard guard = new DivergenceGuard(NETWORK, new double[4], 10, 1);
    assertThatThrownBy(() -> guard.check(2, 11, new double[] {0, 0, 1, 0}))
        .hasMessageContaining("layer dense2");
  }
}
