package org.kfac4j.optimizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.kfac4j.Dense;

/** The line search on functions that send it every way, against the strong Wolfe conditions. */
class WolfeSearchTest {
  private static final double C1 = 1e-4;
  private static final double C2 = 0.9;

  /** Of length 5, so that slopes are no numbers of the gradient. */
  private static final double[] DIRECTION = {3, -4};

  /** φ and φ'; where φ is not finite the objective has diverged. */
  private record Curve(String name, DoubleUnaryOperator h, DoubleUnaryOperator slope) {
    WolfeSearch.Value at(double t) {
      double value = h.applyAsDouble(t);
      if (!Double.isFinite(value)) {
        throw new DivergedException("too far: " + t);
      }
      double[] gradient = Dense.scaled(slope.applyAsDouble(t) / 25, DIRECTION);
      // What is searched is the objective with l2: the loss alone may be anything.
      return new WolfeSearch.Value(new MeanGradient(-t, value, gradient, List.of()));
    }

    @Override
    public String toString() {
      return name;
    }
  }

  /**
   * @param steps tried, in order
   */
  private record Searched(Curve curve, List<Double> steps, WolfeSearch.Point found) {
    double step() {
      return found.step();
    }

    void assertWolfe() {
      assertThat(step()).isPositive();
      assertThat(steps).last().isEqualTo(step());
      double before = curve.h.applyAsDouble(0);
      double slope = curve.slope.applyAsDouble(0);
      assertThat(slope).isNegative();
      assertThat(curve.h.applyAsDouble(step())).isLessThanOrEqualTo(before + C1 * step() * slope);
      assertThat(Math.abs(curve.slope.applyAsDouble(step())))
          .isLessThanOrEqualTo(-C2 * slope * (1 + 1e-15)); // the product with the direction rounds
    }

    /** The lowest of all points tried and the start, which no Wolfe point was among. */
    void assertLowest() {
      double lowest = curve.h.applyAsDouble(0);
      double at = 0;
      for (double step : steps) {
        double h = curve.h.applyAsDouble(step);
        if (h < lowest) {
          lowest = h;
          at = step;
        }
      }
      assertThat(step()).isEqualTo(at);
      assertThat(found.h()).isEqualTo(lowest);
    }
  }

  private static Searched search(Curve curve, double first, int most) {
    List<Double> steps = new ArrayList<>();
    WolfeSearch search =
        new WolfeSearch(
            t -> {
              steps.add(t);
              return curve.at(t);
            },
            DIRECTION,
            most);
    WolfeSearch.Point found = search.from(curve.at(0), first);
    assertThat(steps).hasSizeLessThanOrEqualTo(most);
    assertThat(found.h()).isEqualTo(curve.h.applyAsDouble(found.step()));
    assertThat(found.value().h()).isEqualTo(found.h());
    assertThat(found.value().gradient()).isEqualTo(curve.at(found.step()).gradient());
    return new Searched(curve, steps, found);
  }

  private static Curve parabola(double minimum) {
    return new Curve("parabola", t -> (t - minimum) * (t - minimum), t -> 2 * (t - minimum));
  }

  @Test
  void aFirstStepThatWillDoIsTaken() {
    Searched searched = search(parabola(1), 1.5, 20);
    searched.assertWolfe();
    assertThat(searched.steps).containsExactly(1.5);
  }

  @Test
  void aStepThatIsTooShortIsDoubled() {
    // |φ'(t)| / |φ'(0)| = 1 − t / 100.
    Searched searched = search(parabola(100), 1, 20);
    searched.assertWolfe();
    assertThat(searched.steps).containsExactly(1.0, 2.0, 4.0, 8.0, 16.0);
  }

  @Test
  void interpolationFindsTheMinimumOfACubic() {
    // 4t³ − 3t is lowest at ½, and as high as 1 at 1.
    Searched searched =
        search(new Curve("cubic", t -> 4 * t * t * t - 3 * t, WolfeSearchTest::cubic), 1, 20);
    searched.assertWolfe();
    assertThat(searched.steps).hasSize(2);
    assertThat(searched.step()).isCloseTo(0.5, within(1e-14));
  }

  private static double cubic(double t) {
    return 12 * t * t - 3;
  }

  /** −t + c tᵖ. */
  private static Curve power(double c, int p) {
    return new Curve("power", t -> -t + c * Math.pow(t, p), t -> -1 + c * p * Math.pow(t, p - 1));
  }

  @Test
  void aMinimumThatAStepHasPassedIsBracketed() {
    // Low enough at 1, but uphill, and too steep: φ'(1) = 2.2.
    Searched uphill = search(power(0.4, 8), 1, 30);
    uphill.assertWolfe();
    assertThat(uphill.steps.get(0)).isEqualTo(1);
    assertThat(uphill.step()).isBetween(0.1, 1.0);
    // Still too steep at 1, and at 2 higher than at 1, though lower than at 0.
    Searched higher = search(power(1.5 / 256, 8), 1, 30);
    higher.assertWolfe();
    assertThat(higher.steps.subList(0, 2)).containsExactly(1.0, 2.0);
    assertThat(higher.step()).isBetween(1.0, 2.0);
  }

  @Test
  void aStepThatIsFarTooLongIsShortened() {
    Searched searched = search(parabola(1e-3), 1e3, 60);
    searched.assertWolfe();
    assertThat(searched.step()).isBetween(0.0, 2e-3);
  }

