package org.kfac4j.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.kfac4j.Settings;
import org.kfac4j.data.DataSet;
import org.kfac4j.data.DataSource;
import org.kfac4j.data.Examples;
import org.kfac4j.data.Hashing;
import org.kfac4j.data.LocalStorage;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Every conf file in conf/ is one that a run can be started with, and what a run promises to write
 * is there.
 */
class ConfsTest {
  private static final Path CONFS = Path.of("..", "conf");
  private static final int TEST_EXAMPLES = 40;

  @TempDir Path temporary;

  static List<String> confs() throws IOException {
    try (Stream<Path> files = Files.list(CONFS)) {
      List<String> names =
          files
              .map(file -> file.getFileName().toString())
              .filter(name -> name.endsWith(".conf") && !name.startsWith("spark-"))
              .sorted()
              .toList();
      assertThat(names).isNotEmpty();
      return names;
    }
  }

  /** Two iterations on little data: files are made up, and batches are small. */
  private List<String> small(Settings settings) throws IOException {
    List<String> args = new ArrayList<>();
    for (String setting :
        List.of(
            "training.iterations=2",
            "training.batch-size=30",
            "training.evaluate-every=1",
            "training.checkpoint-every=1",
            "data.train-size=60",
            "data.test-size=" + TEST_EXAMPLES,
            "output.dir=" + temporary.resolve("out"))) {
      args.addAll(List.of("--set", setting));
    }
    if (settings.text("data.source").equals("cifar10")) {
      Path folder = Files.createDirectories(temporary.resolve("data"));
      Files.write(folder.resolve("data_batch_1.bin"), cifar(60));
      Files.write(folder.resolve("test_batch.bin"), cifar(TEST_EXAMPLES));
      args.addAll(List.of("--set", "data.path=" + folder));
    } else if (!settings.text("data.path").isEmpty()) {
      IdxFolder data = IdxFolder.write(temporary.resolve("data"), 60, TEST_EXAMPLES, 28, 28);
      args.addAll(List.of("--set", "data.path=" + data.path()));
    }
    return args;
  }

  /** Records of a label and 3 × 32 × 32 bytes. */
  private static byte[] cifar(int count) {
    byte[] records = new byte[count * 3073];
    for (int i = 0; i < records.length; i++) {
      records[i] = (byte) (i % 3073 == 0 ? i / 3073 % 10 : Hashing.at(1, i));
    }
    return records;
  }

  private static Settings settings(Path conf, List<String> args) throws IOException {
    List<String> overrides = args.stream().filter(arg -> !arg.equals("--set")).toList();
    return Settings.load(conf.toString(), Files.readString(conf), overrides);
  }

  @ParameterizedTest
  @MethodSource("confs")
  void twoIterationsWriteAllThatARunPromises(String name) throws IOException {
    Path conf = CONFS.resolve(name);
    List<String> args = small(settings(conf, List.of()));
    Jobs.Ended ended = Jobs.train(conf, args.toArray(String[]::new));
    assertThat(ended.code()).as(ended.err()).isZero();
    assertThat(ended.err()).isEmpty();
    RunResults results = new RunResults(temporary.resolve("out"));
    assertThat(results.folder())
        .isDirectoryContaining("glob:**model.zip")
        .isDirectoryContaining("glob:**metrics.jsonl")
        .isDirectoryContaining("glob:**summary.json")
        .isDirectoryContaining("glob:**report.html")
        .isDirectoryContaining("glob:**checkpoint");
    Settings settings = settings(conf, args);
    boolean classifier = settings.text("data.task").equals("classifier");
    checkMetrics(results.metrics(), settings, classifier);
    checkSummary(results.summary(), settings, classifier);
    checkReport(Files.readString(results.folder().resolve("report.html")));
    checkModel(results, settings, classifier);
  }

  static List<String> comparisons() throws IOException {
    return confs().stream().filter(name -> name.startsWith("compare-")).toList();
  }

  @ParameterizedTest
  @MethodSource("comparisons")
  void comparisonsRunEveryOptimizerThatTheyName(String name) throws IOException {
    Path conf = CONFS.resolve(name);
    Settings settings = Settings.load(name, Files.readString(conf), List.of());
    List<String> args = new ArrayList<>(List.of(conf.toString()));
    args.addAll(small(settings));
    args.addAll(List.of("--set", "training.iterations=1"));
    Jobs.Ended ended = Jobs.run(new Compare(), args.toArray(String[]::new));
    assertThat(ended.code()).as(ended.err()).isZero();
    int optimizers = settings.blocks("compare.optimizers").size();
    assertThat(optimizers).isGreaterThan(10);
    Path table = temporary.resolve("out").resolve("comparison.csv");
    assertThat(Files.readAllLines(table)).hasSizeGreaterThan(optimizers);
    assertThat(Files.readString(table)).doesNotContain("diverged");
  }

