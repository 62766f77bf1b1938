package org.kfac4j.training;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ProgressTest {
  private final List<String> log = new ArrayList<>();
  private long now;

  @Test
  void aTerminalShowsTableLineAndResults() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
    List<IterationRecord> records = RunSamples.records(40);
    try (ProgressListener listener = new ProgressListener(out, 100, () -> now)) {
      listener.started(RunSamples.info("runs/x", 40));
      for (IterationRecord record : records) {
        now += 500_000_000L;
        listener.iteration(record);
      }
      listener.finished(RunSamples.summary(records));
    }
    String shown = bytes.toString(StandardCharsets.UTF_8);
    assertThat(shown)
        .contains(
            "20,000 training and 10,000 test examples, 40 iterations",
            "Kronecker, eigen",
            "842,340")
        .contains("[################] 40/40  loss ", "test error", "500 ms/it")
        .contains(
            "all iterations done after 40 iterations",
            "model   runs/x/model.zip",
            "report  runs/x/report.html");
    assertThat(shown.split("[\n\r]")).allMatch(line -> line.length() <= 100);
  }

  @Test
  void aLogHasALinePerEvaluationAndAtLeastEveryTenSeconds() {
    LogListener listener = new LogListener(log::add, () -> now);
    listener.started(RunSamples.info("runs/x", 40));
    log.clear();
    for (IterationRecord record : RunSamples.records(40)) {
      now += 3_000_000_000L;
      listener.iteration(record);
    }
    assertThat(log.stream().map(line -> line.replaceAll(":.*", "")))
        .containsExactly(
            "iteration 4/40",
            "iteration 8/40",
            "iteration 12/40",
            "iteration 16/40",
            "iteration 20/40",
            "iteration 24/40",
            "iteration 28/40",
            "iteration 32/40",
            "iteration 36/40",
            "iteration 40/40");
    assertThat(log.get(4))
        .matches(
            "iteration 20/40: loss [\\d.]+, test error [\\d.]+, .+ [\\d.]+, 3.0 s/it, 1:00 left");
  }

  @Test
  void tablesFitTheWidthAndAlignTheirColumns() {
    List<String> lines = RunText.start(RunSamples.info("runs/x", 40));
    assertThat(lines).allMatch(line -> line.length() <= RunText.WIDTH);
    List<String> rows = lines.stream().filter(line -> line.contains("Kronecker")).toList();
    assertThat(rows).hasSize(12);
    assertThat(rows.stream().map(row -> row.indexOf("Kronecker")).distinct()).hasSize(1);
  }

  @Test
  void aRunThatDivergedShowsNoModel() {
    RunSummary summary = new RunSummary("diverged", 3, 1, 0.3, 0, null, null);
    assertThat(RunText.end(RunSamples.info("runs/x", 40), summary))
        .anyMatch(line -> line.startsWith("diverged after 3 iterations"))
        .noneMatch(line -> line.startsWith("model"));
  }

  @Test
  void terminalsWithoutGreekAreServedInAscii() {
    assertThat(RunText.ascii("785² ⊗ 400²  784 → 400  λ 3 · –"))
        .isEqualTo("785^2 x 400^2  784 -> 400  lambda 3 | -");
  }

  @Test
  void onlyATerminalGetsALineThatIsWrittenOver() {
    PrintStream out = new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8);
    assertThat(Progress.forTerminal(true, out)).isInstanceOf(ProgressListener.class);
    assertThat(Progress.forTerminal(false, out)).isInstanceOf(LogListener.class);
  }
}
