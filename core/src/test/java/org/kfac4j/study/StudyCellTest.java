package org.kfac4j.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.kfac4j.study.StudySamples.ACCURACY;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.kfac4j.InvalidInputException;

/** Winners, seeds, censored cells and edges. */
class StudyCellTest {
  private static final String RATE = "learning-rate";
  private static final SortedMap<String, List<String>> GRID =
      StudySamples.grid(RATE, "0.1", "0.2", "0.4");

  private static StudyRun run(int batch, long seed, String rate, long steps) {
    return StudySamples.run(
        "sgd",
        batch,
        seed,
        StudySamples.point(RATE, rate),
        1000,
        steps > 0 ? OptionalLong.of(steps) : OptionalLong.empty());
  }

  private static StudyCell cell(StudyRun... runs) {
    return StudySamples.study(Map.of("sgd", GRID), List.of(64), List.of(runs))
        .curve("sgd", Budget.NORMAL, ACCURACY)
        .base();
  }

  private static StudyCurve curve(List<StudyRun> runs) {
    List<Integer> batches = runs.stream().map(StudyRun::batchSize).distinct().toList();
    return StudySamples.study(Map.of("sgd", GRID), batches, runs)
        .curve("sgd", Budget.NORMAL, ACCURACY);
  }

  @Test
  void theWinnerIsOfTheTuningSeedOnly() {
    StudyCell cell = cell(run(64, 1, "0.1", 300), run(64, 1, "0.2", 200), run(64, 2, "0.1", 10));
    assertThat(cell.steps()).hasValue(200);
    assertThat(cell.winner().orElseThrow().pointText()).isEqualTo("learning-rate=0.2");
    assertThat(StudyRun.label("optimizer.damping.initial")).isEqualTo("damping.initial");
    assertThat(cell.seconds()).hasValue(2);
    assertThat(cell.isComplete()).isFalse();
  }

  @Test
  void censoredRunsNeverEnterTheMinimum() {
    StudyCell cell = cell(run(64, 1, "0.1", 0), run(64, 1, "0.2", 999), run(64, 1, "0.4", 0));
    assertThat(cell.steps()).hasValue(999);
    assertThat(cell.censoredAt()).isEmpty();
    assertThat(cell.robustness().share()).hasValueCloseTo(1.0 / 3, within(1e-15));
    StudyCell none = cell(run(64, 1, "0.1", 0), run(64, 1, "0.2", 0), run(64, 1, "0.4", 0));
    assertThat(none.steps()).isEmpty();
    assertThat(none.epochs()).isEmpty();
    assertThat(none.seconds()).isEmpty();
    assertThat(none.censoredAt()).hasValue(1000);
    assertThat(none.robustness().reached()).isZero();
  }

  @Test
  void aCensoredTuningSeedIsNotRescuedByAnotherSeed() {
    StudyCell cell =
        cell(
            run(64, 1, "0.1", 0),
            run(64, 1, "0.2", 0),
            run(64, 1, "0.4", 0),
            run(64, 2, "0.2", 150));
    assertThat(cell.steps()).isEmpty();
    assertThat(cell.seeds()).isEmpty();
    assertThat(cell.medianSteps()).isEmpty();
  }

  @Test
  void censoredSeedsCountAsMoreThanAnyNumber() {
    StudyCell cell =
        cell(
            run(64, 1, "0.2", 100),
            run(64, 2, "0.2", 120),
            run(64, 3, "0.2", 0),
            run(64, 1, "0.1", 500));
    assertThat(cell.medianSteps()).hasValue(120);
    assertThat(cell.fewestSteps()).hasValue(100);
    assertThat(cell.mostSteps()).isEmpty();
    assertThat(cell.censoredSeeds()).isEqualTo(1);
    StudyCell half = cell(run(64, 1, "0.2", 100), run(64, 2, "0.2", 0));
    assertThat(half.medianSteps()).isEmpty();
  }

  @Test
  void whatTheSmallestBatchDoesNotReachIsNotDividedBy() {
    List<StudyRun> runs = new ArrayList<>();
    for (String rate : GRID.get(RATE)) {
      runs.add(run(64, 1, rate, 0));
      runs.add(run(128, 1, rate, 70));
    }
    StudyCurve curve = curve(runs);
    assertThat(curve.isDefined()).isFalse();
    assertThat(curve.speedup(curve.cells().get(1))).isEmpty();
    assertThat(curve.efficiency(curve.cells().get(1))).isEmpty();
    assertThat(curve.critical()).isEmpty();
    assertThat(curve.criticalInterval()).isEmpty();
    assertThat(curve.cells().get(1).epochs()).hasValue(70 * 128 / 60_000.0);
  }

