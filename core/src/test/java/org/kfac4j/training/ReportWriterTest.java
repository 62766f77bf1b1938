package org.kfac4j.training;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kfac4j.data.LocalStorage;

class ReportWriterTest {
  private static final long SECOND = 1_000_000_000L;

  @TempDir Path dir;
  private long now;

  @Test
  void showsCurvesTablesAndSettingsOnOnePage() throws IOException {
    List<IterationRecord> records = RunSamples.records(200);
    String page = finished(RunSamples.info(dir.toString(), 200), records);
    assertThat(page)
        .contains("Ended after 200 of 200 iterations: all iterations done")
        .contains("best test error", "final test error", "training loss")
        .contains("Loss against time", "Test error against time", "training time (s)")
        .contains(
            "Damping λ",
            "Reduction ratio ρ",
            "Seconds by phase",
            "Curvature: pi",
            "Curvature: trace")
        .contains("785² ⊗ 400²", "training.batch-size", "1.0.0-M2.1", "local[2]");
    assertThat(page.split("<svg ", -1)).hasSize(1 + 4 + 3 + 1 + 3);
  }

  @Test
  void needsNothingElse() throws IOException {
    String page = finished(RunSamples.info(dir.toString(), 40), RunSamples.records(40));
    assertThat(page)
        .doesNotContain("<script", "<link", "src=", "url(", "http-equiv", "NaN", "Infinity");
  }

  @Test
  void escapesWhatUsersWrite() throws IOException {
    String page = finished(RunSamples.info(dir.toString(), 20), RunSamples.records(20));
    assertThat(page)
        .contains("<title>curves-autoencoder &lt;1&gt;</title>")
        .contains("hdfs://namenode:8020/data/&lt;curves&gt; &amp; &quot;more&quot;")
        .doesNotContain("<curves>");
  }

  @Test
  void isRewrittenAtMostEveryHalfMinute() throws IOException {
    ReportWriter writer = new ReportWriter(new LocalStorage(), () -> now);
    List<IterationRecord> records = RunSamples.records(4);
    writer.started(RunSamples.info(dir.toString(), 100));
    writer.iteration(records.get(0));
    assertThat(page()).contains("Running: 1 of 100 iterations done", "http-equiv=\"refresh\"");
    now += 29 * SECOND;
    writer.iteration(records.get(1));
    assertThat(page()).contains("Running: 1 of 100");
    now += SECOND;
    writer.iteration(records.get(2));
    assertThat(page()).contains("Running: 3 of 100");
    writer.iteration(records.get(3));
    assertThat(page()).contains("Running: 3 of 100");
  }

  @Test
  void showsIterationsOfAnEarlierProcess() throws IOException {
    ReportWriter writer = new ReportWriter(new LocalStorage(), () -> now);
    List<IterationRecord> records = RunSamples.records(3);
    writer.started(RunSamples.info(dir.toString(), 3));
    records.subList(0, 2).forEach(writer::replayed);
    writer.iteration(records.get(2));
    assertThat(page()).contains("Running: 3 of 3");
  }

  @Test
  void showsClassifiersAccuracyAndFirstOrderRunsWithoutCurvature() throws IOException {
    Evaluation evaluation = new Evaluation(0.25, null, 0.9312, false);
    IterationRecord record =
        new IterationRecord(
            1, 0.5, 100, 0.3, null, 0.1, null, null, Map.of("map", 0.4), Map.of(), evaluation);
    RunInfo info =
        new RunInfo("sgd", dir.toString(), 1, 0, 100, 10, Map.of(), Map.of(), Map.of(), List.of());
    String page = finished(info, List.of(record));
    assertThat(page)
        .contains("best test accuracy", "93.12 %", "Test accuracy against time")
        .doesNotContain("<h2>Curvature", "Damping λ", "Reduction ratio");
  }

  @Test
  void survivesALossThatIsNotFinite() throws IOException {
    IterationRecord record =
        new IterationRecord(
            1, 0.5, 100, Double.NaN, 1.0, 0.1, null, null, Map.of(), Map.of(), null);
    RunInfo info = RunSamples.info(dir.toString(), 1);
    assertThat(finished(info, List.of(record)))
        .contains("Ended after 1 of 1")
        .doesNotContain("MNaN", "LNaN");
  }

  @Test
  void aReportThatCannotBeWrittenDoesNotEndTheRun() throws IOException {
    Path file = Files.writeString(dir.resolve("file"), "not a folder");
    ReportWriter writer = new ReportWriter(new LocalStorage(), () -> now);
    writer.started(RunSamples.info(file.toString(), 1));
    writer.iteration(RunSamples.records(1).get(0));
    assertThat(file).hasContent("not a folder");
  }

  private String finished(RunInfo info, List<IterationRecord> records) throws IOException {
    ReportWriter writer = new ReportWriter(new LocalStorage(), () -> now);
    writer.started(info);
    records.forEach(writer::iteration);
    writer.finished(RunSamples.summary(records));
    return page();
  }

  private String page() throws IOException {
    return Files.readString(dir.resolve(ReportWriter.FILE));
  }
}
