package org.kfac4j.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.kfac4j.study.StudySamples.ACCURACY;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.SortedMap;
import org.junit.jupiter.api.Test;

class ConclusionTest {
  private static final List<Integer> BATCHES = StudySamples.batches(9);

  /** Critical batch 128 + {@code balanced}, seeds a per cent apart. */
  private static StudySamples.Law scaling(long balanced) {
    return (batch, seed) ->
        OptionalLong.of(Math.round((1e5 + 1e5 * balanced / batch) * (1 + 0.01 * (seed - 1))));
  }

  private static Conclusion conclude(long seeds, long budget, Object... namesAndLaws) {
    Map<String, StudySamples.Law> laws = new LinkedHashMap<>();
    for (int i = 0; i < namesAndLaws.length; i += 2) {
      laws.put((String) namesAndLaws[i], (StudySamples.Law) namesAndLaws[i + 1]);
    }
    return StudySamples.study(BATCHES, seeds, laws, budget).conclusions().get(0);
  }

  @Test
  void saysWhichOptimizerScalesFurtherAndUpToWhichBatch() {
    Conclusion conclusion =
        conclude(3, StudySamples.BUDGET, "sgd", scaling(900), "kfac", scaling(3000));
    assertThat(conclusion.doubts()).isEmpty();
    assertThat(conclusion.furthest()).hasValue("kfac");
    assertThat(conclusion.text())
        .startsWith(
            "test accuracy ≥ 95 %, normal budget: kfac scales further than sgd, up to batch 2,048.")
        .contains("sgd keeps an efficiency of 0.5 or more up to batch 1,024")
        .contains("interpolated", "95 % interval over seeds", "Least training time measured:");
  }

  @Test
  void theLargestBatchMeasuredIsALowerBoundOfTheLeader() {
    Conclusion conclusion =
        conclude(3, StudySamples.BUDGET, "sgd", scaling(900), "kfac", scaling(1_000_000));
    assertThat(conclusion.furthest()).hasValue("kfac");
    assertThat(conclusion.text())
        .contains("kfac scales further than sgd, up to at least batch 16,384.")
        .contains("the largest measured, which is only a lower bound");
  }

  @Test
  void bothAtTheLargestBatchSupportNeither() {
    Conclusion conclusion =
        conclude(3, StudySamples.BUDGET, "sgd", scaling(900_000), "kfac", scaling(1_000_000));
    assertThat(conclusion.furthest()).isEmpty();
    assertThat(conclusion.doubts())
        .containsExactly(
            "sgd and kfac are both still efficient with the largest batch measured (16,384)");
    assertThat(conclusion.text()).contains("is not supported either way, because");
  }

  /** One more step of budget, and the other's efficiency would be known to be nearly the same. */
  @Test
  void oneThatWasCutOffIsNotOneThatScalesLess() {
    Map<Integer, Long> steps = Map.of(64, 100L, 256, 40L, 1024, 13L);
    List<StudyRun> runs = new ArrayList<>();
    for (String optimizer : List.of("sgd", "kfac")) {
      steps.forEach(
          (batch, k) -> {
            for (long seed = 1; seed <= 2; seed++) {
              boolean cut = optimizer.equals("sgd") && batch == 1024;
              runs.add(
                  StudySamples.run(
                      optimizer,
                      batch,
                      seed,
                      StudySamples.point(),
                      cut ? 13 : 1000,
                      cut ? OptionalLong.empty() : OptionalLong.of(k)));
            }
          });
    }
    Map<String, SortedMap<String, List<String>>> grids = new LinkedHashMap<>();
    grids.put("sgd", StudySamples.ONE_POINT);
    grids.put("kfac", StudySamples.ONE_POINT);
    Conclusion conclusion =
        StudySamples.study(grids, List.of(64, 256, 1024), runs).conclusions().get(0);
    assertThat(conclusion.furthest()).isEmpty();
    assertThat(conclusion.doubts()).singleElement().asString().contains("overlap");
    assertThat(conclusion.text())
        .contains("with the next one no run reached the target, so at most");
  }

  /** The seed that tunes decides k*, but not a median over seven seeds. */
  @Test
  void intervalsTheOtherWayRoundSupportNeither() {
    List<StudyRun> runs = new ArrayList<>();
    for (long seed = 1; seed <= 7; seed++) {
      for (int batch : List.of(100, 200, 400, 800)) {
        long usual = batch == 200 ? 60 : 100;
        long lucky = batch == 400 && seed == 1 ? 40 : usual;
        long steady = batch == 400 ? 48 : usual;
        for (boolean first : new boolean[] {true, false}) {
          runs.add(
              StudySamples.run(
                  first ? "lucky" : "steady",
                  batch,
                  seed,
                  StudySamples.point(),
                  1000,
                  OptionalLong.of(first ? lucky : steady)));
        }
      }
    }
    Map<String, SortedMap<String, List<String>>> grids = new LinkedHashMap<>();
    grids.put("lucky", StudySamples.ONE_POINT);
    grids.put("steady", StudySamples.ONE_POINT);
    Conclusion conclusion =
        StudySamples.study(grids, List.of(100, 200, 400, 800), runs).conclusions().get(0);
    assertThat(conclusion.furthest()).isEmpty();
    assertThat(conclusion.doubts()).anyMatch(doubt -> doubt.contains("are the other way round"));
  }

  @Test
  void overlappingIntervalsSupportNeither() {
    // either law's seeds straddle the other's: 900 or 1000
    StudySamples.Law sgd = (batch, seed) -> scaling(seed == 2 ? 1000 : 900).steps(batch, 1);
    StudySamples.Law kfac = (batch, seed) -> scaling(seed == 2 ? 900 : 1000).steps(batch, 1);
    Conclusion conclusion = conclude(2, StudySamples.BUDGET, "sgd", sgd, "kfac", kfac);
    assertThat(conclusion.furthest()).isEmpty();
    assertThat(conclusion.doubts()).singleElement().asString().contains("overlap");
  }

