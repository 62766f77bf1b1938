package org.kfac4j.linalg;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class AccumulatorTest {
  @Test
  void productsAddUpFromZeroWhateverTheBufferHeld() {
    try (Matrix a = Matrix.zeros(Precision.DOUBLE, 1, 2);
        Matrix buffer = Matrix.zeros(Precision.DOUBLE, 3, 5)) {
      a.put(0, new double[] {2, 3}, 0, 2);
      buffer.put(0, new double[] {9, Double.NaN, 7, 8, 5}, 0, 5);
      Accumulator sum = new Accumulator(buffer.view(0, 2, 2, 5));
      sum.addProduct(a, true, a, false);
      sum.addProduct(a, true, a, false);
      assertThat(sum.sum().toArray()).containsExactly(8, 12, 12, 18);
      sum.clear();
      sum.addGram(a, 1);
      assertThat(sum.sum().view(0, 1, 1, 5).toArray()).containsExactly(4);
      assertThat(sum.sum().view(5, 1, 2, 5).toArray()).containsExactly(6, 9);
      sum.clear();
      assertThat(sum.sum().toArray()).containsExactly(0, 0, 0, 0);
      // What lies between the rows is somebody else's.
      assertThat(buffer.view(2, 1, 3, 5).toArray()).containsExactly(7, 8, 5);
    }
  }
}
