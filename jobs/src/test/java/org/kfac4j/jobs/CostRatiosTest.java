package org.kfac4j.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kfac4j.optimizer.Preconditioners;

/** What preconditioners cost against each other: the arithmetic, and a run of all of them. */
class CostRatiosTest {
  private static final List<String> HEADINGS =
      List.of("optimizer", "iteration (s)", "with refresh (s)", "mean of a period (s)", "ratio");

  /** Half of the last digit that is printed. */
  private static final double ROUNDED = 0.5e-4;

  @TempDir Path temporary;

  private static List<List<String>> cells(List<String> lines) {
    return lines.stream().map(line -> Arrays.asList(line.split(" {3,}"))).toList();
  }

  /** Of made times: medians, without the first four iterations and apart for refreshes. */
  @Test
  void aPeriodIsItsIterationsWithOneRefreshAmongThem() {
    CostRatios ratios = new CostRatios(5);
    for (int k = 1; k <= 20; k++) {
      boolean refresh = k % 5 == 0;
      boolean outlier = k == 7 || k == 15;
      double disturbed = outlier ? 100 : 0;
      // While it warms up, and where something else happens, it is slow.
      ratios.add("first", k, k <= 4 ? 1000 : disturbed + (refresh ? 3 : 1));
      ratios.add("second", k, k <= 4 ? 1000 : disturbed + (refresh ? 22 : 2));
      ratios.add("third", k, k <= 4 ? 1 : refresh ? 0.25 + 0.01 * k : 0.5);
    }
    // (4 · 1 + 3) / 5, (4 · 2 + 22) / 5; refreshes of 0.30, 0.35, 0.40 and 0.45.
    assertThat(cells(ratios.table()))
        .containsExactly(
            HEADINGS,
            List.of("first", "1.0000", "3.0000", "1.4000", "1.00"),
            List.of("second", "2.0000", "22.0000", "6.0000", "4.29"),
            List.of("third", "0.5000", "0.3750", "0.4750", "0.34"));
  }

  /** With as many iterations as there must be, each of the two kinds is there. */
  @Test
  void everyPreconditionerHasItsLineAndTheFirstOneTheRatioOne() throws IOException {
    int period = 3;
    Path conf =
        Files.writeString(
            temporary.resolve("tiny.conf"),
            """
            model { layers = [6, 5, 10], activation = tanh, loss = mcxent, init = xavier }
            curvature { inverse-period = %d, gamma-search = false }
            training { batch-size = 20 }
            """
                .formatted(period));
    List<String> names = new ArrayList<>(List.of("kfac"));
    Preconditioners.entries().forEach(entry -> names.add(entry.replace(' ', ':')));
    Jobs.Ended ended =
        Jobs.run(
            new Bench(),
            conf.toString(),
            "--iterations",
            "6",
            "--preconditioners",
            String.join(",", names));
    assertThat(ended.code()).as(ended.err()).isZero();
    List<String> lines = ended.out().lines().toList();
    assertThat(lines.get(0)).isEqualTo("random data, batch 20, 95 parameters");
    List<List<String>> rows = cells(lines.subList(1, lines.size()));
    assertThat(rows.get(0)).isEqualTo(HEADINGS);
    assertThat(rows.subList(1, rows.size()))
        .extracting(row -> row.get(0))
        .containsExactlyElementsOf(names);
    double unit = Double.parseDouble(rows.get(1).get(3));
    assertThat(rows.get(1).get(4)).isEqualTo("1.00");
    for (List<String> row : rows.subList(1, rows.size())) {
      double plain = Double.parseDouble(row.get(1));
      double refresh = Double.parseDouble(row.get(2));
      double mean = Double.parseDouble(row.get(3));
      assertThat(plain).as(row.get(0)).isPositive();
      assertThat(refresh).as(row.get(0)).isPositive();
      assertThat(mean)
          .as(row.get(0))
          .isCloseTo(((period - 1) * plain + refresh) / period, within(2.02 * ROUNDED));
      double ratio = Double.parseDouble(row.get(4));
      // The ratio is of what was measured, and has two digits; the means have four.
      double error = ROUNDED * (1 + ratio) / (unit - ROUNDED) + 0.0051;
      assertThat(ratio).as(row.get(0)).isCloseTo(mean / unit, within(error));
    }
  }

  /** Where every iteration has what is special elsewhere, that is its usual one. */
  @Test
  void iterationsThatAllMakeInversesAreTimedToo() throws IOException {
    Path conf =
        Files.writeString(
            temporary.resolve("always.conf"),
            """
            model { layers = [6, 5, 10], activation = tanh, loss = mcxent }
            optimizer { preconditioner = diagonal }
            training { batch-size = 20 }
            """);
    Jobs.Ended ended = Jobs.run(new Bench(), conf.toString(), "--iterations", "8");
    assertThat(ended.code()).as(ended.err()).isZero();
    assertThat(ended.out()).contains("inverses, when due", "share of the peak reached");
    assertThat(ended.out()).doesNotContain("NaN", "Infinity");
  }

  @Test
  void tooFewIterationsToSeeARefreshAreRefused() throws IOException {
    Path conf =
        Files.writeString(
            temporary.resolve("tiny.conf"),
            """
            model { layers = [6, 5, 10], activation = tanh, loss = mcxent }
            curvature { inverse-period = 8, gamma-search = false }
            training { batch-size = 20 }
            """);
    Jobs.Ended ended =
        Jobs.run(
            new Bench(), conf.toString(), "--iterations", "8", "--preconditioners", "kfac,none");
    assertThat(ended.code()).as(ended.out()).isEqualTo(Job.BAD_INPUT);
    assertThat(ended.err().lines()).hasSize(1);
    assertThat(ended.err()).contains("--iterations must be at least 9", "got 8");
    Jobs.Ended alone = Jobs.run(new Bench(), conf.toString(), "--iterations", "7");
    assertThat(alone.code()).as(alone.out()).isEqualTo(Job.BAD_INPUT);
    assertThat(alone.err()).contains("--iterations must be at least 8", "got 7").hasLineCount(1);
  }
}
