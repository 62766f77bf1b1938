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
          "spark.speculation=true",
          "spark.ui.port=0");

  /** Everything that Spark 3.5 has TLS for: what it serves by HTTP. */
  private List<String> tls() throws IOException, InterruptedException {
    Path keys = temporary.resolve("keys.p12");
    Path keytool = Path.of(System.getProperty("java.home"), "bin", "keytool");
    Jobs.Ended made =
        Jobs.start(
                temporary,
                List.of(
                    keytool.toString(),
                    "-genkeypair",
                    "-keyalg",
                    "RSA",
                    "-alias",
                    "spark",
                    "-dname",
                    "CN=localhost",
                    "-storepass",
                    "not for others",
                    "-keystore",
                    keys.toString()))
            .await();
    assertThat(made.code()).as(made.err()).isZero();
    return List.of(
        "spark.ui.enabled=true",
        "spark.ssl.enabled=true",
        "spark.ssl.keyStore=" + keys,
        "spark.ssl.keyStorePassword=not for others",
        "spark.ssl.keyPassword=not for others",
        "spark.ssl.protocol=TLSv1.3");
  }

  private List<String> submit(Path conf, Class<?> listener, List<String> more) {
    List<String> command = new ArrayList<>(Jobs.java("-Xmx512m"));
    command.addAll(
        List.of("org.apache.spark.deploy.SparkSubmit", "--master", "local-cluster[2,1,1024]"));
    List<String> settings =
        new ArrayList<>(List.of("spark.ui.enabled=false", "spark.task.maxFailures=20"));
    settings.addAll(more);
    settings.addAll(
        List.of(
            "spark.extraListeners=" + listener.getName(),
            "spark.deploy.maxExecutorRetries=-1",
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

  private static void assumeSpark() {
    String sparkHome = System.getenv("SPARK_HOME");
    assumeTrue(
        sparkHome != null && Files.isDirectory(Path.of(sparkHome, "jars")),
        "SPARK_HOME with Spark's jars, which the build fills");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  @Tag("slow")
  void executorsThatAreKilledDoNotShowInTheWeights(boolean secure)
      throws IOException, InterruptedException {
    assumeSpark();
    String data = IdxFolder.write(temporary.resolve("data"), 200, 50, 6, 6).path().toString();
    Jobs.Ended undisturbed = Jobs.train(conf("undisturbed", data, "driver"));
    assertThat(undisturbed.code()).as(undisturbed.err()).isZero();
    // Executors also make the inverses and keep them: then there are more phases to die in.
    Path conf = conf("disturbed", data, "executors");
    List<String> more = new ArrayList<>();
    if (secure) {
      more.addAll(SECURE);
      more.addAll(tls());
    }
    try (Jobs.Child child = Jobs.start(temporary, submit(conf, ExecutorKiller.class, more))) {
      Jobs.Ended disturbed = child.await();
      assertThat(disturbed.code()).as(disturbed.err()).isZero();
      assertThat(disturbed.out())
          .contains("killed " + ExecutorKiller.KILLS + " executors")
          .contains("gradient", "products", "loss", "inverse", "precondition");
    }
    new RunResults(temporary.resolve("disturbed"))
        .assertEqualTo(new RunResults(temporary.resolve("undisturbed")));
  }

  /** Blocks are lost, and the files that they were read from are not there any more. */
  @Test
  @Tag("slow")
  void whatCannotBeDoneAgainEndsTheRunWithTheFirstCause() throws IOException, InterruptedException {
    assumeSpark();
    Path data = IdxFolder.write(temporary.resolve("data"), 200, 50, 6, 6).path();
    Path conf = conf("ended", data.toString(), "driver");
    try (Jobs.Child child =
        Jobs.start(
            temporary,
            submit(
                conf,
                DataRemover.class,
                List.of("spark.task.maxFailures=2", DataRemover.FOLDER + "=" + data)))) {
      Jobs.Ended ended = child.await();
      assertThat(ended.code()).isNotZero();
      assertThat(ended.err().lines().filter(line -> line.startsWith("error:")))
          .singleElement()
          .asString()
          .contains("train-images");
    }
    RunResults results = new RunResults(temporary.resolve("ended"));
    assertThat(results.folder().resolve("model.zip")).doesNotExist();
    assertThat(results.iterations()).isPositive();
  }
}
