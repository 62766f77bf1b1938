package org.kfac4j.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.kfac4j.study.StudySamples.ACCURACY;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.SortedMap;
import org.junit.jupiter.api.Test;
import org.kfac4j.Tolerance;

/** Specification §8.3: run sets whose law is known. */
class StudyLawsTest {
  private static final List<Integer> BATCHES = StudySamples.batches(9);

  @Test
  void stepsInverseToTheBatchAreEfficientUpToTheLargest() {
    StudyCurve curve = StudySamples.curve(BATCHES, StudySamples.twoTerms(0, 1L << 30));
    for (StudyCell cell : curve.cells()) {
      assertThat(curve.speedup(cell)).hasValue(cell.batch() / 64.0);
      assertThat(curve.efficiency(cell)).hasValue(1);
    }
    CriticalBatch critical = curve.critical().orElseThrow();
    assertThat(critical).isEqualTo(new CriticalBatch(16_384, 16_384, 16_384, true, false, false));
    assertThat(critical.isLowerBound()).isTrue();
  }

  @Test
  void constantStepsHaveNoSpeedup() {
    StudyCurve curve = StudySamples.curve(BATCHES, StudySamples.twoTerms(500, 0));
    for (StudyCell cell : curve.cells()) {
      assertThat(curve.speedup(cell)).hasValue(1);
      assertThat(curve.efficiency(cell)).hasValue(64.0 / cell.batch());
    }
    // efficiency is exactly 1/2 with the second batch
    CriticalBatch critical = curve.critical().orElseThrow();
    assertThat(critical.batch()).isEqualTo(128);
    assertThat(critical.interpolated()).isCloseTo(128, within(1e-9));
    assertThat(critical.isLowerBound()).isFalse();
  }

  /** Efficiency at B = c/k_min is ½ (1 + B₀/B): ½ as B₀ → 0. */
  @Test
  void efficiencyIsOneHalfWhereBothTermsAreEqual() {
    int balanced = 1 << 20;
    double previous = 1;
    for (int smallest : new int[] {1 << 16, 1 << 12, 1 << 8, 1}) {
      StudyCurve curve =
          StudySamples.curve(
              List.of(smallest, balanced, 4 * balanced),
              StudySamples.twoTerms(1 << 12, (1L << 12) * balanced));
      double efficiency = curve.efficiency(curve.cells().get(1)).orElseThrow();
      assertThat(efficiency)
          .isCloseTo(0.5 * (1 + (double) smallest / balanced), within(Tolerance.F64))
          .isLessThan(previous);
      previous = efficiency;
    }
    assertThat(previous).isCloseTo(0.5, within(1e-6));
  }

  @Test
  void interpolatesTheCriticalBatchBetweenMeasuredOnes() {
    // E(B) = (B₀ + c/k_min) / (B + c/k_min) = ½ at B = 2 B₀ + c/k_min
    StudyCurve curve =
        StudySamples.curve(BATCHES, StudySamples.twoTerms(1_000_000, 1_000_000L * 3000));
    CriticalBatch critical = curve.critical().orElseThrow();
    assertThat(critical.batch()).isEqualTo(2048);
    assertThat(critical.interpolated()).isCloseTo(3128, within(0.005 * 3128));
    TwoTermFit fit = curve.fit().orElseThrow();
    assertThat(fit.balancedBatch()).isCloseTo(3000, within(1.0));
    assertThat(fit.fewest()).isCloseTo(1e6, within(1e3));
    assertThat(fit.error()).isLessThan(1e-5);
    assertThat(fit.steps(3000)).isCloseTo(2e6, within(2e3));
  }

  @Test
  void fitsKeepBothTermsPositiveAndNeedThreeCells() {
    // steps that grow with the batch: c would be negative
    StudyCurve growing = StudySamples.curve(BATCHES, (batch, seed) -> OptionalLong.of(100 + batch));
    assertThat(growing.fit().orElseThrow().examples()).isZero();
    // steps that fall faster than 1/B: k_min would be negative
    StudyCurve steep =
        StudySamples.curve(
            BATCHES, (batch, seed) -> OptionalLong.of((1L << 40) / ((long) batch * batch)));
    assertThat(steep.fit().orElseThrow().fewest()).isZero();
    assertThat(steep.fit().orElseThrow().balancedBatch()).isInfinite();
    assertThat(StudySamples.curve(BATCHES.subList(0, 2), StudySamples.twoTerms(1, 1000)).fit())
        .isEmpty();
  }

