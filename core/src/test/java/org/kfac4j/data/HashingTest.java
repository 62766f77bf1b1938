package org.kfac4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Bounds are six standard deviations of what is counted. */
class HashingTest {
  private static final int DRAWS = 200_000;

  @Test
  void uniformNumbersFillTheirIntervalEvenly() {
    int[] bins = new int[64];
    double sum = 0;
    for (int i = 0; i < DRAWS; i++) {
      double u = Hashing.uniform(5, i);
      assertThat(u).isBetween(0.0, Math.nextDown(1.0));
      bins[(int) (u * bins.length)]++;
      sum += u;
    }
    double expected = (double) DRAWS / bins.length;
    for (int each : bins) {
      assertThat((double) each).isCloseTo(expected, within(6 * Math.sqrt(expected)));
    }
    assertThat(sum / DRAWS).isCloseTo(0.5, within(6 * Math.sqrt(1.0 / 12 / DRAWS)));
  }

  @Test
  void normalNumbersHaveTheMomentsOfANormalDistribution() {
    double[] moments = new double[5];
    for (int i = 0; i < DRAWS; i++) {
      double x = Hashing.normal(6, i);
      double power = 1;
      for (int m = 0; m < moments.length; m++) {
        moments[m] += power / DRAWS;
        power *= x;
      }
    }
    // Variances of x, x², x³, x⁴ are 1, 2, 15, 96.
    assertThat(moments[1]).isCloseTo(0, within(6 * Math.sqrt(1.0 / DRAWS)));
    assertThat(moments[2]).isCloseTo(1, within(6 * Math.sqrt(2.0 / DRAWS)));
    assertThat(moments[3]).isCloseTo(0, within(6 * Math.sqrt(15.0 / DRAWS)));
    assertThat(moments[4]).isCloseTo(3, within(6 * Math.sqrt(96.0 / DRAWS)));
  }

  @Test
  void neighbouringIndicesAndKeysAreNotCorrelated() {
    double byIndex = 0;
    double byKey = 0;
    for (int i = 0; i < DRAWS; i++) {
      byIndex += Hashing.normal(7, i) * Hashing.normal(7, i + 1);
      byKey += Hashing.normal(Hashing.key(8, i), 0) * Hashing.normal(Hashing.key(8, i + 1), 0);
    }
    assertThat(byIndex / DRAWS).isCloseTo(0, within(6 / Math.sqrt(DRAWS)));
    assertThat(byKey / DRAWS).isCloseTo(0, within(6 / Math.sqrt(DRAWS)));
  }

  @Test
  void keysDependOnTheirPartsAndTheirOrder() {
    Set<Long> keys = new HashSet<>();
    for (long i = 0; i < 100; i++) {
      for (long j = 0; j < 100; j++) {
        keys.add(Hashing.key(i, j));
      }
      keys.add(Hashing.key(i));
    }
    assertThat(keys).hasSize(100 * 100 + 100);
  }
}
