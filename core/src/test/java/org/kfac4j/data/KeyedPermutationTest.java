package org.kfac4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.BitSet;
import org.junit.jupiter.api.Test;

class KeyedPermutationTest {
  @Test
  void everySizeUpTo300AndALargeOneAreMappedOntoThemselvesOneToOne() {
    for (int size = 1; size <= 300; size++) {
      assertBijection(size, 7L * size);
    }
    assertBijection(60_000, 3);
    assertBijection(65_536, 4);
    assertBijection(65_537, 5);
  }

  private static void assertBijection(int size, long key) {
    KeyedPermutation permutation = new KeyedPermutation(size, key);
    BitSet hit = new BitSet(size);
    for (int i = 0; i < size; i++) {
      long to = permutation.apply(i);
      assertThat(to).as("size %d, element %d", size, i).isBetween(0L, size - 1L);
      hit.set((int) to);
    }
    assertThat(hit.cardinality()).as("size %d", size).isEqualTo(size);
  }

  @Test
  void anElementGoesEverywhereEquallyOftenOverManyKeys() {
    int size = 10;
    int keys = 20_000;
    for (int element = 0; element < size; element++) {
      int[] hits = new int[size];
      for (int key = 0; key < keys; key++) {
        hits[(int) new KeyedPermutation(size, Hashing.key(1, key)).apply(element)]++;
      }
      assertThat(chiSquare(hits, keys)).as("element %d", element).isLessThan(MOST_OF_9);
    }
  }

  @Test
  void neighboursDoNotStayTogether() {
    int size = 1000;
    int neighbours = 0;
    int keys = 50;
    for (int key = 0; key < keys; key++) {
      KeyedPermutation permutation = new KeyedPermutation(size, Hashing.key(2, key));
      for (int i = 1; i < size; i++) {
        neighbours += Math.abs(permutation.apply(i) - permutation.apply(i - 1)) == 1 ? 1 : 0;
      }
    }
    // About 2 neighbours by chance per key: Poisson with mean 100, so 6 standard deviations are 60.
    assertThat(neighbours).isBetween(40, 160);
  }

  @Test
  void sizesThatAreNoSizesAreRefused() {
    assertThatThrownBy(() -> new KeyedPermutation(0, 1)).hasMessageContaining("1 to 2^60");
    assertThatThrownBy(() -> new KeyedPermutation((1L << 60) + 1, 1))
        .isInstanceOf(IllegalArgumentException.class);
  }

  /** A χ² variable with 9 degrees of freedom is larger once in 10⁷ times. */
  private static final double MOST_OF_9 = 50;

  private static double chiSquare(int[] hits, int total) {
    double expected = (double) total / hits.length;
    double sum = 0;
    for (int each : hits) {
      sum += (each - expected) * (each - expected) / expected;
    }
    return sum;
  }
}
