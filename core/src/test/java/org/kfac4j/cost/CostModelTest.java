package org.kfac4j.cost;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.kfac4j.InvalidInputException;
import org.kfac4j.training.IterationRecord;

/** Fits to runs of known rates, and predictions against values computed by hand. */
class CostModelTest {
  private static final int EXAMPLES = 64_000;

  /**
   * 1 million parameters and 2 million sums, in float32; statistics of an eighth, products of a
   * quarter.
   */
  private static IterationWork work(boolean remote) {
    return work(remote, Map.of());
  }

  private static IterationWork work(boolean remote, Map<PassKind, IterationWork.Pass> more) {
    Map<PassKind, IterationWork.Pass> passes = new LinkedHashMap<>();
    passes.put(PassKind.GRADIENT, new IterationWork.Pass(1, 1));
    passes.put(PassKind.STATISTICS, new IterationWork.Pass(0.125, 1));
    passes.put(PassKind.PRODUCTS, new IterationWork.Pass(0.25, 1));
    passes.put(PassKind.LOSS, new IterationWork.Pass(1, 0.2));
    passes.putAll(more);
    List<Double> layers = List.of(6.0, 4.0, 3.0, 3.0);
    return new IterationWork(
        EXAMPLES, 1_000_000, 2_000_000, 0, 4, 2, passes, 10, 0, layers, remote, remote, 16_000_000);
  }

  private static final Map<PassKind, PassRate> PASSES =
      Map.of(
          PassKind.GRADIENT, new PassRate(0.01, 2e-4, 2e-5, 2),
          PassKind.STATISTICS, new PassRate(0.005, 4e-4, 4e-5, 2),
          PassKind.PRODUCTS, new PassRate(0.004, 5e-4, 0, 2),
          PassKind.LOSS, new PassRate(0.002, 6e-5, 1e-5, 2));

  private static final CostRates RATES =
      new CostRates(PASSES, 0.015, 1e-9, 0.003, 0.02, 0.5, 2, 0.06, 0.03, List.of());

  private static final TransportRates TRANSPORT =
      new TransportRates(0.05, 0.001, 2e-9, 1e-9, 3e-9, 4e-9);

  private static CostModel model(boolean remote) {
    return new CostModel(work(remote), RATES, TRANSPORT);
  }

  /** A run as {@link #RATES} have it. */
  private static MeasuredRun run(int slots, long batch) {
    return run("run " + slots + " " + batch, ClusterSpec.local(slots), batch);
  }

  private static MeasuredRun run(String name, ClusterSpec cluster, long batch) {
    IterationWork work = work(false);
    CostModel model = model(false);
    List<IterationRecord> records = new ArrayList<>();
    double seconds = 0;
    for (int k = 1; k <= 24; k++) {
      Map<String, Double> passes = new HashMap<>();
      Map<String, Double> phases = new HashMap<>();
      for (PassKind kind : work.passes().keySet()) {
        if (kind == PassKind.LOSS && k % 5 != 0) {
          continue;
        }
        passes.put(kind.key(), model.tasks(kind, cluster, batch));
        if (kind != PassKind.STATISTICS) {
          double bytes = kind == PassKind.GRADIENT ? 12e6 : 0;
          passes.put(kind.restKey(), model.job(cluster, bytes));
        }
      }
      double jobs = passes.values().stream().mapToDouble(each -> each).sum();
      phases.put("map", jobs);
      double store = cluster.local() ? 0 : 4e6 * TRANSPORT.storePerByte();
      phases.put("broadcast", 3 * (RATES.convert() + store));
      phases.put("average", RATES.average());
      phases.put("precondition", RATES.precondition());
      if (k <= 3 || k % 10 == 0) {
        phases.put("inverse", RATES.inverse());
      }
      seconds += phases.values().stream().mapToDouble(each -> each).sum() + RATES.other();
      records.add(
          new IterationRecord(
              k, seconds, batch, 1, 1.0, 1.0, null, null, phases, passes, Map.of(), null));
    }
    return new MeasuredRun(name, cluster, 2, records);
  }

