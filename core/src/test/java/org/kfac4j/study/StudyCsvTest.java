package org.kfac4j.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

/** Tables for programs have every figure of those for people, as numbers. */
class StudyCsvTest {
  private static final String RATE = "learning-rate";

  private static StudyRun run(int batch, long seed, String rate, long steps) {
    return StudySamples.run(
        "sgd",
        batch,
        seed,
        StudySamples.point(RATE, rate),
        1000,
        steps > 0 ? OptionalLong.of(steps) : OptionalLong.empty());
  }

  /** 64: 400 and 420 steps; 128: 220 and 200; 256: more than 1000. */
  private static Map<String, List<List<String>>> tables() {
    List<StudyRun> runs = new ArrayList<>();
    for (String rate : List.of("0.1", "0.2")) {
      boolean winner = rate.equals("0.2");
      runs.add(run(64, 1, rate, winner ? 400 : 0));
      runs.add(run(128, 1, rate, winner ? 220 : 500));
      runs.add(run(256, 1, rate, 0));
    }
    runs.add(run(64, 2, "0.2", 420));
    runs.add(run(128, 2, "0.2", 200));
    return StudySamples.study(
            Map.of("sgd", StudySamples.grid(RATE, "0.1", "0.2")), List.of(64, 128, 256), runs)
        .csv();
  }

  private static String value(List<List<String>> table, int row, String heading) {
    return table.get(row).get(table.get(0).indexOf(heading));
  }

  private static double number(List<List<String>> table, int row, String heading) {
    return Double.parseDouble(value(table, row, heading));
  }

  @Test
  void cellsAreNumbersOrEmpty() {
    Locale before = Locale.getDefault();
    Locale.setDefault(Locale.GERMANY);
    try {
      List<List<String>> cells = tables().get("test-accuracy-0.95-normal");
      assertThat(cells).hasSize(4).allMatch(row -> row.size() == cells.get(0).size());
      assertThat(value(cells, 1, "batch")).isEqualTo("64");
      assertThat(value(cells, 1, "steps")).isEqualTo("400");
      assertThat(value(cells, 1, "censored_at")).isEmpty();
      assertThat(number(cells, 1, "median_steps")).isEqualTo(410);
      assertThat(number(cells, 2, "fewest_steps")).isEqualTo(200);
      assertThat(number(cells, 2, "most_steps")).isEqualTo(220);
      assertThat(number(cells, 2, "speedup")).isEqualTo(400.0 / 220);
      assertThat(number(cells, 2, "speedup_low"))
          .isLessThanOrEqualTo(number(cells, 2, "speedup_high"));
      assertThat(number(cells, 2, "efficiency")).isEqualTo(400.0 / 220 / 2);
      assertThat(number(cells, 2, "epochs")).isEqualTo(128 * 220 / 60_000.0);
      assertThat(number(cells, 2, "seconds")).isCloseTo(2.2, within(1e-12));
      assertThat(value(cells, 2, "winner")).isEqualTo("learning-rate=0.2");
      assertThat(value(cells, 2, "edges")).isEqualTo(RATE);
      assertThat(value(cells, 3, "steps")).isEmpty();
      assertThat(value(cells, 3, "censored_at")).isEqualTo("1000");
      assertThat(value(cells, 3, "speedup")).isEmpty();
    } finally {
      Locale.setDefault(before);
    }
  }

  @Test
  void theSummaryHasCriticalBatchesWithTheirBounds() {
    List<List<String>> summary = tables().get("summary");
    assertThat(summary).hasSize(2);
    assertThat(value(summary, 1, "target")).isEqualTo("test-accuracy=0.95");
    assertThat(value(summary, 1, "critical_batch")).isEqualTo("128");
    assertThat(number(summary, 1, "interpolated")).isEqualTo(128);
    // With 256 examples it took more than 1000 steps, that is an efficiency below 0.1.
    assertThat(number(summary, 1, "at_most")).isBetween(128.0, 256.0);
    assertThat(value(summary, 1, "lower_bound")).isEqualTo("false");
    assertThat(number(summary, 1, "low")).isLessThanOrEqualTo(number(summary, 1, "high"));
    assertThat(value(summary, 1, "open")).isEqualTo("false");
    assertThat(value(summary, 1, "k_min")).isEmpty();
  }

  @Test
  void robustnessIsOverTheGrid() {
    List<List<String>> robustness = tables().get("robustness-test-accuracy-0.95-normal");
    assertThat(robustness).hasSize(4);
    assertThat(value(robustness, 1, "points")).isEqualTo("2");
    assertThat(value(robustness, 1, "reached")).isEqualTo("1");
    assertThat(number(robustness, 1, "best_median")).isCloseTo(0.93, within(1e-12));
    assertThat(value(robustness, 3, "reached")).isEqualTo("0");
    assertThat(value(robustness, 3, "least_seconds")).isEmpty();
  }
}
