package org.kfac4j.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerJobStart;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A study's runs, what is kept of them, and what happens if it is cut off. */
class StudyTest {
  @TempDir Path temporary;
  private IdxFolder data;

  @BeforeEach
  void writeData() throws IOException {
    data = IdxFolder.write(temporary.resolve("data"), 240, 60, 6, 6);
  }

  private Path conf(String run) throws IOException {
    return Files.writeString(
        temporary.resolve(run + ".conf"),
        """
        model { layers = [36, 12, 36], activation = tanh, loss = xent, init = xavier }
        data { source = idx, path = "%s", partitions = 2 }
        curvature { gamma-search = false, inverse-period = 5 }
        training { checkpoint-every = 0 }
        study {
          targets = ["train-loss=20", "test-error=0.001"]
          batch-sizes = [120, 60]
          budgets = [normal, adjusted]
          epochs = 2
          seeds = [1, 2]
          optimizers = [
            { name = "K-FAC", grid { optimizer.damping.initial = [1, 10] } }
            { name = "momentum", settings { optimizer.name = momentum }, grid { optimizer.learning-rate.initial = [0.001, 0.01] } }
          ]
        }
        output { dir = "%s" }
        """
            .formatted(data.path(), temporary.resolve(run)));
  }

  private static Jobs.Ended study(Path conf, List<String> arguments) {
    return study(conf, arguments.toArray(String[]::new));
  }

  private static Jobs.Ended study(Path conf, String... arguments) {
    return Jobs.run(
        new Study(),
        Stream.concat(Stream.of(conf.toString()), Arrays.stream(arguments)).toArray(String[]::new));
  }

  /** Tables without the columns that hold seconds. */
  private Map<String, List<String>> tables(String run) throws IOException {
    Map<String, List<String>> tables = new TreeMap<>();
    try (Stream<Path> files = Files.list(temporary.resolve(run).resolve("tables"))) {
      for (Path file : (Iterable<Path>) files::iterator) {
        List<String> lines = Files.readAllLines(file);
        List<String> headings = List.of(lines.get(0).split(","));
        List<String> kept = new ArrayList<>();
        for (String line : lines) {
          String[] cells = line.split(",(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)", -1);
          assertThat(cells).hasSize(headings.size());
          kept.add(
              IntStream.range(0, cells.length)
                  .filter(i -> !headings.get(i).contains("seconds"))
                  .mapToObj(i -> cells[i])
                  .collect(Collectors.joining(",")));
        }
        tables.put(file.getFileName().toString(), kept);
      }
    }
    return tables;
  }

  @Test
  void everyCellIsRunAndWinnersWithAllSeeds() throws IOException {
    Jobs.Ended ended = study(conf("study"));
    assertThat(ended.code()).as(ended.err()).isZero();
    // 2 optimizers, 2 points, batch 60 once and batch 120 under both budgets.
    List<String> runs = ended.out().lines().filter(line -> line.startsWith("run ")).toList();
    assertThat(runs).hasSizeGreaterThan(12);
    assertThat(ended.out())
        .contains("test error ≤ 0.001, adjusted budget", "not supported", "budget spent");
    Path folder = temporary.resolve("study");
    assertThat(folder.resolve("runs.parquet")).isRegularFile();
    // What runs have, not what the conf would have had without their optimizers' settings.
    assertThat(Files.readString(folder.resolve("report.html")))
        .contains("<td>optimizer.name</td><td", ">momentum<", ">0.001, 0.01<")
        .contains("<th>training.batch-growth</th>", "<th>study.epochs</th>")
        .doesNotContain(
            "<th>optimizer.name</th>", "<th>training.batch-size</th>", "<th>training.seed</th>");
    // Of two targets and two budgets.
    assertThat(tables("study")).hasSize(2 * 4 + 1).containsKey("summary.csv");
    SparkSession spark =
        SparkSession.builder().master("local[1]").config("spark.ui.enabled", "false").getOrCreate();
    try {
      var table = spark.read().parquet(folder.resolve("runs.parquet").toString());
      assertThat(table.count()).isEqualTo(runs.size());
      assertThat(table.filter("seed = 1").count()).isEqualTo(12);
      assertThat(table.filter("seed = 2").count()).isPositive();
      // 2 epochs of 240 examples; log2(120 / 60) + 1 = 2 times as many if adjusted.
      assertThat(budgets(table.filter("batchSize = 60"))).containsExactly(8L);
      assertThat(budgets(table.filter("batchSize = 120 and budget = 'normal'")))
          .containsExactly(4L);
      assertThat(budgets(table.filter("batchSize = 120 and budget = 'adjusted'")))
          .containsExactly(8L);
      Row row =
          table
              .filter("optimizer = 'momentum' and batchSize = 120 and budget = 'normal'")
              .select(
                  functions.col("settings").getItem("training.iterations"),
                  functions.col("targets").getItem(1).getField("censored"))
              .first();
      assertThat(row.getString(0)).isEqualTo("4");
      assertThat(row.getBoolean(1)).isTrue();
    } finally {
      spark.stop();
    }
  }