  @Test
  void ratesThatMadeTheRunsAreFound() {
    CostRates found =
        CostFit.of(
            work(false),
            TRANSPORT,
            List.of(run(1, 1000), run(1, 4000), run(2, 2000), run(2, 8000)));
    PASSES.forEach(
        (kind, rate) -> {
          PassRate fitted = found.passes().get(kind);
          assertThat(fitted).isNotNull();
          assertThat(fitted.fixed()).isCloseTo(rate.fixed(), within(1e-8));
          assertThat(fitted.perExample()).isCloseTo(rate.perExample(), within(1e-10));
          assertThat(fitted.contention()).isCloseTo(rate.contention(), within(1e-10));
          assertThat(fitted.mostTasks()).isEqualTo(2);
        });
    assertThat(found.localJob()).isCloseTo(RATES.localJob(), within(1e-9));
    assertThat(found.localMergePerByte()).isCloseTo(RATES.localMergePerByte(), within(1e-14));
    assertThat(found.convert()).isCloseTo(RATES.convert(), within(1e-9));
    assertThat(found.average()).isCloseTo(RATES.average(), within(1e-9));
    assertThat(found.inverse()).isCloseTo(RATES.inverse(), within(1e-9));
    assertThat(found.precondition()).isCloseTo(RATES.precondition(), within(1e-9));
    assertThat(found.other()).isCloseTo(RATES.other(), within(1e-9));
    assertThat(found.notes()).isEmpty();
  }

  @Test
  void runsOnAClusterAloneShowWhatTheDriverCosts() {
    ClusterSpec small = ClusterSpec.of(2, 2, 1e9, 0.001);
    ClusterSpec large = ClusterSpec.of(8, 2, 1e9, 0.001);
    List<MeasuredRun> runs = List.of(run("a", small, 2000), run("b", large, 16_000));
    CostRates found = CostFit.of(work(false), TRANSPORT, runs);
    assertThat(found.convert()).isCloseTo(RATES.convert(), within(1e-9));
    assertThat(found.average()).isCloseTo(RATES.average(), within(1e-9));
    assertThat(found.inverse()).isCloseTo(RATES.inverse(), within(1e-9));
    assertThat(found.precondition()).isCloseTo(RATES.precondition(), within(1e-9));
    CostModel fitted = new CostModel(work(false), found, TRANSPORT);
    ClusterSpec larger = ClusterSpec.of(64, 2, 1e9, 0.001);
    // Rates of one number of tasks per machine: contention is in the seconds per example.
    assertThat(fitted.predict(larger, 32_000).mean())
        .isCloseTo(model(false).predict(larger, 32_000).mean(), within(1e-6));
    assertThatThrownBy(() -> fitted.predict(ClusterSpec.local(2), 2000))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("local master");
    assertThatThrownBy(() -> CostFit.of(work(true), TRANSPORT, runs))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("where executors make inverses")
        .hasMessageContaining("a, b");
  }

