package org.kfac4j.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.kfac4j.data.LocalStorage;
import org.kfac4j.training.CheckpointStore;
import org.kfac4j.training.IterationRecord;
import org.kfac4j.training.MetricsWriter;

/** A comparison from its conf file to its tables, cut off and resumed, and what it refuses. */
class CompareTest {
  private static final int ITERATIONS = 12;

  @TempDir Path temporary;
  private IdxFolder data;

  @BeforeEach
  void writeData() throws IOException {
    data = IdxFolder.write(temporary.resolve("data"), 200, 50, 6, 6);
  }

  private static final String OPTIMIZERS =
      """
      { name = "K-FAC", settings { optimizer.damping.initial = 1 } }
      { name = EKFAC, settings { optimizer { preconditioner = ekfac, damping.initial = 1 } } }
      { name = Adam, settings { optimizer.name = adam }, grid { optimizer.learning-rate.initial = [1e-3, 1e-2] } }
      { name = wild, settings { optimizer.name = sgd, optimizer.learning-rate.initial = 1e9 } }
      """;

  private Path conf(String folder, String optimizers) throws IOException {
    return Files.writeString(
        temporary.resolve(folder + ".conf"),
        """
        model { layers = [36, 20, 5, 20, 36], activation = tanh, loss = xent, init = xavier, linear-code = 5 }
        data { source = idx, path = "%s" }
        curvature { inverse-period = 4 }
        training { iterations = %d, batch-size = 60, evaluate-every = 3, checkpoint-every = 2 }
        compare { targets = [9, 0.001], optimizers = [ %s ] }
        output { dir = "%s" }
        """
            .formatted(data.path(), ITERATIONS, optimizers, out(folder)));
  }

  private Path out(String folder) {
    return temporary.resolve(folder);
  }

  private static Jobs.Ended compare(Path conf, String... args) {
    List<String> all = new ArrayList<>(List.of(conf.toString()));
    all.addAll(List.of(args));
    return Jobs.run(new Compare(), all.toArray(String[]::new));
  }

  private static List<IterationRecord> records(Path run) throws IOException {
    return Files.readAllLines(run.resolve(MetricsWriter.FILE)).stream()
        .map(MetricsWriter::parse)
        .toList();
  }

  private static List<Double> losses(Path run) throws IOException {
    return records(run).stream().map(IterationRecord::loss).toList();
  }

  @Test
  void everyOptimizerHasItsLineAndEveryRunItsFolder() throws IOException {
    Path conf = conf("a", OPTIMIZERS);
    Jobs.Ended ended = compare(conf);
    assertThat(ended.code()).as(ended.err()).isZero();
    assertThat(ended.out())
        .contains("run 1 of 5", "run 5 of 5", "iterations to 9", "s to 0.001", "K-FAC", "EKFAC")
        .contains("(diverged)", "> " + ITERATIONS);
    JsonNode json = new ObjectMapper().readTree(out("a").resolve("comparison.json").toFile());
    assertThat(json.get("runs")).hasSize(5);
    assertThat(json.get("runs").get(4).get("outcome").asText()).startsWith("diverged: ");
    for (JsonNode run : json.get("runs")) {
      assertThat(run.get("targets").get(1).get("censored").asBoolean()).isTrue();
      assertThat(run.get("targets").get(1).has("seconds")).isFalse();
    }
    assertThat(json.get("winners").get(0).get("iterations")).isNotEmpty();
    assertThat(json.get("winners").get(1).get("seconds")).isEmpty();
    assertThat(ended.out()).contains("9: fewest iterations", "0.001: no run got there");
    List<String> csv = Files.readAllLines(out("a").resolve("comparison.csv"));
    assertThat(csv).hasSize(6);
    assertThat(csv.get(3)).startsWith("Adam,learning-rate.initial=0.001,iterations," + ITERATIONS);
    String report = Files.readString(out("a").resolve("report.html"));
    assertThat(report)
        .contains("K-FAC", "EKFAC", "No run reached 0.001", "Training loss", "All runs")
        .doesNotContain("http://", "https://");
    // All of them begin with the same weights and batch.
    List<Path> runs = List.of(run("a", "k-fac"), run("a", "ekfac"), run("a", "wild"));
    for (Path run : runs) {
      assertThat(losses(run).get(0)).isEqualTo(losses(runs.get(0)).get(0));
    }
    assertThat(losses(run("a", "k-fac"))).hasSize(ITERATIONS);
  }

