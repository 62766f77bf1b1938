package org.kfac4j.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kfac4j.Settings;
import org.kfac4j.data.LocalStorage;

/** Where inverses are made and kept, as {@code curvature.placement} says: in real runs. */
class PlacementTest {
  private static final String CLUSTER = "local-cluster[2,1,1024]";

  /** Nine factors of 2000 × 2000: 139 MiB of inverses. */
  private static final String WIDE = "[2000, 8, 2000, 8, 2000, 8, 2000, 8, 2000, 8, 10]";

  @TempDir Path temporary;

  private Path conf(String run, String model, int side, int other, String placement)
      throws IOException {
    Path data = IdxFolder.write(temporary.resolve("data-" + run), 60, 20, side, other).path();
    return Files.writeString(
        temporary.resolve(run + ".conf"),
        """
        model { layers = %s, activation = tanh, loss = mcxent, init = xavier }
        data { source = idx, path = "%s", task = classifier, partitions = 2 }
        optimizer { damping { initial = 1 } }
        curvature { inverse-period = 5, gamma-search = false, placement = %s }
        training { iterations = 2, batch-size = 40, checkpoint-every = 0, averaging = 0, block-rows = 32, restore-best = false }
        output { dir = "%s" }
        """
            .formatted(model, data, placement, temporary.resolve(run)));
  }

  /** How a run on a driver and two executors ended, and the most memory that the driver had. */
  private record Measured(Jobs.Ended ended, long peak) {
    String phases() {
      return ended
          .out()
          .lines()
          .filter(line -> line.startsWith(PhasePrinter.PREFIX))
          .findFirst()
          .orElseThrow();
    }
  }

  private Measured onCluster(Path conf, String... java) throws IOException, InterruptedException {
    String sparkHome = System.getenv("SPARK_HOME");
    assumeTrue(
        sparkHome != null && Files.isDirectory(Path.of(sparkHome, "jars")),
        "SPARK_HOME with Spark's jars, which the build fills");
    List<String> command = new ArrayList<>(Jobs.java(java));
    command.addAll(List.of("org.apache.spark.deploy.SparkSubmit", "--master", CLUSTER));
    for (String setting :
        List.of(
            "spark.ui.enabled=false",
            "spark.rpc.io.preferDirectBufs=false",
            "spark.shuffle.io.preferDirectBufs=false",
            "spark.extraListeners=" + PhasePrinter.class.getName(),
            "spark.executor.extraJavaOptions=-XX:TieredStopAtLevel=1",
            "spark.executor.extraClassPath=" + System.getProperty("java.class.path"))) {
      command.addAll(List.of("--conf", setting));
    }
    command.addAll(List.of("--class", Train.class.getName(), "spark-internal", conf.toString()));
    try (Jobs.Child child = Jobs.start(temporary, command)) {
      Path status = Path.of("/proc", String.valueOf(child.process().pid()), "status");
      long peak = 0;
      while (child.process().isAlive()) {
        peak = Math.max(peak, CgfacMemoryTest.peakBytes(status));
        Thread.sleep(20);
      }
      Jobs.Ended ended = child.await();
      assertThat(ended.code()).as(ended.err()).isZero();
      return new Measured(ended, peak);
    }
  }

  /**
   * The driver has two generations of inverses, 277 MiB, or none. Its heap is all there from the
   * start and Spark's buffers are in it, so that nothing else outside of it differs by more than 30
   * MiB: a third of a generation is a margin for that, and one generation that stayed would be
   * seen.
   */
  @Test
  @Tag("slow")
  void onExecutorsWideLayersTakeMemoryOffTheDriverAndGiveTheSameWeights()
      throws IOException, InterruptedException {
    assumeTrue(Files.exists(Path.of("/proc/self/status")), "/proc says what memory is in use");
    String[] heap = {
      "-Xms1200m", "-Xmx1200m", "-XX:+AlwaysPreTouch", "-Dio.netty.noPreferDirect=true"
    };
    Path here = conf("here", WIDE, 40, 50, "driver");
    RunPlan plan = plan(here);
    Measured driver = onCluster(here, heap);
    Measured executors = onCluster(conf("there", WIDE, 40, 50, "auto"), heap);
    System.out.printf(
        "driver's peak: inverses on the driver %.0f MB, on executors %.0f MB%n",
        driver.peak * 1e-6, executors.peak * 1e-6);
    assertThat(driver.phases()).contains("gradient").doesNotContain("inverse", "precondition");
    assertThat(executors.phases()).contains("gradient", "inverse", "precondition");
    long inverses = plan.number() * plan.curvature().outside();
    assertThat(inverses).isGreaterThan(138L << 20);
    assertThat(driver.peak - executors.peak).isGreaterThan(inverses + inverses / 3);
    RunResults results = new RunResults(temporary.resolve("there"));
    RunResults expected = new RunResults(temporary.resolve("here"));
    assertThat(results.weights()).isEqualTo(expected.weights());
    assertThat(losses(results)).isEqualTo(losses(expected)).hasSize(2);
  }

  private static RunPlan plan(Path conf) throws IOException {
    Settings settings = Settings.load("here", Files.readString(conf), List.of());
    return RunPlan.of(
        TrainingRun.from(settings, "here", new LocalStorage()),
        new SparkConf(false).set("spark.master", CLUSTER));
  }

  private static List<Double> losses(RunResults results) throws IOException {
    return results.metrics().stream().map(record -> record.get("loss").asDouble()).toList();
  }

  /** {@code auto}: on executors only if a layer is wide. */
  @Test
  @Tag("slow")
  void onAClusterNarrowLayersStayOnTheDriver() throws IOException, InterruptedException {
    Path conf = conf("narrow", "[36, 20, 10]", 6, 6, "auto");
    assertThat(onCluster(conf, "-Xmx512m").phases())
        .contains("gradient")
        .doesNotContain("inverse", "precondition");
  }

  /** {@code auto}: on executors only if there are any. */
  @Test
  void withALocalMasterWideLayersStayOnTheDriver() throws IOException {
    Path conf = conf("local", "[1600, 8, 10]", 40, 40, "auto");
    System.setProperty("spark.extraListeners", PhasePrinter.class.getName());
    try {
      Jobs.Ended ended = Jobs.train(conf);
      assertThat(ended.code()).as(ended.err()).isZero();
      assertThat(new Measured(ended, 0).phases())
          .contains("gradient")
          .doesNotContain("inverse", "precondition");
    } finally {
      System.clearProperty("spark.extraListeners");
    }
    // The same layers are wide enough for executors.
    assertThat(plan(conf).inverses()).isEqualTo(RunPlan.Place.EXECUTORS);
  }
}