  private static List<Long> budgets(org.apache.spark.sql.Dataset<Row> runs) {
    return runs.select("stepBudget").distinct().collectAsList().stream()
        .map(row -> row.getLong(0))
        .toList();
  }

  @Test
  @Tag("slow")
  void aStudyThatIsKilledAndResumedGivesTheSameTables() throws IOException, InterruptedException {
    assertThat(study(conf("undisturbed")).code()).isZero();
    Path conf = conf("killed");
    int kept = 1 + new Random().nextInt(9);
    System.out.println("killed after run " + kept);
    List<String> command =
        Jobs.java("-Xmx512m", "-Dspark.master=local[2]", "-Dspark.ui.enabled=false");
    command.addAll(List.of(Study.class.getName(), conf.toString()));
    try (Jobs.Child child = Jobs.start(temporary, command)) {
      while (Files.readString(child.out()).lines().filter(l -> l.startsWith("run ")).count()
          < kept) {
        assertThat(child.process().isAlive()).isTrue();
        Thread.sleep(5);
      }
      child.kill();
    }
    Jobs.Ended resumed = study(conf, "--resume");
    assertThat(resumed.code()).as(resumed.err()).isZero();
    assertThat(resumed.out().lines().filter(line -> line.contains("(earlier)")).count())
        .isGreaterThanOrEqualTo(kept);
    assertThat(tables("killed")).isEqualTo(tables("undisturbed"));
    Jobs.Ended again = study(conf, "--resume");
    assertThat(again.out().lines().filter(line -> line.startsWith("run ")))
        .allMatch(line -> line.contains("(earlier)"));
    assertThat(tables("killed")).isEqualTo(tables("undisturbed"));
  }

  @Test
  void runsSideBySideGiveTheSameTables() throws IOException {
    assertThat(study(conf("one"), "--set", "study.budgets=[normal]").code()).isZero();
    System.setProperty("spark.extraListeners", Pools.class.getName());
    try {
      Jobs.Ended both =
          study(conf("two"), "--set", "study.budgets=[normal]", "--set", "study.parallel-runs=2");
      assertThat(both.code()).as(both.err()).isZero();
    } finally {
      System.clearProperty("spark.extraListeners");
    }
    assertThat(Pools.SEEN).contains("run-1", "run-2");
    assertThat(tables("two")).isEqualTo(tables("one"));
  }

  @Test
  void aFinishedStudyIsReadForAnotherCluster() throws IOException {
    Path conf = conf("forecast");
    // Enough iterations to fit a cost model to.
    List<String> normal = List.of("--set", "study.budgets=[normal]", "--set", "study.epochs=6");
    assertThat(study(conf, normal).code()).isZero();
    String first = Files.readString(temporary.resolve("forecast/report.html"));
    assertThat(first).contains("K-FAC, cost model", "momentum, B = 60", "best batch");
    List<String> slow = new ArrayList<>(normal);
    slow.addAll(
        List.of(
            "--resume",
            "--set",
            "study.forecast.network-gbits=0.001",
            "--set",
            "study.forecast.executors=[2, 300]"));
    Jobs.Ended again = study(conf, slow);
    assertThat(again.code()).as(again.err()).isZero();
    assertThat(again.out().lines().filter(line -> line.startsWith("run ")))
        .allMatch(line -> line.contains("(earlier)"));
    String second = Files.readString(temporary.resolve("forecast/report.html"));
    assertThat(second).contains("a network of 0.001 Gbit/s").isNotEqualTo(first);
    // As if it had been made on a cluster: where it is read does not matter.
    try (Stream<Path> files = Files.walk(temporary.resolve("forecast").resolve("runs"))) {
      for (Path file : files.filter(each -> each.endsWith("run.json")).toList()) {
        String run = Files.readString(file);
        Files.writeString(file, run.replace("local[2]", "spark://somewhere:7077"));
      }
    }
    Jobs.Ended elsewhere = study(conf, slow);
    assertThat(elsewhere.code()).as(elsewhere.err()).isZero();
    assertThat(Files.readString(temporary.resolve("forecast/report.html")))
        .contains("K-FAC, cost model", "momentum, B = 60", "spark://somewhere:7077")
        .doesNotContain("nothing is predicted");
    slow.set(slow.size() - 1, "study.forecast.executors=[]");
    assertThat(study(conf, slow).code()).isZero();
    assertThat(Files.readString(temporary.resolve("forecast/report.html")))
        .doesNotContain("cost model");
  }