  @Test
  void aBudgetThatRulesEfficiencyOutDecidesACensoredCell() {
    // k(64) = 100: efficient with 128 means at most 100 steps, and the budget is 1000
    StudyCurve decided = oneCensored(100);
    CriticalBatch critical = decided.critical().orElseThrow();
    assertThat(critical.batch()).isEqualTo(64);
    assertThat(critical.interpolated()).isEqualTo(64);
    // Efficiency falls from 1 to less than 100 · 64 / (1000 · 128) = 0.05, linearly in log B.
    assertThat(critical.upper()).isCloseTo(64 * Math.pow(2, 0.5 / 0.95), within(1e-9));
    assertThat(critical.isLowerBound()).isFalse();
    // k(64) = 999: efficient would be up to 999, and 1000 were not enough
    assertThat(oneCensored(999).critical().orElseThrow().undecided()).isFalse();
  }

  @Test
  void aBudgetTooShortToTellLeavesALowerBound() {
    List<StudyRun> runs = new ArrayList<>();
    for (String rate : GRID.get(RATE)) {
      runs.add(run(64, 1, rate, 900));
      runs.add(
          StudySamples.run(
              "sgd", 128, 1, StudySamples.point(RATE, rate), 500, OptionalLong.empty()));
    }
    // efficient with 128 would be up to 900 steps, and only 500 were allowed
    CriticalBatch critical = curve(runs).critical().orElseThrow();
    assertThat(critical).isEqualTo(new CriticalBatch(64, 64, 64, false, true, false));
    assertThat(critical.isLowerBound()).isTrue();
  }

  @Test
  void missingRunsDecideNothing() {
    List<StudyRun> runs = new ArrayList<>();
    runs.add(run(64, 1, "0.1", 100));
    runs.add(run(128, 1, "0.1", 0));
    CriticalBatch critical = curve(runs).critical().orElseThrow();
    assertThat(critical.undecided()).isTrue();
  }

  private static StudyCurve oneCensored(long smallest) {
    List<StudyRun> runs = new ArrayList<>();
    for (String rate : GRID.get(RATE)) {
      runs.add(run(64, 1, rate, smallest));
      runs.add(run(128, 1, rate, 0));
    }
    return curve(runs);
  }

  @Test
  void theLargestEfficientBatchCountsAboveADip() {
    List<StudyRun> runs = new ArrayList<>();
    long[] steps = {800, 700, 210, 200};
    for (int i = 0; i < steps.length; i++) {
      runs.add(run(64 << i, 1, "0.2", steps[i]));
    }
    // efficiencies 1, 0.571, 0.952, 0.5; then with a dip 1, 0.44, 0.952, 0.5
    assertThat(curve(runs).critical().orElseThrow().dips()).isFalse();
    runs.set(1, run(128, 1, "0.2", 900));
    assertThat(curve(runs).critical())
        .hasValue(new CriticalBatch(512, 512, 512, true, false, true));
  }

  @Test
  void equalStepsAreDecidedByTheMetricThenByTheGridWhateverTheOrderOfRuns() {
    StudyRun first = run(64, 1, "0.1", 200);
    StudyRun second = run(64, 1, "0.2", 200);
    List<StudyRun> runs = new ArrayList<>(List.of(second, first));
    assertThat(curve(runs).base().winner()).hasValue(first);
    Collections.reverse(runs);
    assertThat(curve(runs).base().winner()).hasValue(first);
    StudyRun better =
        new StudyRun(
            "sgd",
            Budget.NORMAL,
            64,
            1,
            StudySamples.point(RATE, "0.4"),
            1000,
            200,
            9,
            "targets met",
            Map.of(ACCURACY, new Reached(200, 9)),
            Map.of(Target.Metric.TEST_ACCURACY, 0.99),
            Map.of(),
            0.01);
    runs.add(better);
    assertThat(curve(runs).base().winner()).hasValue(better);
    assertThat(curve(runs).base().fewestSeconds()).hasValue(2);
    assertThat(curve(runs).base().seconds()).hasValue(9);
  }