  private Path run(String folder, String name) {
    return out(folder).resolve("runs").resolve(name);
  }

  @Test
  void aComparisonThatWasKilledGoesOnWithoutRepeatingWhatHasEnded()
      throws IOException, InterruptedException {
    Path whole = conf("whole", OPTIMIZERS);
    assertThat(compare(whole).code()).isZero();
    Path cut = conf("cut", OPTIMIZERS);
    List<String> command = new ArrayList<>(Jobs.java("-Xmx512m"));
    command.addAll(
        List.of(
            "-Dspark.master=local[2]",
            "-Dspark.ui.enabled=false",
            Compare.class.getName(),
            cut.toString()));
    try (Jobs.Child child = Jobs.start(temporary, command)) {
      Path second = run("cut", "ekfac").resolve(MetricsWriter.FILE);
      long deadline = System.nanoTime() + 120_000_000_000L;
      while (child.process().isAlive()
          && System.nanoTime() < deadline
          && !(Files.exists(second) && Files.readAllLines(second).size() >= 5)) {
        Thread.sleep(5);
      }
      child.kill();
    }
    byte[] first = Files.readAllBytes(run("cut", "k-fac").resolve(MetricsWriter.FILE));
    assertThat(run("cut", "wild")).doesNotExist();
    // What the second run's checkpoint holds, and how long that took, which no other run repeats.
    int saved = savedIterations(run("cut", "ekfac"));
    assertThat(saved).isBetween(4, ITERATIONS);
    List<String> kept = lines("ekfac").subList(0, saved);
    Jobs.Ended ended = compare(cut, "--resume");
    assertThat(ended.code()).as(ended.err()).isZero();
    assertThat(ended.out()).contains("k-fac, which has ended").doesNotContain("adam-l, which");
    assertThat(Files.readAllBytes(run("cut", "k-fac").resolve(MetricsWriter.FILE)))
        .isEqualTo(first);
    assertThat(lines("ekfac")).startsWith(kept.toArray(String[]::new)).hasSize(ITERATIONS);
    try (Stream<Path> runs = Files.list(out("whole").resolve("runs"))) {
      for (Path run : runs.toList()) {
        String name = run.getFileName().toString();
        assertThat(losses(run("cut", name))).as(name).isEqualTo(losses(run));
      }
    }
    Jobs.Ended again = compare(cut, "--resume");
    assertThat(again.code()).isZero();
    assertThat(again.out()).contains("run 5 of 5: wild, which has ended");
  }

  private List<String> lines(String name) throws IOException {
    return Files.readAllLines(run("cut", name).resolve(MetricsWriter.FILE));
  }

  /** Iterations in the newest checkpoint that was finished; the one after it may not have been. */
  private static int savedIterations(Path run) throws IOException {
    String checkpoints = run.resolve("checkpoint").toString();
    return new CheckpointStore(new LocalStorage(), checkpoints, 1)
        .latest(warning -> {})
        .orElseThrow()
        .iteration();
  }

  /** As if it had been killed in the middle of writing. */
  @Test
  void aRunWhoseNoteWasCutOffIsRepeated() throws IOException {
    Path conf = conf("note", "{ name = Adam, settings { optimizer.name = adam } }");
    assertThat(compare(conf).code()).isZero();
    List<Double> losses = losses(run("note", "adam"));
    Path note = run("note", "adam").resolve("run.json");
    for (String left : List.of("", "{ \"optimizer\": \"Ad")) {
      Files.writeString(note, left);
      Jobs.Ended again = compare(conf, "--resume");
      assertThat(again.code()).as(again.err()).isZero();
      assertThat(again.out()).doesNotContain("which has ended");
      assertThat(losses(run("note", "adam"))).isEqualTo(losses);
    }
    assertThat(compare(conf, "--resume").out()).contains("adam, which has ended");
  }

  @Test
  void whatIsThereIsNotReplacedAndOtherSettingsAreNotResumed() throws IOException {
    String one = "{ name = Adam, settings { optimizer.name = adam } }";
    Path conf = conf("b", one);
    assertThat(compare(conf).code()).isZero();
    assertRefused(compare(conf), "output.dir", "already holds a comparison", "--resume");
    assertRefused(
        compare(conf, "--resume", "--set", "optimizer.l2=0.5"),
        "--resume",
        "optimizer.l2",
        "adam",
        "0.5");
    assertThat(compare(conf, "--set", "output.overwrite=true").code()).isZero();
    Path more = conf("b", one + "\n{ name = momentum, settings { optimizer.name = momentum } }");
    Jobs.Ended longer = compare(more, "--resume");
    assertThat(longer.code()).as(longer.err()).isZero();
    assertThat(longer.out()).contains("adam, which has ended", "run 2 of 2: momentum");
  }

