package org.kfac4j.linalg;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.kfac4j.Dense;

class PackedTest {
  @ParameterizedTest
  @EnumSource(Precision.class)
  void packingAndUnpackingGiveTheLowerTriangleBack(Precision precision) {
    for (int n = 1; n <= 9; n++) {
      try (Matrix matrix = Matrix.zeros(precision, n, n);
          Matrix back = Matrix.zeros(precision, n, n)) {
        matrix.put(0, Dense.flat(Dense.positiveDefinite(n, n)), 0, n * n);
        double[] packed = Packed.doubles(matrix);
        float[] floats = Packed.floats(List.of(matrix));
        assertThat(packed).hasSize(Packed.length(n));
        Packed.unpack(packed, back);
        double[] expected = matrix.toArray();
        double[] actual = back.toArray();
        for (int row = 0; row < n; row++) {
          for (int column = 0; column < n; column++) {
            double entry = expected[row * n + column];
            // What is above the diagonal is left alone.
            assertThat(actual[row * n + column]).isEqualTo(column <= row ? entry : 0);
            if (column <= row) {
              assertThat(packed[row * (row + 1) / 2 + column]).isEqualTo(entry);
              assertThat(floats[row * (row + 1) / 2 + column]).isEqualTo((float) entry);
            }
          }
        }
      }
    }
  }

  @Test
  void trianglesOfViewsSkipTheGapsBetweenRows() {
    try (Matrix matrix = Matrix.zeros(Precision.DOUBLE, 3, 5)) {
      double[] all = Dense.normal(1, 15);
      matrix.put(0, all, 0, 15);
      assertThat(Packed.doubles(matrix.left(3)))
          .containsExactly(all[0], all[5], all[6], all[10], all[11], all[12]);
    }
  }

  @Test
  void traceAndShiftTouchTheDiagonal() {
    double[][] symmetric = Dense.positiveDefinite(1, 4);
    double[] packed = Dense.packed(symmetric);
    assertThat(Packed.trace(packed, 4)).isEqualTo(Dense.trace(symmetric));
    Packed.addToDiagonal(packed, 4, 0.5);
    assertThat(packed).isEqualTo(Dense.packed(Dense.shifted(symmetric, 0.5)));
  }

  @Test
  void aTriangleOfAnotherSizeIsRefused() {
    try (Matrix matrix = Matrix.zeros(Precision.DOUBLE, 3, 3)) {
      assertThatThrownBy(() -> Packed.unpack(new double[5], matrix)).hasMessageContaining("5");
    }
    assertThat(Packed.length(785)).isEqualTo(308_505);
  }
}
