package org.kfac4j.training;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kfac4j.data.LocalStorage;

class SummaryWriterTest {
  @TempDir Path dir;

  @Test
  void saysWhatWasRunOnWhatAndHowItEnded() throws IOException {
    List<IterationRecord> records = RunSamples.records(40);
    JsonNode json =
        written(RunSamples.info(dir.toString(), 40), records, RunSamples.summary(records));
    Evaluation last = records.get(39).evaluation();
    assertThat(json.get("reason").asText()).isEqualTo("iterations");
    assertThat(json.get("iterations").asInt()).isEqualTo(40);
    assertThat(json.get("medianIterationSeconds").asDouble()).isEqualTo(0.36);
    assertThat(json.at("/final/testError").asDouble()).isEqualTo(last.error());
    assertThat(json.at("/best/iteration").asInt()).isEqualTo(40);
    assertThat(json.at("/best/testLoss").asDouble()).isEqualTo(last.loss());
    assertThat(json.get("loss").asDouble()).isEqualTo(records.get(39).loss());
    assertThat(json.get("trainSize").asLong()).isEqualTo(20_000);
    assertThat(json.get("testSize").asLong()).isEqualTo(10_000);
    assertThat(json.get("settings").get("training.batch-size").asText()).isEqualTo("1000");
    assertThat(json.get("versions").get("spark").asText()).isEqualTo("3.5.7");
    assertThat(json.get("cluster").get("master").asText()).isEqualTo("local[2]");
    assertThat(json.get("layers")).hasSize(12);
    assertThat(json.at("/layers/0/factors").asText()).isEqualTo("785² ⊗ 400²");
  }

  @Test
  void aRunThatDivergedBeforeItsFirstEvaluationHasNeitherFinalNorBest() throws IOException {
    RunSummary summary = new RunSummary("diverged", 0, 0, 0, 0, null, null);
    JsonNode json = written(RunSamples.info(dir.toString(), 40), List.of(), summary);
    assertThat(json.has("final") || json.has("best") || json.has("loss")).isFalse();
    assertThat(json.get("reason").asText()).isEqualTo("diverged");
  }

  private JsonNode written(RunInfo info, List<IterationRecord> records, RunSummary summary)
      throws IOException {
    try (SummaryWriter writer = new SummaryWriter(new LocalStorage())) {
      writer.started(info);
      records.forEach(writer::iteration);
      writer.finished(summary);
    }
    return new ObjectMapper().readTree(dir.resolve(SummaryWriter.FILE).toFile());
  }
}