  @Test
  void anotherStudysFolderIsRefusedAndLeftAlone() throws IOException {
    Path conf = conf("study");
    assertThat(study(conf, "--set", "study.budgets=[normal]").code()).isZero();
    Map<String, String> before = RunResults.tree(temporary.resolve("study"));
    Jobs.Ended again = study(conf, "--set", "study.budgets=[normal]");
    assertThat(again.code()).isEqualTo(Job.BAD_INPUT);
    assertThat(again.err()).contains("already holds a study").hasLineCount(1);
    Jobs.Ended other =
        study(conf, "--resume", "--set", "study.budgets=[normal]", "--set", "study.epochs=4");
    assertThat(other.code()).isEqualTo(Job.BAD_INPUT);
    assertThat(other.err()).contains("holds another study: study.epochs is 2").hasLineCount(1);
    assertThat(RunResults.tree(temporary.resolve("study"))).isEqualTo(before);
  }

  @ParameterizedTest
  @ValueSource(strings = {"report.html", "runs/k-fac/metrics.jsonl", "metrics.jsonl", "model.zip"})
  void whatIsNotAStudysIsLeftAlone(String name) throws IOException {
    Path file = temporary.resolve("other").resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, "of another job");
    Jobs.Ended ended = study(conf("other"));
    assertThat(ended.code()).isEqualTo(Job.BAD_INPUT);
    assertThat(ended.err()).contains("already holds", "output.overwrite=true").hasLineCount(1);
    assertThat(file).hasContent("of another job");
  }

  @Test
  void aStudyIsNotResumedWithOtherData() throws IOException {
    Path conf = conf("study");
    assertThat(study(conf, "--set", "study.budgets=[normal]").code()).isZero();
    Map<String, String> before = RunResults.tree(temporary.resolve("study"));
    String other = IdxFolder.write(temporary.resolve("other"), 240, 70, 6, 6).path().toString();
    byte[] images = Files.readAllBytes(Path.of(other).resolve("train-images-idx3-ubyte"));
    images[images.length - 1] ^= 64;
    Files.write(Path.of(other).resolve("train-images-idx3-ubyte"), images);
    Jobs.Ended ended =
        study(conf, "--resume", "--set", "study.budgets=[normal]", "--set", "data.path=" + other);
    assertThat(ended.code()).isEqualTo(Job.BAD_INPUT);
    assertThat(ended.err()).contains("other training data: 240 × 36, checksum").hasLineCount(1);
    assertThat(RunResults.tree(temporary.resolve("study"))).isEqualTo(before);
  }

  /** As if it had been killed in the middle of writing. */
  @Test
  void aStudyThatWasCutOffBeforeItsFirstRunBegins() throws IOException {
    Path conf = conf("study");
    Path note = temporary.resolve("study").resolve("study.json");
    Files.createDirectories(note.getParent());
    Files.writeString(note, "{ \"settings\": {");
    Jobs.Ended ended = study(conf, "--resume", "--set", "study.budgets=[normal]");
    assertThat(ended.code()).as(ended.err()).isZero();
    Files.writeString(note, "");
    Jobs.Ended lost = study(conf, "--resume", "--set", "study.budgets=[normal]");
    assertThat(lost.code()).isEqualTo(Job.BAD_INPUT);
    assertThat(lost.err()).contains("study.json is no whole JSON").hasLineCount(1);
  }

  /** What a conf says of when a training ends is not what a study's runs end by. */
  @Test
  void runsHaveTheirWholeBudgetWhateverElseTheConfSays() throws IOException {
    Jobs.Ended ended =
        study(
            conf("whole"),
            List.of(
                "--set",
                "study.budgets=[normal]",
                "--set",
                "study.targets=[\"test-error=0.001\"]",
                "--set",
                "study.hopeless-after=1",
                "--set",
                "training.target=1000",
                "--set",
                "training.patience=1",
                "--set",
                "training.batch-growth=exponential"));
    assertThat(ended.code()).as(ended.err()).isZero();
    assertThat(ended.out().lines().filter(line -> line.startsWith("run ")))
        .isNotEmpty()
        .allMatch(line -> line.contains("budget spent after 8 steps") || line.contains("after 4"));
  }

  /** Pools that Spark's fair scheduler is fair between. */
  public static final class Pools extends SparkListener {
    static final Set<String> SEEN = ConcurrentHashMap.newKeySet();

    @Override
    public void onJobStart(SparkListenerJobStart start) {
      SEEN.add(String.valueOf(start.properties().getProperty("spark.scheduler.pool")));
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "study.targets=[] | study.targets must name at least one",
        "study.targets=[\"test-accuracy=0.9\"] | test-accuracy is not measured of vector targets",
        "study.targets=[\"accuracy=0.9\"] | the metric of target 'accuracy=0.9' must be one of",
        "study.batch-sizes=[] | study.batch-sizes must be different numbers, at least one",
        "study.batch-sizes=[60, 60] | study.batch-sizes must be different numbers",
        "study.batch-sizes=[60, 241] | must be at most the number of training examples (240), got 241",
        "study.budgets=[longer] | study.budgets must be a list of different ones of normal, adjusted",
        "study.seeds=[] | study.seeds must be different numbers",
        "study.targets=[\"train-loss=0.1\", \"train-loss=0.10\"] | study.targets must be different ones",
        "study.epochs=0 | study.epochs must be",
        "study.epochs=1e9 | study.epochs: a run has at most 2147483647 steps, but 1.0E9 epochs are",
        "study.forecast.slots=10001 | study.forecast.slots must be at most 10000, got 10001",
        "study.evaluations=-1 | study.evaluations must be at least 0",
        "study.forecast.executors=[200000] | study.forecast.executors must be at most 100000, got 200000",
        "study.forecast.network-gbits=0 | study.forecast.network-gbits must be",
        "study.forecast.transport=nowhere.json | study.forecast.transport must be a file that bench --transport wrote, got nowhere.json",
        "study.optimizers=[] | study.optimizers must name at least one optimizer",
        "study.optimizers=[{ name = a, grid { optimizer.damping.initial = [] } }] | must be a list of values",
        "study.optimizers=[{ name = a }, { name = b, grid { optimizer.damping.initial = [1, 2] } }] | must have grids of equal size, or study.unequal-grids = true, got a: 1, b: 2",
        "study.optimizers=[{ name = a, grid { optimizer.preconditioner = [kfca] } }] | optimizer.preconditioner must be one of",
        "study.optimizers=[{ name = \"K-FAC\" }, { name = \"K-FAC+\" }] | runs of \"K-FAC+\" and of another would have the folder k-fac/",
        "study.optimizers=[{ name = a, grid { training.batch-size = [10, 20] } }] | \"a\": a study sets training.batch-size itself",
        "study.optimizers=[{ name = a, settings { optimizer.learning-rate.period = 3 } }] | a study sets optimizer.learning-rate.period itself"
      })
  void whatDoesNotFitIsSaidInOneLineBeforeAnythingRuns(String setting, String message)
      throws IOException {
    Jobs.Ended ended = study(conf("bad"), "--set", setting.strip());
    assertThat(ended.code()).isEqualTo(Job.BAD_INPUT);
    assertThat(ended.err()).contains(message.strip()).hasLineCount(1);
    assertThat(temporary.resolve("bad")).doesNotExist();
  }

  @Test
  void theRateGrowsWithTheBatchAndScheduleWithTheBudget() throws IOException {
    var settings =
        org.kfac4j.Settings.load(
            "study",
            Files.readString(conf("rates")),
            List.of(
                "study.learning-rate-scaling=sqrt",
                "study.warm-up=0.25",
                "optimizer.learning-rate.schedule=step"));
    StudyPlan plan = StudyPlan.of(settings, 240);
    StudyTask last = plan.tuning().get(plan.tuning().size() - 1);
    assertThat(last.title())
        .isEqualTo("momentum, batch 120, adjusted budget, learning-rate.initial=0.01, seed 1");
    var own = plan.settings(last);
    assertThat(own.doubleValue("optimizer.learning-rate.initial"))
        .isCloseTo(0.01 * Math.sqrt(2), org.assertj.core.api.Assertions.within(1e-12));
    assertThat(own.positiveInt("training.iterations")).isEqualTo(8);
    assertThat(own.positiveInt("optimizer.learning-rate.period")).isEqualTo(3);
    assertThat(own.positiveInt("optimizer.learning-rate.warmup")).isEqualTo(2);
    assertThat(own.positiveInt("training.evaluate-every")).isEqualTo(2);
    StudyPlan often = StudyPlan.of(settings.with(List.of("study.evaluations=3")), 240);
    assertThat(often.settings(last).positiveInt("training.evaluate-every")).isEqualTo(3);
  }
}