  @Test
  void whatOneRunCannotTellIsSaidByName() {
    assertThatThrownBy(() -> CostFit.of(work(false), TRANSPORT, List.of(run(2, 2000))))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("two or more batch sizes")
        .hasMessageContaining("run 2 2000");
    // Two sizes, but the larger one with other tasks beside it.
    assertThatThrownBy(
            () -> CostFit.of(work(false), TRANSPORT, List.of(run(1, 1000), run(2, 8000))))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("add a run");
    assertThatThrownBy(() -> CostFit.of(work(false), TRANSPORT, List.of()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("at least one");
    CostRates alone = CostFit.of(work(false), TRANSPORT, List.of(run(2, 2000), run(2, 8000)));
    assertThat(alone.notes()).singleElement().asString().contains("2 tasks at a time");
  }

  @Test
  void runsWhoseTasksWaitForASlotAreRefused() {
    ClusterSpec waiting = new ClusterSpec(true, 1, 2, 8, 2, Double.POSITIVE_INFINITY, 0, 1);
    assertThatThrownBy(
            () ->
                CostFit.of(
                    work(false), TRANSPORT, List.of(run(2, 2000), run("slow", waiting, 8000))))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("slow: ")
        .hasMessageContaining("got 8 partitions");
  }

  /** Jobs without statistics merge gradients alone. */
  @Test
  void whatABytesMergingCostsDoesNotDependOnHowOftenStatisticsCome() {
    List<MeasuredRun> runs = new ArrayList<>();
    for (MeasuredRun each : List.of(run(2, 2000), run(2, 8000))) {
      List<IterationRecord> records = new ArrayList<>();
      for (IterationRecord record : each.records()) {
        Map<String, Double> passes = new HashMap<>(record.passSeconds());
        if (record.iteration() % 10 != 1) {
          passes.remove(PassKind.STATISTICS.key());
          passes.put(PassKind.GRADIENT.restKey(), model(false).job(each.cluster(), 4e6));
        }
        records.add(
            new IterationRecord(
                record.iteration(),
                record.seconds(),
                record.batchSize(),
                1,
                1.0,
                1.0,
                null,
                null,
                record.phaseSeconds(),
                passes,
                Map.of(),
                null));
      }
      runs.add(new MeasuredRun(each.name(), each.cluster(), 2, records));
    }
    assertThat(CostFit.of(work(false), TRANSPORT, runs).localMergePerByte())
        .isCloseTo(RATES.localMergePerByte(), within(1e-14));
  }

  @Test
  void runsThatAreTooShortOrOldAreRefused() {
    List<IterationRecord> records = run(1, 1000).records();
    assertThatThrownBy(() -> new MeasuredRun("a", ClusterSpec.local(1), 2, records.subList(0, 7)))
        .hasMessageContaining("a: ")
        .hasMessageContaining("at least 8 iterations");
    IterationRecord old =
        new IterationRecord(1, 1, 10, 1, null, null, null, null, Map.of(), Map.of(), null);
    assertThatThrownBy(
            () ->
                new MeasuredRun(
                    "b", ClusterSpec.local(1), 2, java.util.Collections.nCopies(9, old)))
        .hasMessageContaining("b: ")
        .hasMessageContaining("passSeconds");
  }

  @ParameterizedTest
  @CsvSource({
    "1, 0, 0, 1",
    "2, 0, 0, 2",
    "5, 0, 0, 5",
    "7, 2, 4, 2",
    "100, 10, 10, 10",
    "1024, 32, 32, 32"
  })
  void treesAreThoseOfSpark(int results, int reducers, int fanIn, int driver) {
    AggregationTree tree = AggregationTree.of(results, 2);
    assertThat(tree.driverFanIn()).isEqualTo(driver);
    if (reducers == 0) {
      assertThat(tree.levels()).isEmpty();
    } else {
      assertThat(tree.levels()).containsExactly(new AggregationTree.Level(reducers, fanIn));
    }
  }

  @Test
  void aJobIsComposedByHand() {
    CostModel model = model(false);
    double b = 4e6;
    // Local: job and two merges.
    assertThat(model.job(ClusterSpec.local(2), b)).isCloseTo(0.015 + 2 * b * 1e-9, within(1e-12));
    // Two executors: no level, the driver merges two.
    double network = 1e9;
    ClusterSpec two = ClusterSpec.of(2, 1, network, 0.001);
    assertThat(model.job(two, b))
        .isCloseTo(
            0.05 + 2 * 0.001 + 2 * 0.001 + 0.001 + b * 2e-9 + 2 * b * (1e-9 + 1 / network),
            within(1e-12));
    // A hundred: ten reducers of ten each, then ten sums in float64.
    ClusterSpec hundred = ClusterSpec.of(100, 1, network, 0.001);
    double level = 0.05 + 10 * 0.001 + 0.001 + b * 2e-9 + 10 * b * (1e-9 + 1 / network);
    double last = 0.001 + 2 * b * 2e-9 + 10 * 2 * b * (1e-9 + 1 / network);
    assertThat(model.job(hundred, b))
        .isCloseTo(0.05 + 100 * 0.001 + 2 * 0.001 + level + last, within(1e-12));
  }

  @Test
  void aBroadcastIsAPipelineDownATree() {
    CostModel model = model(false);
    double chunk = 4 << 20;
    double hop = chunk / 1e9 + 0.001;
    assertThat(model.broadcast(ClusterSpec.of(7, 1, 1e9, 0.001), 2 * chunk))
        .isCloseTo(0.003 + 2 * chunk * 7e-9 + (2 + 3 - 1) * hop, within(1e-12));
    assertThat(model.broadcast(ClusterSpec.local(2), 2 * chunk)).isEqualTo(0.003);
  }

  @Test
  void anUnevenLastWaveCostsAWholeOne() {
    CostModel model = model(false);
    ClusterSpec even = new ClusterSpec(true, 1, 2, 4, 2, Double.POSITIVE_INFINITY, 0, 1);
    ClusterSpec uneven = new ClusterSpec(true, 1, 2, 5, 2, Double.POSITIVE_INFINITY, 0, 1);
    assertThat(even.waves()).isEqualTo(2);
    assertThat(uneven.waves()).isEqualTo(3);
    // All examples are in the batch, so that no partition has more than its share.
    assertThat(model.tasks(PassKind.GRADIENT, even, EXAMPLES))
        .isCloseTo(2 * (0.01 + EXAMPLES / 4.0 * 2.2e-4), within(1e-9));
    assertThat(model.tasks(PassKind.GRADIENT, uneven, EXAMPLES))
        .isCloseTo(3 * (0.01 + EXAMPLES / 5.0 * 2.2e-4), within(1e-9));
  }

  @Test
  void theSlowestTaskHasMoreThanItsShare() {
    assertThat(Straggler.examples(1000, 60_000, 1)).isEqualTo(1000);
    assertThat(Straggler.examples(60_000, 60_000, 8)).isEqualTo(7500);
    assertThat(Straggler.examples(16_384, 60_000, 1024)).isBetween(25.0, 30.0);
    assertThat(Straggler.examples(1, 60_000, 1024)).isLessThanOrEqualTo(1);
  }

  @Test
  void moreOfAnythingIsNeverFaster() {
    CostModel model = model(false);
    double slow = model.predict(ClusterSpec.of(8, 2, 1e8, 0.001), 8000).mean();
    double fast = model.predict(ClusterSpec.of(8, 2, 1e9, 0.001), 8000).mean();
    double remote = model.predict(ClusterSpec.of(8, 2, 1e9, 0.01), 8000).mean();
    double larger = model.predict(ClusterSpec.of(8, 2, 1e9, 0.001), 16_000).mean();
    double quick = model.predict(ClusterSpec.of(8, 2, 1e9, 0.001).withDeviceSpeed(10), 8000).mean();
    assertThat(slow).isGreaterThan(fast);
    assertThat(remote).isGreaterThan(fast);
    assertThat(larger).isGreaterThan(fast);
    assertThat(quick).isLessThan(fast);
    double tasks = Double.POSITIVE_INFINITY;
    double jobs = 0;
    for (int executors = 1; executors <= 1024; executors *= 2) {
      ClusterSpec cluster = ClusterSpec.of(executors, 1, 1e9, 0.001);
      double now = model.tasks(PassKind.GRADIENT, cluster, 16_000);
      assertThat(now).isLessThan(tasks);
      tasks = now;
      double job = model.job(cluster, 0);
      assertThat(job).isGreaterThan(jobs);
      jobs = job;
    }
  }

  @Test
  void partsAreSpreadOverTheirPeriods() {
    IterationCost cost = model(false).predict(ClusterSpec.local(1), 1000);
    double usual =
        3 * 0.003
            + (0.01 + 1000 * 2e-4)
            + (0.005 + 125 * 4e-4)
            + (0.004 + 250 * 5e-4)
            + 2 * 0.015
            + 12e6 * 1e-9
            + 0.02
            + 0.06
            + 0.03;
    double loss = 0.002 + 1000 * 6e-5 + 0.015 + 0.003;
    assertThat(cost.usual()).isCloseTo(usual, within(1e-9));
    assertThat(cost.mean()).isCloseTo(usual + loss / 5 + 0.5 / 10, within(1e-9));
    // Ten inverses with the period, and those of iterations 1 to 3 but for three tenths of one.
    assertThat(cost.secondsTo(100)).isCloseTo(100 * cost.mean() + 2.7 * 0.5, within(1e-9));
    assertThat(cost.secondsTo(2)).isCloseTo(2 * (usual + loss / 5 + 0.5), within(1e-9));
    assertThat(cost.secondsTo(0)).isZero();
  }

  /** Passes for the eigenvalues in new bases come with every inverse, also with early ones. */
  @Test
  void passesInNewBasesAreEarlyToo() {
    Map<PassKind, PassRate> rates = new EnumMap<>(PASSES);
    rates.put(PassKind.CURVATURE, new PassRate(0.1, 0, 0, 2));
    CostModel with =
        new CostModel(
            work(false, Map.of(PassKind.CURVATURE, new IterationWork.Pass(0.125, 0.1))),
            new CostRates(rates, 0.015, 1e-9, 0.003, 0.02, 0.5, 2, 0.06, 0.03, List.of()),
            TRANSPORT);
    ClusterSpec one = ClusterSpec.local(1);
    double pass = 0.1 + with.job(one, 4e6);
    double more =
        with.predict(one, 1000).secondsTo(3) - model(false).predict(one, 1000).secondsTo(3);
    assertThat(more).isCloseTo(3 * pass, within(1e-9));
  }

  /** The median iteration of runs that were fitted is the one that is predicted. */
  @Test
  void whatWasFittedIsPredicted() {
    List<MeasuredRun> runs = List.of(run(1, 1000), run(1, 4000), run(2, 2000), run(2, 8000));
    CostModel fitted =
        new CostModel(work(false), CostFit.of(work(false), TRANSPORT, runs), TRANSPORT);
    for (MeasuredRun run : runs) {
      assertThat(fitted.predict(run.cluster(), run.batch()).usual())
          .isCloseTo(MeasuredRun.median(run.iterations()), within(1e-8));
    }
  }

  @Test
  void layersGoToWhoeverIsFree() {
    List<Double> costs = List.of(3.0, 6.0, 3.0, 4.0);
    assertThat(LayerSpread.share(costs, 1)).isEqualTo(1);
    assertThat(LayerSpread.share(costs, 2)).isEqualTo(9.0 / 16);
    assertThat(LayerSpread.share(costs, 3)).isEqualTo(6.0 / 16);
    assertThat(LayerSpread.share(costs, 1024)).isEqualTo(6.0 / 16);
    ClusterSpec cluster = ClusterSpec.of(64, 1, 1e10, 0);
    assertThat(inverses(model(true), cluster)).isLessThan(inverses(model(false), cluster));
  }

  private static double inverses(CostModel model, ClusterSpec cluster) {
    return model.predict(cluster, 8000).parts().stream()
        .filter(part -> part.name().equals("inverses"))
        .mapToDouble(IterationCost.Part::seconds)
        .sum();
  }

  @Test
  void whatMakesNoSenseIsRefused() {
    assertThatThrownBy(() -> model(false).predict(ClusterSpec.local(1), EXAMPLES + 1))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("64001");
    assertThatThrownBy(() -> ClusterSpec.of(0, 1, 1, 0)).hasMessageContaining("executor");
    assertThatThrownBy(() -> ClusterSpec.of(1, 1, 0, 0)).hasMessageContaining("network");
    assertThatThrownBy(() -> new TransportRates(0.1, 0, -1, 0, 0, 0))
        .hasMessageContaining("transport.sendPerByte");
  }
}
