package org.kfac4j.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.kfac4j.InvalidInputException;
import org.kfac4j.data.LocalStorage;

class MetricsWriterTest {
  @TempDir Path dir;

  @Test
  void secondsOfPassesComeBack() {
    Map<String, Double> passes = Map.of("gradient", 0.1, "gradient rest", 0.02);
    IterationRecord record =
        new IterationRecord(
            3, 0.5, 10, 1, null, null, null, null, Map.of("map", 0.1), passes, Map.of(), null);
    assertThat(MetricsWriter.format(record)).contains("\"passSeconds\":{\"gradient\":0.1,");
    assertThat(MetricsWriter.parse(MetricsWriter.format(record))).isEqualTo(record);
  }

  @Test
  void aLineHasTheseKeys() {
    IterationRecord record =
        new IterationRecord(
            20,
            7.5,
            1000,
            61.25,
            32.0,
            0.75,
            0.5,
            1.1,
            Map.of("map", 0.25, "inverse", 0.5),
            Map.of("layer0 pi", 2.0),
            new Evaluation(62.0, 12.5, null, true));
    assertThat(MetricsWriter.format(record))
        .isEqualTo(
            "{\"iteration\":20,\"seconds\":7.5,\"batchSize\":1000,\"loss\":61.25,\"damping\":32.0,\"alpha\":0.75,\"mu\":0.5,"
                + "\"rho\":1.1,\"phaseSeconds\":{\"inverse\":0.5,\"map\":0.25},\"curvature\":{\"layer0 pi\":2.0},"
                + "\"testLoss\":62.0,\"testError\":12.5,\"averaged\":true}");
  }

  @Test
  void whatARecordLacksIsLeftOut() {
    assertThat(MetricsWriter.format(bare(1, 0.5)))
        .isEqualTo(
            "{\"iteration\":1,\"seconds\":0.1,\"batchSize\":10,\"loss\":0.5,\"phaseSeconds\":{}}");
  }

  @Test
  void linesComeBackAsTheSameRecords() {
    for (IterationRecord record : RunSamples.records(60)) {
      assertThat(MetricsWriter.parse(MetricsWriter.format(record))).isEqualTo(record);
    }
    IterationRecord classifier =
        bare(3, 0.1 + 0.2).with(new Evaluation(Math.PI, null, 1 / 3.0, false));
    assertThat(MetricsWriter.parse(MetricsWriter.format(classifier))).isEqualTo(classifier);
  }

  @Test
  void numbersThatAreNotFiniteAreNullAndReadAsNaN() {
    String line = MetricsWriter.format(bare(1, Double.POSITIVE_INFINITY));
    assertThat(line).contains("\"loss\":null");
    assertThat(MetricsWriter.parse(line).loss()).isNaN();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "{", "[1]", "{\"iteration\":1}", "3"})
  void otherLinesAreRefused(String line) {
    assertThatThrownBy(() -> MetricsWriter.parse(line))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith("line of metrics must ");
  }

  @Test
  void everyLineIsThereAsSoonAsItsIterationIsDone() throws IOException {
    try (MetricsWriter writer = new MetricsWriter(new LocalStorage())) {
      writer.started(RunSamples.info(dir.toString(), 3));
      writer.iteration(bare(1, 0.5));
      assertThat(lines()).hasSize(1);
      writer.iteration(bare(2, 0.4));
      assertThat(lines()).hasSize(2);
    }
  }

  @Test
  void afterAResumeEachIterationIsThereOnce() throws IOException {
    List<IterationRecord> records = RunSamples.records(40);
    try (MetricsWriter first = new MetricsWriter(new LocalStorage())) {
      first.started(RunSamples.info(dir.toString(), 40));
      records.subList(0, 30).forEach(first::iteration);
    }
    try (MetricsWriter second = new MetricsWriter(new LocalStorage())) {
      second.started(RunSamples.info(dir.toString(), 40));
      records.subList(0, 20).forEach(second::replayed);
      records.subList(20, 40).forEach(second::iteration);
    }
    assertThat(lines().stream().map(MetricsWriter::parse)).isEqualTo(records);
  }

  private List<String> lines() throws IOException {
    return Files.readAllLines(dir.resolve(MetricsWriter.FILE));
  }

  private static IterationRecord bare(int iteration, double loss) {
    return new IterationRecord(
        iteration, 0.1 * iteration, 10, loss, null, null, null, null, Map.of(), Map.of(), null);
  }
}
