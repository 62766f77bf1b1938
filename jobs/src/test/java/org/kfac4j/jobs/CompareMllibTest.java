package org.kfac4j.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CompareMllibTest {
  @TempDir static Path folder;
  private static Path conf;

  @BeforeAll
  static void writeConf() throws IOException {
    IdxFolder.write(folder.resolve("data"), 120, 45, 4, 5);
    String text =
        """
        model { layers = [20, 8, 10], loss = mcxent, init = xavier }
        data { source = idx, path = "%s", task = classifier }
        optimizer { damping { initial = 1 } }
        training { iterations = 6, batch-size = 60, evaluate-every = 2 }
        """
            .formatted(folder.resolve("data"));
    conf = Files.writeString(folder.resolve("tiny.conf"), text);
  }

  private static Jobs.Ended compare(String dir, String... more) {
    List<String> args =
        new ArrayList<>(
            List.of(
                conf.toString(),
                "--set",
                "output.dir=" + folder.resolve(dir),
                "--mllib-iterations",
                "2"));
    args.addAll(List.of(more));
    return Jobs.run(new CompareMllib(), args.toArray(String[]::new));
  }

  @Test
  void bothAreTrainedAndCompared() throws IOException {
    Jobs.Ended run = compare("both");
    assertThat(run.err()).isEmpty();
    assertThat(run.code()).isZero();
    JsonNode json = new ObjectMapper().readTree(folder.resolve("both/comparison.json").toFile());
    assertThat(json.get("layers")).hasToString("[20,8,10]");
    assertThat(json.at("/kfac4j/iterations").asInt()).isEqualTo(6);
    assertThat(json.at("/kfac4j/evaluations")).hasSize(3);
    assertThat(json.at("/mllib/iterations").asInt()).isEqualTo(2);
    for (String each : List.of("kfac4j", "mllib")) {
      assertThat(json.get(each).get("seconds").asDouble()).isPositive();
      assertThat(json.get(each).get("testAccuracy").asDouble()).isBetween(0.0, 1.0);
    }
    assertThat(json.get("ratioOfSeconds").asDouble())
        .isEqualTo(json.at("/mllib/seconds").asDouble() / json.at("/kfac4j/seconds").asDouble());
    assertThat(run.out())
        .contains("layers 20-8-10", "iterations", "test accuracy", "comparison.json");

    Jobs.Ended again = compare("both");
    assertThat(again.code()).isEqualTo(Job.BAD_INPUT);
    assertThat(again.err()).contains("comparison.json", "output.overwrite=true");
  }

  @Test
  void aTargetEndsTheTrainingOfKfac4j() throws IOException {
    assertThat(compare("target", "--set", "training.target=0.05").out())
        .contains("stopped at training.target");
    JsonNode json = new ObjectMapper().readTree(folder.resolve("target/comparison.json").toFile());
    assertThat(json.at("/kfac4j/reason").asText()).isEqualTo("target");
    assertThat(json.at("/kfac4j/iterations").asInt()).isEqualTo(2);
  }

  @Test
  void anAutoencoderIsRefused() {
    Jobs.Ended run =
        compare(
            "refused",
            "--set",
            "data.task=autoencoder",
            "--set",
            "model.layers=20,4,20",
            "--set",
            "model.loss=xent");
    assertThat(run.code()).isEqualTo(Job.BAD_INPUT);
    assertThat(run.err()).contains("data.task must be classifier, got autoencoder");
    assertThat(folder.resolve("refused")).doesNotExist();
  }

  @Test
  void noIterationsAreRefused() {
    Jobs.Ended run = compare("refused", "--mllib-iterations=0");
    assertThat(run.code()).isEqualTo(Job.BAD_INPUT);
  }
}
