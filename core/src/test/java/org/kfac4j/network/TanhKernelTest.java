package org.kfac4j.network;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TanhKernelTest {
  private static final int N = 200_001;

  /** From −20 to 20, denser around 0. */
  private static float[] grid() {
    float[] x = new float[N];
    for (int i = 0; i < N; i++) {
      double t = 2.0 * i / (N - 1) - 1;
      x[i] = (float) (20 * t * t * t);
    }
    return x;
  }

  @Test
  void tanhIsThatOfTheMathLibraryWithinAFewUnitsInTheLastPlace() {
    float[] x = grid();
    float[] y = x.clone();
    TanhKernel.tanh(y, N);
    for (int i = 0; i < N; i++) {
      double expected = Math.tanh(x[i]);
      assertThat(Math.abs(y[i] - expected))
          .as("tanh(%s)", x[i])
          .isLessThanOrEqualTo(4e-7 * Math.abs(expected));
      assertThat(Math.abs(y[i])).isLessThanOrEqualTo(1);
    }
    assertThat(y[0]).isEqualTo(-1);
    assertThat(y[N / 2]).isZero();
    assertThat(y[N - 1]).isEqualTo(1);
  }

  @Test
  void sigmoidStaysBetweenZeroAndOne() {
    float[] x = grid();
    float[] y = x.clone();
    TanhKernel.sigmoid(y, N);
    for (int i = 0; i < N; i++) {
      assertThat(Math.abs(y[i] - 1 / (1 + Math.exp(-x[i])))).isLessThanOrEqualTo(2.5e-7);
      assertThat(y[i]).isBetween(0f, 1f);
    }
  }

  @Test
  void onlyTheFirstNumbersAreTouchedAndWhatIsNotANumberStaysSo() {
    float[] x = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, 5};
    TanhKernel.tanh(x, 3);
    assertThat(x).containsExactly(Float.NaN, 1, -1, 5);
  }
}
