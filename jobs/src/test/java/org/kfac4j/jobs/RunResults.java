package org.kfac4j.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.kfac4j.Snapshot;
import org.kfac4j.data.LocalStorage;
import org.kfac4j.network.Dl4jModel;
import org.kfac4j.training.CheckpointStore;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The files of a run. */
record RunResults(Path folder) {
  private static final ObjectMapper JSON = new ObjectMapper();

  Path metricsFile() {
    return folder.resolve("metrics.jsonl");
  }

  /** Lines of metrics so far, 0 if there is no file. */
  int iterations() throws IOException {
    if (!Files.exists(metricsFile())) {
      return 0;
    }
    String text = Files.readString(metricsFile());
    return (int) text.chars().filter(c -> c == '\n').count();
  }

  List<JsonNode> metrics() throws IOException {
    List<JsonNode> lines = new ArrayList<>();
    for (String line : Files.readAllLines(metricsFile())) {
      lines.add(JSON.readTree(line));
    }
    return lines;
  }

  JsonNode summary() throws IOException {
    return JSON.readTree(folder.resolve("summary.json").toFile());
  }

  private boolean isGraph() {
    return Dl4jModel.read(new LocalStorage(), folder.resolve("model.zip").toString())
        .model()
        .graph();
  }

  /** What DL4J's own network computes of {@code inputs}. */
  INDArray output(INDArray inputs) throws IOException {
    return isGraph()
        ? ComputationGraph.load(model(), false).outputSingle(inputs)
        : MultiLayerNetwork.load(model(), false).output(inputs);
  }

  float[] weights() throws IOException {
    Model model =
        isGraph() ? ComputationGraph.load(model(), false) : MultiLayerNetwork.load(model(), false);
    return model.params().toFloatVector();
  }

  private File model() {
    return folder.resolve("model.zip").toFile();
  }

  Path checkpoint(int iteration) {
    return folder.resolve("checkpoint").resolve("iteration-%06d".formatted(iteration));
  }

  /** Weights, averages, momentum, curvature, inverses, damping, … in the newest checkpoint. */
  Snapshot state() throws IOException {
    String checkpoints = folder.resolve("checkpoint").toString();
    List<String> warnings = new ArrayList<>();
    Snapshot state =
        new CheckpointStore(new LocalStorage(), checkpoints, 1)
            .latest(warnings::add)
            .orElseThrow()
            .snapshot();
    assertThat(warnings).isEmpty();
    return state;
  }

  /** Equal in everything but the time it took, bit for bit. */
  void assertEqualTo(RunResults expected) throws IOException {
    List<JsonNode> metrics = metrics();
    assertThat(metrics)
        .extracting(line -> line.get("iteration").asInt())
        .containsExactlyElementsOf(IntStream.rangeClosed(1, metrics.size()).boxed().toList());
    List<JsonNode> now = timeless(metrics);
    List<JsonNode> then = timeless(expected.metrics());
    // One by one, so that the first difference is seen.
    for (int i = 0; i < Math.min(now.size(), then.size()); i++) {
      assertThat(now.get(i)).isEqualTo(then.get(i));
    }
    assertThat(now).hasSameSizeAs(then);
    assertThat(weights()).isEqualTo(expected.weights());
    Snapshot state = state();
    Snapshot expectedState = expected.state();
    assertThat(state.names()).containsExactlyElementsOf(expectedState.names());
    for (String name : state.names()) {
      if (!name.equals("seconds") && !name.equals("history")) {
        assertThat(state.entries().get(name))
            .as("%s of the checkpoint", name)
            .isEqualTo(expectedState.entries().get(name));
      }
    }
  }

  private static List<JsonNode> timeless(List<JsonNode> lines) {
    List<JsonNode> copies = new ArrayList<>();
    for (JsonNode line : lines) {
      ObjectNode copy = line.deepCopy();
      copies.add(copy.remove(List.of("seconds", "phaseSeconds", "passSeconds")));
    }
    return copies;
  }

  /** Every file under a folder, by its path. */
  static Map<String, String> tree(Path folder) throws IOException {
    Map<String, String> files = new TreeMap<>();
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path path : (Iterable<Path>) all::iterator) {
        String content =
            Files.isRegularFile(path)
                ? java.util.Arrays.toString(Files.readAllBytes(path))
                : "folder";
        files.put(folder.relativize(path).toString(), content);
      }
    }
    return files;
  }
}