  private static void checkMetrics(List<JsonNode> metrics, Settings settings, boolean classifier) {
    assertThat(metrics).hasSize(2);
    for (JsonNode line : metrics) {
      List<String> keys = new ArrayList<>();
      line.fieldNames().forEachRemaining(keys::add);
      assertThat(keys)
          .contains(
              "iteration", "seconds", "batchSize", "loss", "phaseSeconds", "testLoss", "alpha")
          .contains(classifier ? "testAccuracy" : "testError")
          .doesNotContain(classifier ? "testError" : "testAccuracy");
      assertThat(line.get("loss").asDouble()).isPositive();
      assertThat(line.get("batchSize").asInt()).isEqualTo(30);
      List<String> phases = new ArrayList<>();
      line.get("phaseSeconds").fieldNames().forEachRemaining(phases::add);
      assertThat(phases).contains("map", "aggregate", "broadcast");
      if (settings.text("optimizer.name").equals("kfac")) {
        assertThat(keys).contains("damping");
        assertThat(phases).contains("precondition");
      }
    }
    assertThat(metrics.get(1).get("seconds").asDouble())
        .isGreaterThan(metrics.get(0).get("seconds").asDouble());
  }

  private static void checkSummary(JsonNode summary, Settings settings, boolean classifier) {
    assertThat(summary.get("reason").asText()).isEqualTo("iterations");
    assertThat(summary.get("iterations").asInt()).isEqualTo(2);
    assertThat(summary.get("trainSize").asInt()).isEqualTo(60);
    assertThat(summary.get("testSize").asInt()).isEqualTo(TEST_EXAMPLES);
    assertThat(summary.get("seconds").asDouble()).isPositive();
    assertThat(summary.get("medianIterationSeconds").asDouble()).isPositive();
    String figure = classifier ? "testAccuracy" : "testError";
    assertThat(summary.get("final").get(figure).isNumber()).isTrue();
    assertThat(summary.get("best").get(figure).isNumber()).isTrue();
    for (String version : List.of("java", "spark", "nd4j", "kfac4j", "blas")) {
      assertThat(summary.get("versions").get(version).asText()).as(version).isNotEmpty();
    }
    assertThat(summary.get("cluster").get("master").asText()).isEqualTo("local[2]");
    for (Map.Entry<String, String> setting : settings.flat().entrySet()) {
      assertThat(summary.get("settings").get(setting.getKey()).asText())
          .as(setting.getKey())
          .isEqualTo(setting.getValue());
    }
  }

  private static void checkReport(String html) {
    assertThat(html).startsWithIgnoringCase("<!doctype html>").contains("<svg", "</html>");
    assertThat(html.replace("http://www.w3.org", "")).doesNotContain("src=\"http", "href=\"http");
  }

  /**
   * DL4J opens the model and gives the test set the figures that the run reported for its best
   * iteration.
   */
  private static void checkModel(RunResults results, Settings settings, boolean classifier)
      throws IOException {
    Problem problem = Problem.from(settings, new LocalStorage());
    DataSet data = problem.data();
    Examples examples = data.test().read(0, TEST_EXAMPLES);
    INDArray inputs = rows(examples.features(), data.test());
    INDArray outputs = results.output(inputs);
    JsonNode best = results.summary().get("best");
    if (classifier) {
      INDArray guesses = outputs.argMax(1);
      int correct = 0;
      for (int i = 0; i < TEST_EXAMPLES; i++) {
        correct += guesses.getInt(i) == examples.labels()[i] ? 1 : 0;
      }
      assertThat((double) correct / TEST_EXAMPLES)
          .isCloseTo(best.get("testAccuracy").asDouble(), within(1e-9));
    } else {
      double error = outputs.sub(inputs).norm2Number().doubleValue();
      double reported = best.get("testError").asDouble();
      assertThat(error * error / TEST_EXAMPLES).isCloseTo(reported, within(1e-4 * reported));
    }
  }

  private static INDArray rows(float[] values, DataSource source) {
    return Nd4j.create(values, new long[] {TEST_EXAMPLES, source.shape().features()}, 'c');
  }

  @ParameterizedTest
  @MethodSource("confs")
  void printedSettingsAreAConfFileThatSaysTheSame(String name) throws IOException {
    String conf = CONFS.resolve(name).toString();
    String[] asked = {
      conf, "--print-config", "--set", "training.iterations=7", "--set", "output.dir=a b"
    };
    Jobs.Ended printed = Jobs.runAsConfigured(new Train(), asked);
    assertThat(printed.code()).as(printed.err()).isZero();
    Settings again = Settings.load("printed", printed.out(), List.of());
    Settings meant =
        Settings.load(
            conf,
            Files.readString(CONFS.resolve(name)),
            List.of("training.iterations=7", "output.dir=a b"));
    assertThat(again.flat()).isEqualTo(meant.flat());
    assertThat(again.positiveInt("training.iterations")).isEqualTo(7);
    Path file = Files.writeString(temporary.resolve("printed.conf"), printed.out());
    Jobs.Ended reprinted = Jobs.runAsConfigured(new Train(), file.toString(), "--print-config");
    assertThat(reprinted.out()).isEqualTo(printed.out());
  }

  @Test
  void theDefaultsArePrintedWithoutAConfFile() {
    Jobs.Ended printed = Jobs.runAsConfigured(new Train(), "--print-config");
    assertThat(printed.code()).isZero();
    assertThat(Settings.load("printed", printed.out(), List.of()).flat())
        .isEqualTo(Settings.load("defaults", "", List.of()).flat());
  }

  @Test
  void helpSaysWhatThereIsToSay() {
    Jobs.Ended ended = Jobs.runAsConfigured(new Train(), "--help");
    assertThat(ended.code()).isZero();
    assertThat(ended.err()).isEmpty();
    assertThat(ended.out())
        .contains("train", "CONF", "--set", "--resume", "--print-config", "Exit codes");
  }
}
