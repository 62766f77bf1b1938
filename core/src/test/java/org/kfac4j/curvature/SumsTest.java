package org.kfac4j.curvature;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.kfac4j.Dense;
import org.kfac4j.Problem;
import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Precision;

class SumsTest {
  private static final int LENGTH = 1000;

  private static float[] vector(long key, int length) {
    return Problem.floats(Dense.normal(key, length));
  }

  /** Sums of one task: some that all tasks have, one that only every other has. */
  private static Sums task(int i) {
    Sums sums = new Sums();
    sums.put("count", 100.0 + i);
    sums.put("loss", Math.exp(3 * Dense.normal(i, 1)[0]));
    sums.put(Sums.MAXIMUM + "seconds", 1.0 / (1 + i));
    sums.put("gradient", vector(100 + i, LENGTH));
    if (i % 2 == 0) {
      sums.put("even", vector(200 + i, 3));
    }
    return sums;
  }

  private static Map<String, Double> scalars(Sums sums) {
    Map<String, Double> scalars = new TreeMap<>();
    sums.forEachScalar(scalars::put);
    return scalars;
  }

  private static void assertSame(Sums actual, Sums expected) {
    assertThat(scalars(actual)).isEqualTo(scalars(expected));
    assertThat(actual.mean("gradient", 1)).isEqualTo(expected.mean("gradient", 1));
    assertThat(actual.mean("even", 1)).isEqualTo(expected.mean("even", 1));
  }

  @Test
  void mergingAddsAndKeepsTheLargestMeasurement() {
    Sums total = new Sums().merge(task(0)).merge(task(1)).merge(task(2));
    assertThat(total.scalar("count")).isEqualTo(303);
    assertThat(total.scalar(Sums.MAXIMUM + "seconds")).isEqualTo(1);
    double[] expected = new double[LENGTH];
    for (int task = 0; task < 3; task++) {
      float[] each = vector(100 + task, LENGTH);
      for (int i = 0; i < LENGTH; i++) {
        expected[i] += each[i];
      }
    }
    assertThat(total.mean("gradient", 1)).isEqualTo(expected);
    assertThat(total.mean("gradient", 4)).isEqualTo(Dense.scaled(0.25, expected));
    assertThat(total.mean("even", 1)[0]).isEqualTo((double) vector(200, 3)[0] + vector(202, 3)[0]);
  }

  @Test
  void noSumsAreNeutralOnEitherSide() {
    assertSame(new Sums().merge(task(2)), task(2));
    assertSame(task(2).merge(new Sums()), task(2));
    assertSame(new Sums().merge(new Sums()).merge(task(2)).merge(new Sums()), task(2));
    assertThat(scalars(new Sums().merge(new Sums()))).isEmpty();
  }

  @Test
  void theOrderOfMergingDoesNotShowInASingleBit() {
    List<Integer> tasks = new ArrayList<>();
    Sums expected = new Sums();
    for (int i = 0; i < 12; i++) {
      tasks.add(i);
      expected.merge(task(i));
    }
    Random random = new Random(5);
    for (int trial = 0; trial < 40; trial++) {
      Collections.shuffle(tasks, random);
      // Along a random tree.
      List<Sums> left = new ArrayList<>();
      tasks.forEach(i -> left.add(new Sums().merge(task(i))));
      while (left.size() > 1) {
        Sums other = left.remove(random.nextInt(left.size()));
        left.get(random.nextInt(left.size())).merge(other);
      }
      assertSame(left.get(0), expected);
    }
  }

  /** What makes the order free: scalars of 40 bits leave 13 for carries. */
  @Test
  void scalarsAreRoundedToFortyBits() {
    for (double value : Dense.normal(3, 100)) {
      double rounded = Sums.summable(value);
      assertThat(Math.abs(rounded - value)).isLessThanOrEqualTo(Math.abs(value) * 0x1p-40);
      assertThat(Double.doubleToLongBits(rounded) & 0x1FFF).isZero();
    }
    assertThat(Sums.summable(0)).isZero();
    assertThat(Sums.summable(123_456)).isEqualTo(123_456);
    assertThat(Sums.summable(Double.NaN)).isNaN();
    assertThat(Sums.summable(Double.NEGATIVE_INFINITY)).isEqualTo(Double.NEGATIVE_INFINITY);
    assertThat(Sums.summable(-Double.MIN_VALUE)).isCloseTo(0, within(Double.MIN_NORMAL));
    assertThat(Sums.summable(1e308)).isCloseTo(1e308, within(1e297));
  }

