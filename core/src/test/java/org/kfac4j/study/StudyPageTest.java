package org.kfac4j.study;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.StringReader;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.kfac4j.study.Prediction.Against;
import org.w3c.dom.Document;
import org.xml.sax.InputSource;

class StudyPageTest {
  private static final List<Integer> BATCHES = List.of(256, 512, 1024, 2048, 4096, 8192, 16_384);

  /** Two optimizers with grids of two axes, K-FAC's with a third; both budgets and two targets. */
  static StudyResults study(String kfac) {
    Map<String, SortedMap<String, List<String>>> grids = new LinkedHashMap<>();
    SortedMap<String, List<String>> sgd = new TreeMap<>();
    sgd.put("learning-rate", List.of("0.01", "0.03", "0.1"));
    sgd.put("momentum", List.of("0.8", "0.9", "0.95"));
    SortedMap<String, List<String>> second = new TreeMap<>();
    second.put("damping", List.of("0.001", "0.01", "0.1"));
    second.put("learning-rate", List.of("0.1", "0.3", "1"));
    second.put("norm", List.of("0.001", "0.01"));
    grids.put("momentum sgd", sgd);
    grids.put(kfac, second);
    SortedMap<String, List<String>> one = new TreeMap<>();
    one.put("learning-rate", List.of("0.0003", "0.001", "0.003"));
    grids.put("adam", one);
    List<StudyRun> runs = new ArrayList<>();
    grids.forEach(
        (optimizer, grid) -> {
          for (int batch : BATCHES) {
            for (Budget budget : Budget.values()) {
              points(grid)
                  .forEach(
                      point -> {
                        for (long seed = 1; seed <= 3; seed++) {
                          runs.add(
                              run(
                                  optimizer,
                                  optimizer.equals(kfac),
                                  budget,
                                  batch,
                                  seed,
                                  point,
                                  grid));
                        }
                      });
            }
          }
        });
    return new StudyResults(
        "study <mnist> & more",
        60_000,
        BATCHES,
        List.of(StudySamples.ACCURACY, StudySamples.LOSS),
        List.of(Budget.NORMAL, Budget.ADJUSTED),
        grids,
        1,
        0.5,
        runs);
  }

  private static List<SortedMap<String, String>> points(SortedMap<String, List<String>> grid) {
    List<SortedMap<String, String>> points = List.of(new TreeMap<>());
    for (Map.Entry<String, List<String>> axis : grid.entrySet()) {
      List<SortedMap<String, String>> next = new ArrayList<>();
      for (SortedMap<String, String> point : points) {
        for (String value : axis.getValue()) {
          SortedMap<String, String> longer = new TreeMap<>(point);
          longer.put(axis.getKey(), value);
          next.add(longer);
        }
      }
      points = next;
    }
    return points;
  }

  private static StudyRun run(
      String optimizer,
      boolean second,
      Budget budget,
      int batch,
      long seed,
      SortedMap<String, String> point,
      SortedMap<String, List<String>> grid) {
    double off = 0;
    for (Map.Entry<String, List<String>> axis : grid.entrySet()) {
      off += Math.abs(axis.getValue().indexOf(point.get(axis.getKey())) - 1);
    }
    SplittableRandom random = new SplittableRandom(31L * seed + batch + point.hashCode());
    double noise = random.nextDouble(0.95, 1.05);
    boolean momentum = !second && grid.size() > 1;
    double law = second ? 60 + 2.5e5 / batch : momentum ? 220 + 3e5 / batch : 400 + 3e5 / batch;
    long steps = Math.round(law * noise * Math.pow(1.6, off));
    long epochs = 8;
    long budgetSteps = budget.steps((double) Math.max(1, epochs * 60_000 / batch), batch, 256);
    double pace = (second ? 0.03 : 0.01) + batch * (second ? 2e-5 : 1.2e-5);
    Map<Target, Reached> reached = new LinkedHashMap<>();
    if (steps <= budgetSteps) {
      reached.put(StudySamples.ACCURACY, new Reached(steps, steps * pace));
    }
    long later = Math.round(1.7 * steps);
    if (later <= budgetSteps) {
      reached.put(StudySamples.LOSS, new Reached(later, later * pace));
    }
    boolean diverged = off == 3;
    long taken = Math.min(budgetSteps, later);
    return new StudyRun(
        optimizer,
        budget,
        batch,
        seed,
        point,
        budgetSteps,
        diverged ? 7 : taken,
        taken * pace,
        diverged ? "diverged: loss NaN" : reached.size() == 2 ? "targets met" : "budget spent",
        diverged ? Map.of() : reached,
        diverged
            ? Map.of()
            : Map.of(
                Target.Metric.TEST_ACCURACY,
                0.97 - 0.02 * off,
                Target.Metric.TRAIN_LOSS,
                0.05 * (1 + off)),
        Map.of(),
        pace);
  }

