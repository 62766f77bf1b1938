package org.kfac4j.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;

class LogisticTest {
  @Test
  void agreesWithMathExpEverywhere() {
    Random random = new Random(1);
    double[] z = new double[20_000];
    for (int i = 0; i < z.length; i++) {
      z[i] = random.nextGaussian() * Math.pow(10, random.nextDouble() * 5 - 3);
    }
    z[0] = 0;
    z[1] = -0.0;
    z[2] = 700;
    z[3] = -700;
    z[4] = 0.5 * Math.log(2);
    z[5] = -0.5 * Math.log(2);
    double[] p = new double[z.length - 1];
    Logistic.of(z, 1, p, p.length);
    for (int i = 0; i < p.length; i++) {
      double x = Math.max(-700, Math.min(700, z[i + 1]));
      assertThat(p[i] * (1 + Math.exp(-x))).as("sigma(%s)", z[i + 1]).isCloseTo(1, within(1e-14));
    }
  }

  @Test
  void infinityIsItsLimitAndNanStaysVisible() {
    double[] p = new double[3];
    Logistic.of(
        new double[] {Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, Double.NaN}, 0, p, 3);
    assertThat(p[0]).isEqualTo(1);
    assertThat(p[1]).isBetween(0.0, 1e-303);
    assertThat(p[2]).isNaN();
  }
}