  @Test
  void mergingLeavesTheOtherAlone() {
    Sums other = new Sums().merge(task(0)).merge(task(2));
    Sums untouched = new Sums().merge(task(0)).merge(task(2));
    new Sums().merge(other).merge(task(4)).merge(task(6));
    assertSame(other, untouched);
    Sums first = task(0);
    new Sums().merge(first).merge(task(4));
    assertSame(first, task(0));
  }

  @Test
  void sumsComeBackFromTheirBytes() throws IOException, ClassNotFoundException {
    for (Sums sums : List.of(task(2), new Sums().merge(task(2)).merge(task(4)))) {
      assertSame(copy(sums), sums);
      assertSame(copy(sums).merge(task(0)), new Sums().merge(sums).merge(task(0)));
    }
    Sums large = new Sums(); // vectors of several chunks, and of none
    large.put("gradient", vector(2, 200_003));
    large.put("even", Dense.normal(1, 100_001));
    large.put("none", new double[0]);
    large.put("nothing", new float[0]);
    assertSame(copy(large), large);
    assertThat(copy(large).mean("none", 1)).isEmpty();
    assertThat(copy(large).mean("nothing", 1)).isEmpty();
    assertThat(scalars(copy(new Sums()))).isEmpty();
  }

  /** Rows of examples are kept apart, in the order of places, wherever they were. */
  @Test
  void rowsMergeByPlaceAndComeBackFromTheirBytes() throws IOException, ClassNotFoundException {
    Sums one = new Sums();
    one.putRows("rows", 7, new float[] {7, 0.5f});
    one.putRows("rows", 2, new float[] {2});
    Sums other = new Sums();
    other.putRows("rows", 5, Dense.normal(1, 100_001));
    for (Sums merged :
        List.of(
            new Sums().merge(one).merge(other),
            new Sums().merge(copy(other)).merge(copy(one)),
            copy(new Sums().merge(other).merge(new Sums()).merge(one)))) {
      assertThat(merged.rows("rows")).hasSize(3);
      assertThat(merged.rows("rows").get(0)).containsExactly(2);
      assertThat(merged.rows("rows").get(1)).isEqualTo(Dense.normal(1, 100_001));
      assertThat(merged.rows("rows").get(2)).containsExactly(7, 0.5);
    }
    assertThat(one.rows("rows")).hasSize(2);
    assertThat(one.rows("others")).isEmpty();
    assertThatThrownBy(() -> one.putRows("rows", 2, new float[1])).hasMessageContaining("already");
    assertThatThrownBy(() -> new Sums().merge(one).merge(one)).hasMessageContaining("already");
  }

  @Test
  void parametersComeBackFromTheirBytesInTheirPrecision()
      throws IOException, ClassNotFoundException {
    double[] theta = Dense.normal(1, 100_001);
    for (Precision precision : Precision.values()) {
      Parameters copy = copy(new Parameters(theta, precision));
      assertThat(copy.length()).isEqualTo(theta.length);
      try (Matrix matrix = Matrix.zeros(Precision.DOUBLE, 1, theta.length)) {
        copy.copyTo(matrix);
        double[] expected = theta.clone();
        for (int i = 0; i < expected.length && precision == Precision.FLOAT; i++) {
          expected[i] = (float) expected[i];
        }
        assertThat(matrix.toArray()).isEqualTo(expected);
      }
    }
  }

  @SuppressWarnings("unchecked")
  private static <T> T copy(T object) throws IOException, ClassNotFoundException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      out.writeObject(object);
    }
    try (ObjectInputStream in =
        new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
      return (T) in.readObject();
    }
  }

  @Test
  void sumsThatDoNotExistOrDoNotFitAreRefused() {
    assertThatThrownBy(() -> new Sums().mean("gradient", 1)).hasMessageContaining("gradient");
    assertThatThrownBy(() -> task(0).mean("gradient", 0)).hasMessageContaining("examples");
    assertThatThrownBy(() -> task(0).put("count", 1.0)).hasMessageContaining("already");
    Sums shorter = new Sums();
    shorter.put("gradient", new float[LENGTH - 1]);
    assertThatThrownBy(() -> task(0).merge(shorter)).hasMessageContaining("do not merge");
    assertThat(new Sums().scalar("nothing")).isZero();
    assertThat(task(0).hasVector("gradient")).isTrue();
    assertThat(task(1).hasVector("even")).isFalse();
  }
}
