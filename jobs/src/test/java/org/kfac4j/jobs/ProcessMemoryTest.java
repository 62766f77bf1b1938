package org.kfac4j.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.SparkConf;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What settings let a process have: JavaCPP's bound as JavaCPP has it, containers as Spark asks for
 * them.
 */
class ProcessMemoryTest {
  private static final long MIB = 1L << 20;

  @TempDir Path temporary;

  /**
   * A JVM that prints JavaCPP's bound, and what is read of the options as the driver's and as an
   * executor's.
   */
  public static void main(String[] args) {
    long heap = Runtime.getRuntime().maxMemory();
    SparkConf spark = new SparkConf(false).set("spark.executor.extraJavaOptions", args[0]);
    System.out.println(
        Pointer.maxPhysicalBytes()
            + " "
            + ProcessMemory.driver(spark).allowed(heap)
            + " "
            + ProcessMemory.executor(spark, heap).allowed(heap));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "-Dorg.bytedeco.javacpp.maxbytes=300%",
        "-Dorg.bytedeco.javacpp.maxbytes=0",
        "-Dorg.bytedeco.javacpp.maxbytes=100m -Dorg.bytedeco.javacpp.maxphysicalbytes=2g",
        "-Dorg.bytedeco.javacpp.maxphysicalbytes=2g -Dorg.bytedeco.javacpp.maxPhysicalBytes=400%",
        "-Dorg.bytedeco.javacpp.maxphysicalbytes=1g -Dorg.bytedeco.javacpp.maxphysicalbytes=3GB"
      })
  void javaCppsBoundIsWhatJavaCppTakes(String options) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(Jobs.java("-Xmx200m"));
    if (!options.isEmpty()) {
      command.addAll(1, List.of(options.split(" ")));
    }
    command.addAll(List.of(ProcessMemoryTest.class.getName(), options));
    try (Jobs.Child child = Jobs.start(temporary, command)) {
      Jobs.Ended ended = child.await();
      assertThat(ended.code()).as(ended.err()).isZero();
      String[] bounds = ended.out().strip().split(" ");
      assertThat(bounds).hasSize(3).containsOnly(bounds[0]);
      if (options.isEmpty()) {
        assertThat(Long.parseLong(bounds[0])).isBetween(700 * MIB, 800 * MIB);
      }
    }
  }

  @Test
  void thisProcessHasTheBoundThatItWasStartedWith() {
    ProcessMemory driver = ProcessMemory.driver(new SparkConf(false));
    assertThat(driver.heap()).isEqualTo(Runtime.getRuntime().maxMemory());
    assertThat(driver.allowed(driver.heap())).isEqualTo(Pointer.maxPhysicalBytes()).isPositive();
  }

  /** Nobody looks at the bound, or nobody knows it. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "-Dorg.bytedeco.javacpp.noPointerGC",
        "-Dorg.bytedeco.javacpp.nopointergc=true",
        "-Dorg.bytedeco.javacpp.maxphysicalbytes=0",
        "-Dorg.bytedeco.javacpp.maxphysicalbytes=much"
      })
  void withoutABoundThatIsKnownThereIsNone(String option) {
    SparkConf spark = new SparkConf(false).set("spark.executor.extraJavaOptions", option);
    ProcessMemory executor = ProcessMemory.executor(spark, MIB);
    assertThat(executor.allowed(MIB)).isZero();
    assertThat(executor.bound()).isEmpty();
    executor.require(Long.MAX_VALUE, 0);
  }

  @ParameterizedTest
  @CsvSource({
    "local[2], '', 0",
    "spark://somewhere:7077, spark.executor.memoryOverhead=1g, 0",
    "'local-cluster[2,1,1024]', '', 0",
    // A tenth, but 384 MiB at least.
    "k8s://https://somewhere, '', 1408",
    "k8s://https://somewhere, spark.executor.memory=10g, 11264",
    "k8s://https://somewhere, spark.executor.memory=10g spark.executor.memoryOverheadFactor=0.3, 13312",
    "k8s://https://somewhere, spark.executor.memory=10g spark.kubernetes.memoryOverheadFactor=0.2, 12288",
    "k8s://https://somewhere, spark.executor.memoryOverhead=100m, 1124",
    "k8s://https://somewhere, spark.executor.memoryOverhead=100, 1124",
    "k8s://https://somewhere, spark.memory.offHeap.enabled=true spark.memory.offHeap.size=1g, 2432",
    // Without a unit they are bytes.
    "k8s://https://somewhere, spark.memory.offHeap.enabled=true spark.memory.offHeap.size=1073741824, 2432",
    "k8s://https://somewhere, spark.memory.offHeap.size=1g, 1408",
    // YARN rounds up.
    "yarn, '', 2048",
    "yarn, spark.executor.memoryOverhead=1g, 2048",
    "yarn, spark.executor.memoryOverhead=1025m, 3072"
  })
  void containersAreAsLargeAsSparkAsksFor(String master, String settings, long mib) {
    SparkConf spark = conf(master, settings);
    assertThat(ProcessMemory.executor(spark, MIB).container()).isEqualTo(mib * MIB);
    assertThat(ProcessMemory.driver(spark).container()).isZero();
  }

  @Test
  void inClusterModeTheDriverIsInAContainer() {
    SparkConf spark =
        conf("k8s://https://somewhere", "spark.submit.deployMode=cluster spark.driver.memory=2g");
    assertThat(ProcessMemory.driver(spark).container()).isEqualTo((2048 + 384) * MIB);
    spark.set("spark.driver.memoryOverhead", "1g");
    assertThat(ProcessMemory.driver(spark).container()).isEqualTo((2048 + 1024) * MIB);
  }

  private static SparkConf conf(String master, String settings) {
    SparkConf spark = new SparkConf(false).set("spark.master", master);
    for (String setting : settings.split(" ")) {
      int equals = setting.indexOf('=');
      if (equals > 0) {
        spark.set(setting.substring(0, equals), setting.substring(equals + 1));
      }
    }
    return spark;
  }

  /** Other options stay, and the new bound is one that counts. */
  @ParameterizedTest
  @CsvSource({
    "'', spark.executor.extraJavaOptions=-Dorg.bytedeco.javacpp.maxphysicalbytes=5g",
    "-Da=b -Dorg.bytedeco.javacpp.maxphysicalbytes=1g -Dc=d, "
        + "\"spark.executor.extraJavaOptions=-Da=b  -Dc=d -Dorg.bytedeco.javacpp.maxphysicalbytes=5g\"",
    "-Dorg.bytedeco.javacpp.maxPhysicalBytes=1g, spark.executor.extraJavaOptions=-Dorg.bytedeco.javacpp.maxPhysicalBytes=5g"
  })
  void theFlagRaisesTheBoundAndNothingElse(String options, String flag) {
    SparkConf spark = new SparkConf(false).set("spark.executor.extraJavaOptions", options);
    ProcessMemory executor = ProcessMemory.executor(spark, 512 * MIB);
    assertThat(executor.flags(512 * MIB, 3900 * MIB)).containsExactly("--conf " + flag);
    assertThat(executor.flags(512 * MIB, 100 * MIB)).isEmpty();
  }
}