  @Test
  void aSingleSeedSupportsNeither() {
    Conclusion conclusion =
        conclude(1, StudySamples.BUDGET, "sgd", scaling(900), "kfac", scaling(3000));
    assertThat(conclusion.furthest()).isEmpty();
    assertThat(conclusion.doubts())
        .containsExactlyInAnyOrder(
            "the winners of sgd have a single seed in common",
            "the winners of kfac have a single seed in common");
    assertThat(conclusion.text()).doesNotContain("interval");
  }

  @Test
  void aTargetThatTheSmallestBatchNeverReachesIsReported() {
    StudySamples.Law never = (batch, seed) -> OptionalLong.empty();
    Conclusion one = conclude(3, 100, "sgd", never, "kfac", scaling(3000));
    assertThat(one.furthest()).isEmpty();
    assertThat(one.doubts())
        .containsExactly(
            "sgd never reached the target with the smallest batch (64), so it has no speedup");
    Conclusion both = conclude(3, 100, "sgd", never, "kfac", never);
    assertThat(both.doubts()).hasSize(2);
    assertThat(both.text())
        .contains("not supported either way", "it has no speedup")
        .doesNotContain("Least training time", "Infinity", "NaN");
  }

  @Test
  void censoredCellsThatMayBeEfficientSupportNeither() {
    // sgd's k with B = 2048 is just not within a budget that B = 1024 nearly needs
    StudySamples.Law sgd =
        (batch, seed) -> batch > 1024 ? OptionalLong.empty() : scaling(100_000).steps(batch, seed);
    StudySamples.Law kfac = scaling(1_000_000);
    Conclusion conclusion = conclude(3, 1_000_000, "sgd", sgd, "kfac", kfac);
    assertThat(conclusion.furthest()).isEmpty();
    assertThat(conclusion.doubts())
        .containsExactly(
            "runs of sgd with a batch above 1,024 ended too early to tell whether it is efficient there, or are missing");
  }

  @Test
  void censoredCellsThatCannotBeEfficientDecide() {
    StudySamples.Law sgd =
        (batch, seed) -> batch > 1024 ? OptionalLong.empty() : scaling(100_000).steps(batch, seed);
    Conclusion conclusion =
        conclude(3, StudySamples.BUDGET, "sgd", sgd, "kfac", scaling(1_000_000));
    assertThat(conclusion.furthest()).hasValue("kfac");
  }

  @Test
  void aWinnerOnTheEdgeOfTheGridSupportsNeither() {
    assertThat(withWinner("0.2").furthest()).hasValue("kfac");
    Conclusion conclusion = withWinner("0.4");
    assertThat(conclusion.furthest()).isEmpty();
    assertThat(conclusion.doubts())
        .singleElement()
        .asString()
        .startsWith("winners of kfac are on the edge of the grid (learning-rate with batch 64; ");
  }

  private static Conclusion withWinner(String winner) {
    SortedMap<String, List<String>> grid = StudySamples.grid("learning-rate", "0.1", "0.2", "0.4");
    Map<String, SortedMap<String, List<String>>> grids = new LinkedHashMap<>();
    List<StudyRun> runs = new ArrayList<>();
    for (String optimizer : List.of("sgd", "kfac")) {
      grids.put(optimizer, grid);
      String best = optimizer.equals("sgd") ? "0.2" : winner;
      for (int batch : BATCHES) {
        for (String rate : List.of("0.1", "0.2", "0.4")) {
          for (long seed = 1; seed <= (rate.equals(best) ? 3 : 1); seed++) {
            long steps =
                scaling(optimizer.equals("sgd") ? 900 : 3000).steps(batch, seed).orElseThrow();
            runs.add(
                StudySamples.run(
                    optimizer,
                    batch,
                    seed,
                    StudySamples.point("learning-rate", rate),
                    StudySamples.BUDGET,
                    OptionalLong.of(rate.equals(best) ? steps : 2 * steps)));
          }
        }
      }
    }
    return Conclusion.of(StudySamples.study(grids, BATCHES, runs), ACCURACY, Budget.NORMAL);
  }

  @Test
  void unfinishedGridsAndDipsSupportNeither() {
    StudySamples.Law dip =
        (batch, seed) ->
            OptionalLong.of(
                scaling(3000).steps(batch, seed).orElseThrow() * (batch == 512 ? 3 : 1));
    Conclusion conclusion = conclude(3, StudySamples.BUDGET, "sgd", scaling(900), "kfac", dip);
    assertThat(conclusion.doubts()).singleElement().asString().contains("monotonically");
    StudyResults complete =
        StudySamples.study(BATCHES, 3, Map.of("sgd", scaling(900), "kfac", scaling(3000)));
    StudyResults unfinished =
        StudySamples.study(
            complete.grids(),
            BATCHES,
            complete.runs().stream()
                .filter(run -> run.batchSize() < 8192 || run.optimizer().equals("sgd"))
                .toList());
    assertThat(unfinished.conclusions().get(0).doubts())
        .containsExactly("the grid of kfac is not complete with batch 8,192, 16,384");
  }

  @Test
  void oneOptimizerHasNothingToBeComparedWith() {
    Conclusion conclusion = conclude(3, StudySamples.BUDGET, "kfac", scaling(3000));
    assertThat(conclusion.furthest()).isEmpty();
    assertThat(conclusion.text())
        .contains("there is only one optimizer", "kfac keeps an efficiency of 0.5 or more");
  }
}
