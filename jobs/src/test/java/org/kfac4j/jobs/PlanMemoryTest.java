package org.kfac4j.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.kfac4j.Settings;
import org.kfac4j.data.LocalStorage;
import org.kfac4j.optimizer.Preconditioners;

/** Native memory that is certainly not enough is refused, with flags that are. */
class PlanMemoryTest {
  /**
   * A task of this small network has room for 180,788 examples of 66 numbers, with their gradients
   * and tangents: 136.6 MiB.
   */
  private static final String MODEL = "layers = [6, 50, 10], activation = tanh, loss = mcxent";

  private static final String BLOCKS =
      """
      training.block-rows = 400000
      compare { optimizers = [ { name = "K-FAC" } ] }
      study { targets = ["train-loss=0.1"], batch-sizes = [10], epochs = 1, seeds = [1], optimizers = [ { name = "K-FAC" } ] }
      """;

  private static final String CLUSTER = "spark://somewhere:7077";
  private static final String KUBERNETES = "k8s://https://somewhere";

  @TempDir Path temporary;
  private IdxFolder data;

  @BeforeEach
  void writeData() throws IOException {
    data = IdxFolder.write(temporary.resolve("data"), 200, 20, 2, 3);
  }

  private Path conf(String model, String more) throws IOException {
    return Plans.conf(temporary, data, model, more);
  }

  private void assertRefused(Jobs.Ended ended, String... fragments) {
    assertThat(ended.code()).as(ended.out() + ended.err()).isEqualTo(Job.BAD_INPUT);
    assertThat(ended.err().lines()).hasSize(1);
    assertThat(ended.err())
        .startsWith("error: ")
        .contains("this run needs at least ", "heap and native arrays together")
        .contains(fragments);
    assertThat(temporary.resolve("out")).doesNotExist();
  }

  /** 64 tasks in the driver's process, of which JavaCPP allows 8 GiB in these tests. */
  @Test
  void whatJavaCppWouldNotAllowIsRefusedByEveryJobThatTrains()
      throws IOException, InterruptedException {
    Path conf = conf(MODEL, BLOCKS);
    Map<String, String> spark = Map.of("spark.master", "local[64]");
    List<Callable<Integer>> jobs = List.of(new Plan(), new Train(), new Compare(), new Study());
    for (Callable<Integer> job : jobs) {
      assertRefused(
          Plans.with(spark, job, conf),
          "in the driver's process",
          "JavaCPP allows 8.0 GiB",
          "spark.driver.extraJavaOptions=-Dorg.bytedeco.javacpp.maxphysicalbytes=");
    }
    // With fewer partitions there are fewer tasks.
    Path few = conf(MODEL, BLOCKS + "data.partitions = 40");
    assertThat(Plans.with(spark, new Plan(), few).code()).isZero();
    assertFlagsAreEnough(Plans.with(spark, new Plan(), conf(MODEL, BLOCKS)), conf);
  }

  /** In a JVM that was started with them; and not in one without the bound of JavaCPP's. */
  private void assertFlagsAreEnough(Jobs.Ended refused, Path conf)
      throws IOException, InterruptedException {
    Map<String, String> flags = Plans.flags(refused);
    assertThat(flags).containsKeys("spark.driver.memory", "spark.driver.extraJavaOptions");
    try (Jobs.Child child = Jobs.start(temporary, Plans.command("local[64]", flags, conf))) {
      Jobs.Ended ended = child.await();
      assertThat(ended.code()).as(ended.err()).isZero();
      assertThat(ended.out()).contains("driver's process, at least");
    }
    Map<String, String> less = new LinkedHashMap<>(flags);
    less.remove("spark.driver.extraJavaOptions");
    try (Jobs.Child child = Jobs.start(temporary, Plans.command("local[64]", less, conf))) {
      Jobs.Ended ended = child.await();
      assertThat(ended.code()).as(ended.out()).isNotZero();
      assertThat(ended.err()).contains("in the driver's process", "JavaCPP allows");
    }
  }

