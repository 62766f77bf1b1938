package org.kfac4j.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A driver and two executors, each in a JVM of its own, started by spark-submit's main class. */
class LocalClusterTest {
  @TempDir Path temporary;

  private Path conf(String run, String data, String preconditioner, String placement)
      throws IOException {
    return Files.writeString(
        temporary.resolve(run + ".conf"),
        """
        model { layers = [36, 20, 10], activation = tanh, loss = mcxent, init = xavier }
        data { source = idx, path = "%s", task = classifier, partitions = 3 }
        optimizer { preconditioner = %s, damping { initial = 1 } }
        curvature { inverse-period = 2, gamma-period = 4, placement = %s }
        training { iterations = 8, batch-size = 60, evaluate-every = 4, checkpoint-every = 4 }
        output { dir = "%s" }
        """
            .formatted(data, preconditioner, placement, temporary.resolve(run)));
  }

  private List<String> submit(Path conf) {
    List<String> command = new ArrayList<>(Jobs.java("-Xmx512m"));
    command.addAll(
        List.of(
            "org.apache.spark.deploy.SparkSubmit",
            "--master",
            "local-cluster[2,1,1024]",
            "--conf",
            "spark.ui.enabled=false",
            "--conf",
            "spark.executor.extraClassPath=" + System.getProperty("java.class.path"),
            "--class",
            Train.class.getName(),
            "spark-internal",
            conf.toString()));
    return command;
  }

  /** With bases that executors make; {@link FaultsTest} has inverses that they keep. */
  @ParameterizedTest
  @CsvSource({"tekfac, executors"})
  @Tag("slow")
  void twoExecutorsEndBitEqualToTwoThreads(String preconditioner, String placement)
      throws IOException, InterruptedException {
    String sparkHome = System.getenv("SPARK_HOME");
    assumeTrue(
        sparkHome != null && Files.isDirectory(Path.of(sparkHome, "jars")),
        "SPARK_HOME with Spark's jars, which the build fills");
    String data = IdxFolder.write(temporary.resolve("data"), 200, 50, 6, 6).path().toString();
    Jobs.Ended threads = Jobs.train(conf("threads", data, preconditioner, "driver"));
    assertThat(threads.code()).as(threads.err()).isZero();
    try (Jobs.Child child =
        Jobs.start(temporary, submit(conf("executors", data, preconditioner, placement)))) {
      Jobs.Ended executors = child.await();
      assertThat(executors.code()).as(executors.err()).isZero();
    }
    RunResults results = new RunResults(temporary.resolve("executors"));
    assertThat(results.summary().get("cluster").get("master").asText())
        .isEqualTo("local-cluster[2,1,1024]");
    assertThat(results.summary().get("cluster").get("executors").asInt()).isEqualTo(2);
    results.assertEqualTo(new RunResults(temporary.resolve("threads")));
  }

  /** With the exit code of the job, and without a stack trace. */
  @Test
  void sparkSubmitEndsWithTheExitCodeOfTheJob() throws IOException, InterruptedException {
    Path conf = conf("refused", temporary.resolve("nowhere").toString(), "kfac", "driver");
    List<String> command = submit(conf);
    command.replaceAll(word -> word.equals("local-cluster[2,1,1024]") ? "local[1]" : word);
    try (Jobs.Child child = Jobs.start(temporary, command)) {
      Jobs.Ended ended = child.await();
      assertThat(ended.code()).isEqualTo(Job.BAD_INPUT);
      assertThat(ended.err().lines())
          .singleElement()
          .asString()
          .startsWith("error: ")
          .contains("data.path", "nowhere");
    }
  }
}
