package org.kfac4j.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.kfac4j.cost.ClusterSpec;
import org.kfac4j.cost.CostModel;
import org.kfac4j.cost.CostRates;
import org.kfac4j.cost.IterationWork;
import org.kfac4j.cost.PassKind;
import org.kfac4j.cost.PassRate;
import org.kfac4j.cost.TransportRates;
import org.kfac4j.study.Prediction.Against;

/** Predictions are steps times the model's seconds, with the best batch found by trying all. */
class ForecastTest {
  private static final List<Integer> BATCHES = StudySamples.batches(8);

  /** A million parameters and a pass for the gradient, as fast as {@code perExample}. */
  private static CostModel model(double perExample) {
    IterationWork work =
        new IterationWork(
            StudySamples.EXAMPLES,
            1_000_000,
            0,
            0,
            4,
            0,
            Map.of(PassKind.GRADIENT, new IterationWork.Pass(1, 1)),
            0,
            0,
            List.of(),
            false,
            false,
            0);
    CostRates rates =
        new CostRates(
            Map.of(PassKind.GRADIENT, new PassRate(0.001, perExample, 0, 1)),
            0.01,
            1e-9,
            0.001,
            0.002,
            0,
            1,
            0.003,
            0.004,
            List.of());
    return new CostModel(work, rates, TransportRates.DEFAULT);
  }

  private static final CostModel FAST = model(1e-5);
  private static final CostModel SLOW = model(1e-3);
  private static final ClusterSpec HERE = ClusterSpec.local(2);
  private static final List<ClusterSpec> OTHERS =
      IntStream.range(0, 11).mapToObj(i -> ClusterSpec.of(1 << i, 2, 1e9, 1e-3)).toList();

  /** k = 100 + 10⁵ / B; the last batch size does not reach the target. */
  private static long steps(int batch) {
    return 100L + 100_000 / batch;
  }

  private static StudyResults study() {
    Map<String, SortedMap<String, List<String>>> grids = new LinkedHashMap<>();
    List<StudyRun> runs = new ArrayList<>();
    for (String optimizer : List.of("fast", "slow", "unknown")) {
      grids.put(optimizer, StudySamples.ONE_POINT);
      for (int batch : BATCHES) {
        boolean last = batch == BATCHES.get(BATCHES.size() - 1);
        runs.add(
            StudySamples.run(
                optimizer,
                batch,
                StudySamples.TUNING_SEED,
                StudySamples.point(),
                StudySamples.BUDGET,
                last ? OptionalLong.empty() : OptionalLong.of(steps(batch))));
      }
    }
    return StudySamples.study(grids, BATCHES, runs);
  }

  private static Optional<CostModel> models(StudyRun run) {
    return switch (run.optimizer()) {
      case "fast" -> Optional.of(FAST);
      case "slow" -> Optional.of(SLOW);
      default -> Optional.empty();
    };
  }

  private static Prediction line(
      Forecast forecast, String name, Against against, boolean toTarget) {
    return forecast.predictions().stream()
        .filter(each -> each.name().equals(name) && each.against() == against)
        .filter(each -> (each.target() != null) == toTarget)
        .reduce(
            (a, b) -> {
              throw new AssertionError("twice: " + name);
            })
        .orElseThrow();
  }

  @Test
  void secondsToATargetAreStepsTimesTheModelsSeconds() {
    Forecast forecast =
        Forecast.of(study(), ForecastTest::models, HERE, OTHERS, "as stated", List.of("a note"));
    Prediction here = line(forecast, "slow, cost model", Against.BATCH, true);
    assertThat(here.seconds().keySet()).containsExactlyElementsOf(BATCHES.subList(0, 7));
    here.seconds()
        .forEach(
            (batch, seconds) ->
                assertThat(seconds)
                    .isCloseTo(steps(batch) * SLOW.predict(HERE, batch).mean(), within(1e-9)));
    Prediction iteration = line(forecast, "slow, cost model", Against.BATCH, false);
    assertThat(iteration.seconds().keySet()).containsExactlyElementsOf(BATCHES);
    assertThat(iteration.seconds().get(64)).isEqualTo(SLOW.predict(HERE, 64).usual());
    assertThat(line(forecast, "fast, B = 8,192", Against.EXECUTORS, false).seconds().get(16))
        .isEqualTo(FAST.predict(OTHERS.get(4), 8192).usual());
    assertThat(forecast.predictions()).noneMatch(each -> each.optimizer().equals("unknown"));
    assertThat(forecast.notes()).containsExactly("a note");
  }

  @Test
  void theBestBatchGrowsWithTheCluster() {
    Forecast forecast = Forecast.of(study(), ForecastTest::models, HERE, OTHERS, "", List.of());
    int before = 0;
    for (ClusterSpec cluster : OTHERS) {
      double least = Double.POSITIVE_INFINITY;
      int batch = 0;
      for (int each : BATCHES.subList(0, 7)) {
        double seconds = SLOW.predict(cluster, each).secondsTo((double) steps(each));
        batch = seconds < least ? each : batch;
        least = Math.min(least, seconds);
      }
      assertThat(forecast.best())
          .contains(
              new Forecast.Best(
                  StudySamples.ACCURACY, Budget.NORMAL, "slow", cluster.executors(), batch, least));
      assertThat(line(forecast, "slow, best batch", Against.EXECUTORS, true).seconds())
          .containsEntry(cluster.executors(), least);
      assertThat(batch).isGreaterThanOrEqualTo(before);
      before = batch;
    }
    assertThat(before).isGreaterThan(64);
    List<List<String>> table = forecast.table(StudySamples.ACCURACY, Budget.NORMAL);
    assertThat(table).hasSize(1 + OTHERS.size());
    assertThat(table.get(0)).containsExactly("executors", "fast", "slow");
    assertThat(table.get(OTHERS.size()).get(0)).isEqualTo("1,024");
    assertThat(table.get(1).get(2)).contains("(B = ");
  }

  @Test
  void aClusterThatWasMeasuredIsShownBesideItsPrediction() {
    ClusterSpec here = ClusterSpec.of(4, 2, 1e9, 1e-3);
    Forecast forecast = Forecast.of(study(), ForecastTest::models, here, OTHERS, "", List.of());
    assertThat(line(forecast, "slow, B = 64", Against.EXECUTORS, false).measured())
        .containsOnly(Map.entry(4, 0.01));
    assertThat(forecast.table(StudySamples.LOSS, Budget.NORMAL)).hasSize(1);
  }
}