  /** Executors with 20 tasks, which take 2.7 GiB, and 3.0 with all else. */
  static Stream<Arguments> tooSmall() {
    return Stream.of(
        Arguments.of(
            "four times the heap",
            Map.of("spark.master", CLUSTER, "spark.executor.memory", "700m"),
            "JavaCPP allows 2.7 GiB"),
        Arguments.of(
            "so much and no more",
            Map.of(
                "spark.master",
                CLUSTER,
                "spark.executor.memory",
                "8g",
                "spark.executor.extraJavaOptions",
                "-Da=b -Dorg.bytedeco.javacpp.maxphysicalbytes=2g"),
            "-Da=b"),
        Arguments.of(
            "in processes of the driver's machine",
            Map.of(
                "spark.master",
                "local-cluster[2,20,1024]",
                "spark.executor.memory",
                "1g",
                "spark.executor.extraJavaOptions",
                "-Dorg.bytedeco.javacpp.maxbytes=0 -Dorg.bytedeco.javacpp.maxphysicalbytes=250%"),
            "JavaCPP allows 2.5 GiB"),
        Arguments.of(
            "Kubernetes' containers by default",
            Map.of("spark.master", KUBERNETES, "spark.executor.memory", "1g"),
            "spark.executor.memory and its memoryOverhead make 1.4 GiB"),
        Arguments.of(
            "Kubernetes' containers as set",
            Map.of(
                "spark.master",
                KUBERNETES,
                "spark.executor.memory",
                "2g",
                "spark.executor.memoryOverhead",
                "500m"),
            "make 2.5 GiB: --conf spark.executor.memoryOverhead="),
        Arguments.of(
            "YARN's containers",
            Map.of("spark.master", "yarn", "spark.executor.memory", "1g"),
            "make 2.0 GiB: --conf spark.executor.memoryOverhead="));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("tooSmall")
  void executorsThatAreTooSmallAreRefusedAndThePrintedFlagsAreEnough(
      String what, Map<String, String> spark, String fragment) throws IOException {
    Path conf = conf(MODEL, BLOCKS);
    Map<String, String> all = new LinkedHashMap<>(spark);
    all.put("spark.executor.cores", "20");
    Jobs.Ended refused = Plans.with(all, new Plan(), conf);
    assertRefused(refused, "in each executor's process", fragment);
    assertRefused(Plans.with(all, new Train(), conf), "in each executor's process", fragment);
    all.putAll(Plans.flags(refused));
    Jobs.Ended again = Plans.with(all, new Plan(), conf);
    assertThat(again.code()).as(again.err()).isZero();
    // Nothing more is asked for than has just been given.
    assertThat(all).containsAllEntriesOf(Plans.flags(again));
  }

  static Stream<Map<String, String>> enoughOrUnknown() {
    return Stream.of(
        // 3.1 GiB and more.
        Map.of("spark.master", CLUSTER, "spark.executor.memory", "800m"),
        // YARN rounds 2.4 GiB up to 3 GiB.
        Map.of("spark.master", "yarn", "spark.executor.memory", "2g"),
        Map.of(
            "spark.master",
            KUBERNETES,
            "spark.executor.memory",
            "1g",
            "spark.executor.memoryOverhead",
            "2100m"),
        // Nobody says what else such a cluster's machines run, or what such a bound means.
        Map.of(
            "spark.master",
            CLUSTER,
            "spark.executor.memory",
            "600m",
            "spark.executor.memoryOverhead",
            "10m",
            "spark.executor.extraJavaOptions",
            "-Dorg.bytedeco.javacpp.maxphysicalbytes=much"),
        Map.of(
            "spark.master",
            CLUSTER,
            "spark.executor.memory",
            "600m",
            "spark.executor.extraJavaOptions",
            "-Dorg.bytedeco.javacpp.maxphysicalbytes=0"),
        // Who knows where so few partitions are.
        Map.of(
            "spark.master",
            KUBERNETES,
            "spark.executor.memory",
            "1g",
            "spark.default.parallelism",
            "40"));
  }

  @ParameterizedTest
  @MethodSource("enoughOrUnknown")
  void whatMayFitIsNotRefused(Map<String, String> spark) throws IOException {
    Map<String, String> all = new LinkedHashMap<>(spark);
    all.put("spark.executor.cores", "20");
    Jobs.Ended plan = Plans.with(all, new Plan(), conf(MODEL, BLOCKS));
    assertThat(plan.code()).as(plan.err()).isZero();
  }

  /** Two generations of 1.0 GB of inverses are on a driver that is in a container. */
  @Test
  void aDriverInAContainerThatIsTooSmallIsRefusedAndThePrintedFlagsAreEnough() throws IOException {
    Path conf = conf("layers = [6, 8000, 10], activation = tanh, loss = mcxent", "");
    Map<String, String> spark = new LinkedHashMap<>();
    spark.put("spark.master", KUBERNETES);
    spark.put("spark.submit.deployMode", "cluster");
    spark.put("spark.driver.memory", "1g");
    spark.put("spark.driver.memoryOverhead", "100m");
    spark.put("spark.executor.memory", "8g");
    spark.put("spark.executor.memoryOverhead", "8g");
    Jobs.Ended refused = Plans.with(spark, new Plan(), conf);
    assertRefused(
        refused, "in the driver's process", "make 1.1 GiB", "spark.driver.memoryOverhead=");
    spark.putAll(Plans.flags(refused));
    Jobs.Ended again = Plans.with(spark, new Plan(), conf);
    assertThat(again.code()).as(again.err()).isZero();
  }

  static Set<String> entries() {
    return Preconditioners.entries();
  }

  /** What is refused by is never more than what is expected. */
  @ParameterizedTest
  @MethodSource("entries")
  void whatIsCertainIsLessThanWhatIsPlannedFor(String entry) throws IOException {
    String[] words = entry.split(" ");
    for (String master : List.of("local[3]", "local-cluster[2,3,1024]")) {
      for (String placement : List.of("driver", "executors")) {
        Settings settings =
            Settings.load(
                "planned",
                Files.readString(conf("layers = [6, 300, 20, 10], loss = mcxent", "")),
                List.of(
                    "optimizer.preconditioner=" + words[0],
                    "curvature.damping=" + (words.length > 1 ? words[1] : "factored"),
                    "curvature.placement=" + placement));
        RunPlan plan =
            RunPlan.of(
                TrainingRun.from(settings, "planned", new LocalStorage()),
                new SparkConf(false).set("spark.master", master));
        assertThat(plan.certain().driver())
            .isPositive()
            .isLessThanOrEqualTo(plan.driverHeap() + plan.driverOutside());
        assertThat(plan.certain().executor())
            .isPositive()
            .isLessThanOrEqualTo(plan.executorHeap() + plan.executorOutside());
      }
    }
  }
}
