package org.kfac4j.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Executors die, and the weights come out as if they had not. */
class FaultsTest {
  @TempDir Path temporary;

  private Path conf(String run, String data, String placement) throws IOException {
    return Files.writeString(
        temporary.resolve(run + ".conf"),
        """
        model { layers = [36, 20, 10], activation = tanh, loss = mcxent }
        data { source = idx, path = "%s", task = classifier, partitions = 3 }
        optimizer { damping { initial = 1 } }
        curvature { inverse-period = 2, gamma-search = false, placement = %s }
        training { iterations = 70, batch-size = 60, evaluate-every = 35, checkpoint-every = 35 }
        output { dir = "%s" }
        """
            .formatted(data, placement, temporary.resolve(run)));
  }

  /** What a careful operator switches on. */
  private static final List<String> SECURE =
      List.of(
          "spark.authenticate=true",
          "spark.authenticate.secret=not for others",
          "spark.network.crypto.enabled=true",
          "spark.io.encryption.enabled=true",
          "spark.dynamicAllocation.enabled=true",
          "spark.dynamicAllocation.shuffleTracking.enabled=true",
          "spark.dynamicAllocation.minExecutors=2",
          "spark.speculation=true");

  private List<String> submit(Path conf, List<String> more) {
    List<String> command = new ArrayList<>(Jobs.java("-Xmx512m"));
    command.addAll(
        List.of("org.apache.spark.deploy.SparkSubmit", "--master", "local-cluster[2,1,1024]"));
    List<String> settings = new ArrayList<>(more);
    settings.addAll(
        List.of(
            "spark.ui.enabled=false",
            "spark.extraListeners=" + ExecutorKiller.class.getName(),
            "spark.deploy.maxExecutorRetries=-1",
            "spark.task.maxFailures=20",
            "spark.stage.maxConsecutiveAttempts=20",
            "spark.executor.extraJavaOptions=-XX:TieredStopAtLevel=1",
            "spark.executor.extraClassPath=" + System.getProperty("java.class.path")));
    for (String setting : settings) {
      command.add("--conf");
      command.add(setting);
    }
    command.addAll(List.of("--class", Train.class.getName(), "spark-internal", conf.toString()));
    return command;
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  @Tag("slow")
  void executorsThatAreKilledDoNotShowInTheWeights(boolean secure)
      throws IOException, InterruptedException {
    String sparkHome = System.getenv("SPARK_HOME");
    assumeTrue(
        sparkHome != null && Files.isDirectory(Path.of(sparkHome, "jars")),
        "SPARK_HOME with Spark's jars, which the build fills");
    String data = IdxFolder.write(temporary.resolve("data"), 200, 50, 6, 6).path().toString();
    Jobs.Ended undisturbed = Jobs.train(conf("undisturbed", data, "driver"));
    assertThat(undisturbed.code()).as(undisturbed.err()).isZero();
    // Executors also make the inverses and keep them: then there are more phases to die in.
    Path conf = conf("disturbed", data, "executors");
    try (Jobs.Child child =
        Jobs.start(temporary, submit(conf, secure ? SECURE : List.<String>of()))) {
      Jobs.Ended disturbed = child.await();
      assertThat(disturbed.code()).as(disturbed.err()).isZero();
      assertThat(disturbed.out())
          .contains("killed " + ExecutorKiller.KILLS + " executors")
          .contains("gradient", "products", "loss", "inverse", "precondition");
    }
    new RunResults(temporary.resolve("disturbed"))
        .assertEqualTo(new RunResults(temporary.resolve("undisturbed")));
  }
}
