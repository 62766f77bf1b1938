package org.kfac4j.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.kfac4j.Settings;
import org.kfac4j.optimizer.Preconditioner;
import org.kfac4j.optimizer.Preconditioners;

/** What a plan counts and what it refuses. */
class PlanTest {
  @TempDir Path temporary;

  private Path conf(String model, String more) throws IOException {
    IdxFolder data = IdxFolder.write(temporary.resolve("data"), 40, 20, 2, 3);
    return Files.writeString(
        temporary.resolve("a.conf"),
        """
        model { layers = %s, activation = tanh, loss = mcxent, init = xavier }
        data { source = idx, path = "%s", task = classifier, classes = 10 }
        training { iterations = 3, batch-size = 10 }
        output { dir = "%s" }
        %s
        """
            .formatted(model, data.path(), temporary.resolve("out"), more));
  }

  @Test
  void countsWhatLayersTakeAndSaysWhatToPass() throws IOException {
    Jobs.Ended ended = Jobs.run(new Plan(), conf("[6, 5, 10]", "").toString());
    assertThat(ended.code()).as(ended.err()).isZero();
    assertThat(ended.out())
        .contains("7² ⊗ 5²", "6² ⊗ 10²", "Kronecker, factored")
        .contains("driver heap, at least", "outside the heap", "an iteration sends", "a refresh")
        .contains("spark-submit --driver-memory 512m --conf spark.driver.maxResultSize=0");
    // Nothing has been trained or written.
    assertThat(temporary.resolve("out")).doesNotExist();
  }

  static Set<String> entries() {
    return Preconditioners.entries();
  }

  @ParameterizedTest
  @MethodSource("entries")
  void everyPreconditionerHasAPlan(String entry) throws IOException {
    String[] words = entry.split(" ");
    String more = "optimizer.preconditioner = " + words[0];
    if (words.length > 1) {
      more += "\ncurvature.damping = " + words[1];
    }
    Path conf = conf("[6, 5, 10]", more);
    Jobs.Ended ended = Jobs.run(new Plan(), conf.toString());
    assertThat(ended.code()).as(ended.err()).isZero();
    Preconditioner preconditioner =
        Preconditioners.create(entry, Settings.load("defaults", "", List.of()));
    assertThat(ended.out()).contains(preconditioner.describe());
    assertThat(ended.out().contains("and sends")).isEqualTo(preconditioner.scalings() != null);
  }

  /** The tests' JVM has 3 GB. */
  @Test
  void aNetworkThatTheDriverHasNoMemoryForIsRefusedByPlanAndTrain() throws IOException {
    // Weights that can be made, but not trained: 36 million and more.
    assertTooLarge("[6, 6000, 6000, 10]", "this run needs at least ");
    // 400 million, which cannot.
    assertTooLarge("[6, 20000, 20000, 10]", "the model has 400,");
  }

  private void assertTooLarge(String layers, String beginning) throws IOException {
    Path conf = conf(layers, "optimizer.preconditioner = diagonal");
    for (Jobs.Ended ended : List.of(Jobs.run(new Plan(), conf.toString()), Jobs.train(conf))) {
      assertThat(ended.code()).as(ended.err()).isEqualTo(Job.BAD_INPUT);
      assertThat(ended.err().lines()).hasSize(1);
      assertThat(ended.err()).startsWith("error: " + beginning).contains("--driver-memory");
    }
    assertThat(temporary.resolve("out").resolve("metrics.jsonl")).doesNotExist();
  }

  @Test
  void aFactorThatNoArrayHoldsIsRefusedByName() throws IOException {
    Path conf = conf("[6, 70000, 10]", "");
    Jobs.Ended ended = Jobs.run(new Plan(), conf.toString());
    assertThat(ended.code()).as(ended.err()).isEqualTo(Job.BAD_INPUT);
    assertThat(ended.err()).contains("70000 × 70000", "cgfac");
  }

  @Test
  void aFactorThatIsTooWideIsRefusedOrSplitAsTheSettingsSay() throws IOException {
    Path refused = conf("[6, 50, 10]", "curvature.widest-factor = 40");
    for (Jobs.Ended ended :
        List.of(Jobs.run(new Plan(), refused.toString()), Jobs.train(refused))) {
      assertThat(ended.code()).as(ended.err()).isEqualTo(Job.BAD_INPUT);
      assertThat(ended.err().lines()).hasSize(1);
      assertThat(ended.err()).contains("50 × 50", "curvature.widest-factor = 40", "blocks");
    }
    Path split = conf("[6, 50, 10]", "curvature { widest-factor = 40, wide-factors = blocks }");
    Jobs.Ended plan = Jobs.run(new Plan(), split.toString());
    assertThat(plan.out()).contains("7² ⊗ 2 × 25²", "2 × 26² ⊗ 10²");
    Jobs.Ended trained = Jobs.train(split);
    assertThat(trained.code()).as(trained.err()).isZero();
    assertThat(Files.readString(temporary.resolve("out").resolve("report.html")))
        .contains("7² ⊗ 2 × 25²", "2 × 26² ⊗ 10²");
  }