  @Test
  void whatIsNoComparisonOrOfOtherDataIsNotResumed() throws IOException {
    Path conf = conf("c", "{ name = Adam, settings { optimizer.name = adam } }");
    Files.createDirectories(out("c"));
    Files.writeString(out("c").resolve("report.html"), "of another job");
    assertRefused(compare(conf, "--resume"), "--resume: output.dir", "holds no comparison");
    assertThat(out("c").resolve("report.html")).hasContent("of another job");
    Files.delete(out("c").resolve("report.html"));
    assertThat(compare(conf).code()).isZero();
    String other = IdxFolder.write(temporary.resolve("other"), 200, 50, 6, 6).path().toString();
    assertThat(compare(conf, "--resume", "--set", "data.path=" + other).code()).isZero();
    byte[] images = Files.readAllBytes(Path.of(other).resolve("train-images-idx3-ubyte"));
    images[images.length - 1] ^= 64;
    Files.write(Path.of(other).resolve("train-images-idx3-ubyte"), images);
    assertRefused(
        compare(conf, "--resume", "--set", "data.path=" + other),
        "run adam",
        "of other training data: 200 × 36, checksum");
  }

  private static void assertRefused(Jobs.Ended ended, String... fragments) {
    assertThat(ended.code()).as(ended.out() + ended.err()).isEqualTo(Job.BAD_INPUT);
    assertThat(ended.err().lines()).hasSize(1);
    assertThat(ended.err()).startsWith("error: ").contains(fragments).doesNotContain("Exception");
  }

  static Stream<Arguments> wrong() {
    return Stream.of(
            List.of("", "compare.optimizers", "at least one"),
            List.of("adam", "compare.optimizers", "a list of blocks"),
            List.of("{ settings { optimizer.name = adam } }", "compare.optimizers", "name"),
            List.of("{ name = a, setings { } }", "compare.optimizers", "setings"),
            List.of("{ name = a }\n{ name = a }", "compare.optimizers", "\"a\"", "different"),
            List.of("{ name = a, settings = 3 }", "\"a\"", "settings must be a block"),
            List.of(
                "{ name = a, settings { optimizer.nam = adam } }",
                "\"a\"",
                "optimizer.nam",
                "did you mean"),
            List.of("{ name = a, settings { optimizer.name = adamm } }", "\"a\"", "adamm", "adam"),
            List.of(
                "{ name = a, settings { training.seed = 2 } }", "\"a\"", "training.seed", "share"),
            List.of("{ name = a, settings { data.path = x } }", "\"a\"", "data.path", "share"),
            List.of(
                "{ name = a, grid { optimizer.learning-rate.initial = 3 } }",
                "\"a\"",
                "optimizer.learning-rate.initial",
                "list of values",
                "3"),
            List.of("{ name = a, grid { optimizer.l2 = [] } }", "\"a\"", "optimizer.l2", "list"),
            List.of(
                "{ name = ok }\n{ name = a, settings { optimizer.name = lbfgs } }",
                "\"a\"",
                "lbfgs",
                "200",
                "60"),
            List.of(
                "{ name = a, settings { optimizer.step = scheduled } }",
                "\"a\"",
                "levenberg-marquardt"),
            List.of("{ name = a-b }\n{ name = \"a b\" }", "folder a-b"))
        .map(each -> Arguments.of(each.get(0), each.subList(1, each.size())));
  }

  @ParameterizedTest
  @MethodSource("wrong")
  void whatIsWrongIsSaidBeforeAnythingRuns(String optimizers, List<String> fragments)
      throws IOException {
    Path conf = conf("wrong", optimizers);
    assertRefused(compare(conf), fragments.toArray(String[]::new));
    assertThat(out("wrong").resolve("runs")).doesNotExist();
  }

  @Test
  void helpSaysWhatThereIsToSay() {
    Jobs.Ended help = Jobs.run(new Compare(), "--help");
    assertThat(help.code()).isZero();
    assertThat(help.out()).contains("compare.optimizers", "--resume", "Exit codes");
  }
}