  /** Moré and Thuente 1994, ACM TOMS 20(3), section 5. */
  static Stream<Curve> moreAndThuente() {
    return Stream.of(
        new Curve(
            "1, rational", t -> -t / (t * t + 2), t -> (t * t - 2) / ((t * t + 2) * (t * t + 2))),
        // With β = 0.1 in the place of 0.004: there, slopes below c₂ |φ'(0)| = 5e-7 lie within
        // rounding of the minimum.
        new Curve(
            "2, quintic",
            t -> Math.pow(t + 0.1, 5) - 2 * Math.pow(t + 0.1, 4),
            t -> 5 * Math.pow(t + 0.1, 4) - 8 * Math.pow(t + 0.1, 3)),
        new Curve("3, waves", WolfeSearchTest::waves, WolfeSearchTest::slopeOfWaves),
        yanai("4", 1e-3, 1e-3),
        yanai("5", 1e-2, 1e-3),
        yanai("6", 1e-3, 1e-2));
  }

  private static double waves(double t) {
    double corner = t <= 0.99 ? 1 - t : t >= 1.01 ? t - 1 : (t - 1) * (t - 1) / 0.02 + 0.005;
    return corner + 2 * 0.99 / (39 * Math.PI) * Math.sin(39 * Math.PI / 2 * t);
  }

  private static double slopeOfWaves(double t) {
    double corner = t <= 0.99 ? -1 : t >= 1.01 ? 1 : (t - 1) / 0.01;
    return corner + 0.99 * Math.cos(39 * Math.PI / 2 * t);
  }

  private static Curve yanai(String name, double b1, double b2) {
    double c1 = Math.sqrt(1 + b1 * b1) - b1;
    double c2 = Math.sqrt(1 + b2 * b2) - b2;
    return new Curve(
        name + ", Yanai",
        t -> c1 * Math.hypot(1 - t, b2) + c2 * Math.hypot(t, b1),
        t -> -c1 * (1 - t) / Math.hypot(1 - t, b2) + c2 * t / Math.hypot(t, b1));
  }

  @ParameterizedTest
  @MethodSource("moreAndThuente")
  void stepsOfAllSizesEndWhereTheWolfeConditionsHold(Curve curve) {
    for (double first : new double[] {1e-3, 1e-1, 10, 1e3}) {
      search(curve, first, 100).assertWolfe();
    }
  }

  /** −t − 0.01 log(1 − t): too steep up to 0.9, and infinite from 1 on. */
  private static final Curve BARRIER =
      new Curve(
          "barrier",
          t -> t < 1 ? -t - 0.01 * Math.log(1 - t) : Double.NaN,
          t -> 0.01 / (1 - t) - 1);

  @ParameterizedTest
  @ValueSource(doubles = {0.25, 0.7, 1, 40, 1e5})
  void whereNothingIsFiniteIsAnEndOfTheBracket(double first) {
    Searched searched = search(BARRIER, first, 60);
    searched.assertWolfe();
    assertThat(searched.step()).isBetween(0.9, 1.0);
    assertThat(searched.steps).anyMatch(step -> step >= 1);
  }

  /** −t up to 1, and infinite from there on: nowhere flat. */
  private static final Curve CLIFF = new Curve("cliff", t -> t < 1 ? -t : Double.NaN, t -> -1);

  @ParameterizedTest
  @ValueSource(ints = {2, 7, 200})
  void withoutAWolfePointTheLowestIsFound(int most) {
    Searched searched = search(CLIFF, 0.3, most);
    searched.assertLowest();
    assertThat(searched.step()).isBetween(0.3, 1.0);
  }

  @Test
  void whereNothingIsFiniteButTheStartItStays() {
    Curve spike = new Curve("spike", t -> t == 0 ? 0 : Double.NaN, t -> -1);
    Searched searched = search(spike, 1, 200);
    searched.assertLowest();
    assertThat(searched.step()).isZero();
    assertThatThrownBy(
            () -> new WolfeSearch.Point(2, Double.POSITIVE_INFINITY, Double.NaN, null).value())
        .hasMessageContaining("step 2.0");
  }

  /** Without bound below there is no flat point: the farthest one, of a length that ends. */
  @ParameterizedTest
  @ValueSource(ints = {3, 20, 1000})
  void withoutABoundTheFarthestIsFound(int most) {
    Searched searched = search(new Curve("line", t -> -t, t -> -1), 1, most);
    searched.assertLowest();
    assertThat(searched.steps).hasSize(Math.min(most, 20));
    assertThat(searched.step()).isEqualTo(Math.pow(2, Math.min(most, 20) - 1)).isLessThan(1e6);
  }

  @Test
  void uphillItStaysUnlessThereIsSomethingLower() {
    for (Curve up :
        List.of(
            new Curve("line", t -> t, t -> 1),
            new Curve("parabola", t -> t + t * t, t -> 1 + 2 * t))) {
      Searched searched = search(up, 1, 200);
      searched.assertLowest();
      assertThat(searched.step()).isZero();
    }
    // Up at first, and lower than the start from 1 on.
    Searched over = search(new Curve("hill", t -> t - t * t, t -> 1 - 2 * t), 1.5, 4);
    over.assertLowest();
    assertThat(over.step()).isEqualTo(12);
  }
}