  static StudyPage page(StudyResults study) {
    SortedMap<Integer, Double> batches = new TreeMap<>();
    BATCHES.forEach(batch -> batches.put(batch, 0.028 + batch * 2.1e-5));
    List<Prediction> predictions = new ArrayList<>();
    String kfac = study.optimizers().get(1);
    predictions.add(Prediction.ofIteration(kfac + ", cost model", kfac, Against.BATCH, batches));
    for (int batch : new int[] {1024, 16_384}) {
      SortedMap<Integer, Double> executors = new TreeMap<>();
      for (int n = 1; n <= 1024; n *= 2) {
        executors.put(n, 0.03 + 0.002 * Math.log(n) + batch * 2e-5 / n);
      }
      predictions.add(
          Prediction.ofIteration(kfac + ", batch " + batch, kfac, Against.EXECUTORS, executors));
      SortedMap<Integer, Double> total = new TreeMap<>();
      executors.forEach((n, seconds) -> total.put(n, 120 * seconds));
      predictions.add(
          Prediction.ofTarget(
              kfac + ", batch " + batch,
              kfac,
              Against.EXECUTORS,
              StudySamples.ACCURACY,
              Budget.NORMAL,
              total));
    }
    return new StudyPage(
        study,
        Map.of(kfac, Map.of("optimizer.step", "scheduled <rate>")),
        Map.of("data.path", "hdfs://namenode/<mnist>"),
        Map.of("cluster", "local[2]"),
        new Forecast(
            "Executors with 4 slots <each>",
            predictions,
            List.of(new Forecast.Best(StudySamples.ACCURACY, Budget.NORMAL, kfac, 64, 4096, 12.5)),
            List.of("momentum sgd: <nothing> is known")));
  }

  @Test
  void showsConclusionsChartsTablesAndHeatMaps() {
    StudyResults study = study("kfac");
    String html = page(study).html();
    assertThat(html)
        .contains("steps k*, log scale", "batch size B (examples), log scale")
        .contains("training time (s), log scale", "epochs to target, B·k*/|D|, log scale")
        .contains("speedup S, log scale", "kfac, ideal", "ideal B/B₀", "kfac, cost model")
        .contains("not reached in so many steps", "best over norm", ">16384<", ">1024<")
        .contains("test accuracy ≥ 95 %, adjusted budget", "×!", "edge:")
        .contains("Executors with 4 slots &lt;each&gt;", "12.5 (B = 4,096)")
        .contains("Note: momentum sgd: &lt;nothing&gt; is known")
        .contains("<td>optimizer.step</td>", "scheduled &lt;rate&gt;", "0.0003, 0.001, 0.003");
    for (Conclusion conclusion : study.conclusions()) {
      String text = conclusion.text();
      assertThat(html).contains(text.substring(text.indexOf("budget:") + 8));
    }
    // four charts of two targets and two budgets, seconds per iteration, and two of executors
    assertThat(html.split("<svg ", -1)).hasSize(1 + 4 * 4 + 1 + 2);
    // a map per optimizer, batch, target and budget
    assertThat(html.split("<table class=\"map\">", -1)).hasSize(1 + 3 * 7 * 2 * 2);
  }

  @Test
  void isWellFormedAndNeedsNothingElse() throws Exception {
    String html = page(study("kfac")).html();
    assertThat(html)
        .doesNotContain("<script", "<link", "src=", "url(", "http-equiv", "NaN", "Infinity");
    parse(html);
  }

  @Test
  void escapesWhatUsersWrite() throws Exception {
    String html = page(study("k<fac> & \"more\"")).html();
    assertThat(html)
        .contains("<title>study &lt;mnist&gt; &amp; more</title>")
        .contains("k&lt;fac&gt; &amp; &quot;more&quot;", "hdfs://namenode/&lt;mnist&gt;")
        .doesNotContain("<fac>", "<mnist>");
    parse(html);
  }

  @Test
  void aStudyWithoutRunsIsAPageToo() throws Exception {
    StudyResults full = study("kfac");
    StudyResults empty =
        new StudyResults(
            full.name(),
            full.examples(),
            full.batchSizes(),
            full.targets(),
            full.budgets(),
            full.grids(),
            1,
            0.5,
            List.of());
    String html = new StudyPage(empty, Map.of(), Map.of()).html();
    assertThat(html)
        .contains("0 runs.", "never reached the target", "·")
        .doesNotContain("NaN", "Infinity", "Least training time");
    parse(html);
  }

  @Test
  void winnersAndCensoredCellsAreMarkedBySigns() {
    StudyResults study = study("kfac");
    StudyCell cell = study.curve("adam", Budget.NORMAL, StudySamples.ACCURACY).base();
    String row = HeatMap.html("adam", cell);
    assertThat(row).contains("<td class=\"h8 best\">").contains(" *</td>");
    StudyCell missed = study.curve("adam", Budget.NORMAL, StudySamples.ACCURACY).cells().get(6);
    assertThat(missed.steps()).isEmpty();
    assertThat(HeatMap.html("adam", missed))
        .contains("<td class=\"missed\">× 29</td>")
        .doesNotContain("best", "class=\"h");
  }

  @Test
  void tablesAreRectangularWithHeadingsFirst() {
    StudyResults study = study("kfac");
    List<List<String>> rows = study.table(StudySamples.ACCURACY, Budget.NORMAL);
    assertThat(rows)
        .hasSize(1 + 3 * 7)
        .allSatisfy(row -> assertThat(row).hasSize(rows.get(0).size()));
    assertThat(rows.get(0)).startsWith("optimizer", "batch", "k* (steps)");
    assertThat(rows.get(3 * 7)).contains("adam", "16,384", "> 29");
    assertThat(study.robustness(StudySamples.ACCURACY, Budget.NORMAL).get(3 * 7))
        .containsExactly("adam", "16,384", "0 of 3", "–", "96.00 %", "95.00 %", "95.00 %");
    assertThat(study.summary()).hasSize(1 + 3 * 4);
  }

  /** Void elements closed, the page is XML. */
  private static Document parse(String html) throws Exception {
    String xml =
        html.replaceFirst("<!doctype html>\n", "")
            .replaceAll("<(meta|br)([^>]*)>", "<$1$2/>")
            .replace(" open>", " open=\"\">");
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new InputSource(new StringReader(xml)));
  }
}
