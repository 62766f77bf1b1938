package org.kfac4j.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.kfac4j.study.StudySamples.ACCURACY;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class StudyBootstrapTest {
  private static final List<Integer> BATCHES = StudySamples.batches(9);
  private static final double CRITICAL = 2 * 64 + 1000;

  /** k_min + c/B with c/k_min = 1000 and a relative error of up to ± 10 %, another one per cell. */
  private static final StudySamples.Law NOISY =
      (batch, seed) -> {
        double noise = new SplittableRandom(1000 * seed + batch).nextDouble(-0.1, 0.1);
        return OptionalLong.of(Math.round((1e5 + 1e8 / batch) * (1 + noise)));
      };

  private static StudyCurve curve(long seeds, StudySamples.Law law) {
    return StudySamples.study(BATCHES, seeds, Map.of("sgd", law))
        .curve("sgd", Budget.NORMAL, ACCURACY);
  }

  @Test
  void intervalsContainTheKnownValueAndAreTheSameEachTime() {
    Interval interval = curve(8, NOISY).criticalInterval().orElseThrow();
    assertThat(interval.contains(CRITICAL)).isTrue();
    assertThat(interval.open()).isFalse();
    assertThat(interval.high() / interval.low()).isBetween(1.02, 1.5);
    assertThat(curve(8, NOISY).criticalInterval()).hasValue(interval);
  }

  @Test
  void speedupsHaveIntervalsToo() {
    StudyCurve curve = curve(8, NOISY);
    StudyCell cell = curve.cells().get(4);
    double known = (1e5 + 1e8 / 64) / (1e5 + 1e8 / cell.batch());
    Interval interval = curve.speedupInterval(cell).orElseThrow();
    assertThat(interval.contains(known)).isTrue();
    assertThat(interval.low()).isLessThan(interval.high());
    assertThat(curve.speedupInterval(curve.base())).hasValue(new Interval(1, 1, false));
  }

  @Test
  void oneSeedHasNoInterval() {
    StudyCurve curve = curve(1, NOISY);
    assertThat(curve.critical()).isPresent();
    assertThat(curve.criticalInterval()).isEmpty();
    assertThat(curve.speedupInterval(curve.cells().get(1))).isEmpty();
  }

  @Test
  void aCensoredSeedOfTheSmallestBatchLeavesNoInterval() {
    StudySamples.Law law =
        (batch, seed) -> batch == 64 && seed == 3 ? OptionalLong.empty() : NOISY.steps(batch, seed);
    assertThat(curve(4, law).critical()).isPresent();
    assertThat(curve(4, law).criticalInterval()).isEmpty();
  }

  @Test
  void aCensoredSeedElsewhereIsNoNumberInTheInterval() {
    StudySamples.Law law =
        (batch, seed) ->
            batch >= 512 && seed != 1 ? OptionalLong.empty() : NOISY.steps(batch, seed);
    StudyCurve curve = curve(3, law);
    assertThat(curve.critical().orElseThrow().batch()).isGreaterThanOrEqualTo(512);
    Interval interval = curve.criticalInterval().orElseThrow();
    assertThat(interval.low()).isEqualTo(256);
    assertThat(interval.high()).isFinite();
    assertThat(curve.speedupInterval(curve.cells().get(3))).isEmpty();
  }

  @Test
  void anEfficientLargestBatchLeavesTheIntervalOpen() {
    StudyCurve curve = curve(3, (batch, seed) -> OptionalLong.of((1L << 30) / batch + seed));
    Optional<Interval> interval = curve.criticalInterval();
    assertThat(interval).hasValue(new Interval(16_384, 16_384, true));
    assertThat(interval.orElseThrow().overlaps(new Interval(50_000, 60_000, false))).isTrue();
    assertThat(interval.orElseThrow().overlaps(new Interval(5_000, 6_000, false))).isFalse();
  }
}