  @Test
  void anIterationIsPredictedHereAndOnClustersThatAreNotRented() throws IOException {
    String conf = conf("[6, 5, 10]", "").toString();
    Jobs.Ended guessed = Jobs.run(new Plan(), conf, "--executors", "1,100", "--to-target", "50");
    assertThat(guessed.code()).as(guessed.err()).isZero();
    assertThat(guessed.out())
        .contains("an iteration takes", "gradient: tasks", "inverses", "usually (median)")
        .contains("note: no run was measured", "s/iteration", "s for 50", "50 iterations take");
    assertThat(guessed.out().lines().filter(line -> line.matches("1(00)? .*"))).hasSize(2);
  }

  @Test
  void runsThatWereMadeAreFitted() throws IOException {
    Path conf = conf("[6, 5, 10]", "");
    String[] folders = new String[2];
    int[] batches = {5, 35};
    for (int i = 0; i < 2; i++) {
      folders[i] = temporary.resolve("run" + i).toString();
      Jobs.Ended ended =
          Jobs.train(
              conf,
              "--set",
              "training.iterations=12",
              "--set",
              "training.batch-size=" + batches[i],
              "--set",
              "output.dir=" + folders[i]);
      assertThat(ended.code()).as(ended.err()).isZero();
    }
    Jobs.Ended fitted =
        Jobs.run(new Plan(), conf.toString(), "--metrics", String.join(",", folders));
    assertThat(fitted.code()).as(fitted.err()).isZero();
    assertThat(fitted.out()).contains("an iteration takes", "2 tasks at a time");
    assertRefused(conf, "two or more batch sizes", "--metrics", folders[0]);
    assertRefused(conf, "there is no summary.json", "--metrics", temporary + "/nowhere");
    assertRefused(conf, "--executors must be from 1", "--executors", "4,0");
    assertRefused(conf, "--network-gbits must be positive", "--network-gbits", "0");
    assertRefused(conf, "bench --transport", "--transport", temporary + "/none.json");
    assertRefused(
        conf("[6, 7, 10]", ""), "the conf's has 129", "--metrics", String.join(",", folders));
    assertRefused(
        conf("[6, 5, 10]", "optimizer.preconditioner = ekfac"),
        "optimizer.preconditioner = kfac, the conf ekfac",
        "--metrics",
        String.join(",", folders));
  }

  private static void assertRefused(Path conf, String message, String... options) {
    List<String> arguments = new ArrayList<>(List.of(conf.toString()));
    arguments.addAll(List.of(options));
    Jobs.Ended ended = Jobs.run(new Plan(), arguments.toArray(String[]::new));
    assertThat(ended.code()).as(ended.out()).isEqualTo(Job.BAD_INPUT);
    assertThat(ended.err().lines()).hasSize(1);
    assertThat(ended.err()).contains(message);
  }

  @Test
  void inversesThatExecutorsMakeAreCountedThere() throws IOException {
    System.setProperty("spark.master", "spark://somewhere:7077");
    System.setProperty("spark.executor.memory", "2g");
    System.setProperty("spark.executor.cores", "2");
    System.setProperty("spark.executor.instances", "4");
    try {
      String[] expected = {
        "kfac driver: on the driver",
        "kfac executors: on executors, which keep them",
        "ekfac executors: on executors, from where the driver fetches them",
        "kfac auto: on the driver",
        "diagonal executors: "
      };
      for (String each : expected) {
        String[] words = each.split("[ :]+", 3);
        String more =
            "optimizer.preconditioner = %s, curvature.placement = %s".formatted(words[0], words[1]);
        Jobs.Ended ended = Jobs.runAsConfigured(new Plan(), conf("[6, 50, 10]", more).toString());
        assertThat(ended.code()).as(ended.err()).isZero();
        boolean made = !words[2].isEmpty();
        assertThat(ended.out().contains("inverses are made")).isEqualTo(made);
        assertThat(ended.out()).contains(words[2]);
        assertThat(ended.out().contains("to executors, each its layers"))
            .isEqualTo(words[1].equals("executors") && made);
      }
      String wide = "curvature.placement = auto";
      Jobs.Ended ended = Jobs.runAsConfigured(new Plan(), conf("[6, 1600, 10]", wide).toString());
      assertThat(ended.out()).contains("on executors, which keep them");
    } finally {
      for (String key :
          List.of(
              "spark.master",
              "spark.executor.memory",
              "spark.executor.cores",
              "spark.executor.instances")) {
        System.clearProperty(key);
      }
    }
  }

  @Test
  void executorsOfAClusterAreCountedByThemselves() throws IOException {
    Path conf = conf("[6, 5, 10]", "");
    System.setProperty("spark.master", "spark://somewhere:7077");
    System.setProperty("spark.executor.memory", "600m");
    System.setProperty("spark.executor.cores", "4");
    try {
      Jobs.Ended ended = Jobs.runAsConfigured(new Plan(), conf.toString());
      assertThat(ended.code()).as(ended.err()).isZero();
      assertThat(ended.out())
          .contains("executor heap, at least", "of 600.0 MiB", "each of 4 tasks")
          .contains("--executor-memory", "spark.executor.memoryOverhead");
      System.setProperty("spark.executor.memory", "200m");
      Jobs.Ended refused = Jobs.runAsConfigured(new Plan(), conf.toString());
      assertThat(refused.code()).isEqualTo(Job.BAD_INPUT);
      assertThat(refused.err()).contains("spark.executor.memory", "200.0 MiB", "--executor-memory");
    } finally {
      for (String key : List.of("spark.master", "spark.executor.memory", "spark.executor.cores")) {
        System.clearProperty(key);
      }
    }
  }
}
