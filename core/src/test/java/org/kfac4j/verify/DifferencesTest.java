package org.kfac4j.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class DifferencesTest {
  private static final double TOLERANCE = 1e-6;

  @Test
  void derivativesOfPolynomialsOfFourthOrderAreExact() {
    // The first term that is left is that of the fifth derivative.
    for (double h : new double[] {1, 0.1, 1e-3}) {
      double found = Differences.derivative(t -> t * (1 + t * (2 + t * (3 + 4 * t))), h);
      assertThat(found).isCloseTo(1, within(1e-12));
      double[] both =
          Differences.tangent(t -> new double[] {t * t * t + 5, 7 * t - t * t * t * t}, h);
      assertThat(both[0]).isCloseTo(0, within(1e-11));
      assertThat(both[1]).isCloseTo(7, within(1e-11));
    }
  }

  /** f has slope 1 between two kinks, 3 beyond them. */
  private static double kinked(double t, double at) {
    return t + 2 * Math.max(0, t - at) - 2 * Math.max(0, -t - at);
  }

  private static double error(Differences differences, double slope, double at) {
    return differences.error(
        h -> Math.abs(Differences.derivative(t -> kinked(t, at), h) - slope) / Math.abs(slope));
  }

  @Test
  void stepsThatPassAKinkAreGivenUpForSmallerOnesAndCounted() {
    Differences differences = new Differences(TOLERANCE);
    assertThat(error(differences, 1, 1)).isLessThan(TOLERANCE);
    assertThat(differences.note()).isEmpty();
    assertThat(error(differences, 1, 1e-5)).isLessThan(TOLERANCE);
    assertThat(error(differences, 1, 1e-7)).isLessThan(TOLERANCE);
    assertThat(differences.note()).contains("2 of 3 at other steps");
  }

  @Test
  void aWrongDerivativeIsWrongWithOrWithoutKinks() {
    Differences differences = new Differences(TOLERANCE);
    for (double at : new double[] {1, 1e-5, 1e-7}) {
      assertThat(error(differences, 1.0001, at)).isGreaterThan(TOLERANCE);
    }
  }

  @Test
  void whatIsNotANumberIsWrong() {
    assertThat(new Differences(TOLERANCE).error(h -> Double.NaN)).isInfinite();
  }
}