  @Test
  void winnersOnAnEdgeAreFlaggedAndSingleValuesAreNot() {
    assertThat(cell(run(64, 1, "0.1", 10), run(64, 1, "0.2", 20)).edges()).containsExactly(RATE);
    assertThat(cell(run(64, 1, "0.1", 30), run(64, 1, "0.2", 20)).edges()).isEmpty();
    assertThat(cell(run(64, 1, "0.4", 10), run(64, 1, "0.2", 20)).edges()).containsExactly(RATE);
    assertThat(cell(run(64, 1, "0.4", 0)).edges()).isEmpty();
    StudyResults single =
        StudySamples.study(
            Map.of("sgd", StudySamples.grid(RATE, "0.1")),
            List.of(64),
            List.of(run(64, 1, "0.1", 5)));
    assertThat(single.curve("sgd", Budget.NORMAL, ACCURACY).base().edges()).isEmpty();
  }

  @Test
  void numbersOnlyHaveEdgesInTheirOwnOrderAndZeroIsNone() {
    assertThat(edgesOfSecond("0.4", "0.1", "0.2")).containsExactly(RATE);
    assertThat(edgesOfSecond("0.1", "0.4", "0.2")).containsExactly(RATE);
    assertThat(edgesOfSecond("0.4", "0.2", "0.1")).isEmpty();
    assertThat(edgesOfSecond("0.5", "0", "0.9")).isEmpty();
    assertThat(edgesOfSecond("0", "0.9", "0.5")).containsExactly(RATE);
    assertThat(edgesOfSecond("ekfac", "kfac", "tkfac")).isEmpty();
  }

  /** Where only the second value of a grid reaches the target. */
  private static List<String> edgesOfSecond(String... values) {
    return StudySamples.study(
            Map.of("sgd", StudySamples.grid(RATE, values)),
            List.of(64),
            List.of(run(64, 1, values[0], 0), run(64, 1, values[1], 10)))
        .curve("sgd", Budget.NORMAL, ACCURACY)
        .base()
        .edges();
  }

  @Test
  void quartilesAreOfTheBestMetricAndDivergedRunsAreWorst() {
    StudyCell cell = cell(withBest("0.1", 0.8), withBest("0.2", 0.9), withBest("0.4", Double.NaN));
    Robustness robustness = cell.robustness();
    // ordered 0.9, 0.8, none: type 7 quartiles at 0.5, 1 and 1.5
    assertThat(robustness.best()).hasValueCloseTo(0.85, within(1e-12));
    assertThat(robustness.median()).hasValueCloseTo(0.8, within(1e-12));
    assertThat(robustness.worst()).isEmpty();
  }

  private static StudyRun withBest(String rate, double best) {
    return new StudyRun(
        "sgd",
        Budget.NORMAL,
        64,
        1,
        StudySamples.point(RATE, rate),
        1000,
        10,
        1,
        "diverged: NaN",
        Map.of(),
        Map.of(Target.Metric.TEST_ACCURACY, best),
        Map.of(),
        0.1);
  }

  @Test
  void bothBudgetsShareRunsOfTheSmallestBatch() {
    StudyResults study =
        new StudyResults(
            "shared",
            100,
            List.of(128, 64),
            List.of(ACCURACY),
            List.of(Budget.NORMAL, Budget.ADJUSTED),
            Map.of("sgd", GRID),
            1,
            0.5,
            List.of(run(64, 1, "0.1", 50), run(128, 1, "0.1", 40)));
    StudyCurve adjusted = study.curve("sgd", Budget.ADJUSTED, ACCURACY);
    assertThat(adjusted.base().steps()).hasValue(50);
    assertThat(adjusted.cells().get(1).steps()).isEmpty();
    assertThat(study.winners()).hasSize(2);
  }

  @Test
  void refusesRunsOfAnotherStudyByName() {
    List<StudyRun> twice = List.of(run(64, 1, "0.1", 50), run(64, 1, "0.1", 60));
    assertThatThrownBy(() -> curve(twice))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage(
            "study synthetic must have each run once, got twice sgd, normal budget, batch 64, seed 1, learning-rate=0.1");
    List<StudyRun> elsewhere = List.of(run(64, 1, "0.3", 50));
    assertThatThrownBy(() -> curve(elsewhere))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("grid point of study synthetic", "learning-rate=0.3");
    SortedMap<String, List<String>> empty = new TreeMap<>(Map.of(RATE, List.<String>of()));
    assertThatThrownBy(() -> StudySamples.study(Map.of("sgd", empty), List.of(64), List.of()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("the grid of sgd must have at least 1 value of learning-rate, got none");
  }
}