  /**
   * A noisy quadratic ½ Σ h_i x_i² with gradient noise h_i/B (arXiv:1907.04164, §3). The measured k
   * iterates E x² ← (1 − αh)² E x² + α² h/B; in closed form E x_t² = m∞ + (m₀ − m∞) (1 − αh)^2t
   * with m∞ = α / (B (2 − αh)).
   */
  @Test
  void noisyQuadraticReachesItsTargetWhereTheClosedFormDoes() {
    double[] rates = {0.02, 0.1, 0.5, 1.5};
    double target = 0.05;
    long budget = 5000;
    SortedMap<String, List<String>> grid =
        StudySamples.grid("learning-rate", "0.02", "0.1", "0.5", "1.5");
    List<StudyRun> runs = new ArrayList<>();
    List<Integer> batches = StudySamples.batches(7).stream().map(batch -> batch / 16).toList();
    for (int batch : batches) {
      for (double rate : rates) {
        runs.add(
            StudySamples.run(
                "sgd",
                batch,
                StudySamples.TUNING_SEED,
                StudySamples.point("learning-rate", String.valueOf(rate)),
                budget,
                iterated(rate, batch, target, budget)));
      }
    }
    StudyCurve curve =
        StudySamples.study(Map.of("sgd", grid), batches, runs)
            .curve("sgd", Budget.NORMAL, ACCURACY);
    int censored = 0;
    for (StudyCell cell : curve.cells()) {
      long fewest = Long.MAX_VALUE;
      for (double rate : rates) {
        OptionalLong steps = closedForm(rate, cell.batch(), target, budget);
        censored += steps.isEmpty() ? 1 : 0;
        fewest = Math.min(fewest, steps.orElse(Long.MAX_VALUE));
      }
      assertThat(cell.steps()).hasValue(fewest);
    }
    // the noise of large steps keeps small batches from the target; large batches reach it
    assertThat(censored).isBetween(1, 4 * batches.size() - 1);
    assertThat(curve.base().robustness().reached()).isLessThan(4);
    assertThat(curve.cells().get(6).robustness().reached()).isEqualTo(4);
  }

  private static final double[] CURVATURES = {1, 0.3, 0.05};

  private static OptionalLong iterated(double rate, int batch, double target, long budget) {
    double[] square = {1, 1, 1};
    for (long step = 1; step <= budget; step++) {
      double loss = 0;
      for (int i = 0; i < square.length; i++) {
        double h = CURVATURES[i];
        square[i] = (1 - rate * h) * (1 - rate * h) * square[i] + rate * rate * h / batch;
        loss += 0.5 * h * square[i];
      }
      if (loss <= target) {
        return OptionalLong.of(step);
      }
    }
    return OptionalLong.empty();
  }

  private static OptionalLong closedForm(double rate, int batch, double target, long budget) {
    for (long step = 1; step <= budget; step++) {
      double loss = 0;
      for (double h : CURVATURES) {
        double floor = rate / (batch * (2 - rate * h));
        loss += 0.5 * h * (floor + (1 - floor) * Math.pow(1 - rate * h, 2.0 * step));
      }
      if (loss <= target) {
        return OptionalLong.of(step);
      }
    }
    return OptionalLong.empty();
  }

  @Test
  void aggregateCostIsExactToTheSample() {
    long steps = 1_234_567_891L;
    StudyCurve curve =
        StudySamples.curve(List.of(1 << 20), (batch, seed) -> OptionalLong.of(steps));
    StudyCell cell = curve.base();
    assertThat(cell.examplesSeen()).hasValue(steps * (1L << 20));
    assertThat(cell.epochs())
        .isEqualTo(OptionalDouble.of((double) (steps * (1L << 20)) / StudySamples.EXAMPLES));
  }

  @Test
  void costOfBothMetricsIsThatOfTheirOwnSteps() {
    Map<Target, Reached> reached = new LinkedHashMap<>();
    reached.put(ACCURACY, new Reached(300, 3));
    reached.put(StudySamples.LOSS, new Reached(750, 7.5));
    StudyRun run =
        new StudyRun(
            "sgd",
            Budget.NORMAL,
            128,
            1,
            StudySamples.point(),
            1000,
            750,
            7.5,
            "targets met",
            reached,
            Map.of(),
            Map.of(),
            0.01);
    StudyResults study =
        new StudyResults(
            "two",
            60_000,
            List.of(128),
            List.of(ACCURACY, StudySamples.LOSS),
            List.of(Budget.NORMAL),
            Map.of("sgd", StudySamples.ONE_POINT),
            1,
            0.5,
            List.of(run));
    assertThat(study.curve("sgd", Budget.NORMAL, ACCURACY).base().epochs()).hasValue(0.64);
    assertThat(study.curve("sgd", Budget.NORMAL, StudySamples.LOSS).base().epochs()).hasValue(1.6);
    assertThat(study.curve("sgd", Budget.NORMAL, StudySamples.LOSS).base().seconds()).hasValue(7.5);
  }
}
