package org.kfac4j.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The assembly as its users have it, after it was packaged: a standalone master and two workers on
 * this machine, each a JVM of its own with nothing but Spark on its class path, and jobs that
 * spark-submit brings there in client and cluster mode; and executors that a script gives GPUs.
 */
class StandaloneIT {
  @TempDir Path temporary;

  private Path conf(String run, String data) throws IOException {
    return Files.writeString(
        temporary.resolve(run + ".conf"),
        """
        model { layers = [36, 20, 10], activation = tanh, loss = mcxent }
        data { source = idx, path = "%s", task = classifier, partitions = 3 }
        optimizer { damping { initial = 1 } }
        curvature { inverse-period = 2, gamma-search = false }
        training { iterations = 6, batch-size = 60, evaluate-every = 3, checkpoint-every = 3 }
        output { dir = "%s" }
        """
            .formatted(data, temporary.resolve(run)));
  }

  private static void assumeSpark() {
    String sparkHome = System.getenv("SPARK_HOME");
    assumeTrue(
        sparkHome != null && Files.isDirectory(Path.of(sparkHome, "jars")),
        "SPARK_HOME with Spark's jars, which the build fills");
  }

  private static List<String> submit(String master, List<String> more, String... arguments) {
    List<String> command = new ArrayList<>(Jobs.spark("-Xmx512m"));
    command.addAll(List.of("org.apache.spark.deploy.SparkSubmit", "--master", master));
    command.addAll(more);
    for (String setting :
        List.of("spark.ui.enabled=false", "spark.executor.memory=700m", "spark.executor.cores=1")) {
      command.add("--conf");
      command.add(setting);
    }
    command.addAll(List.of("--class", Train.class.getName(), Jobs.assembly()));
    command.addAll(List.of(arguments));
    return command;
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private Jobs.Child daemon(String type, List<String> arguments) throws IOException {
    List<String> command = new ArrayList<>(Jobs.spark("-Xmx300m"));
    command.add("org.apache.spark.deploy." + type);
    command.addAll(List.of("--host", "127.0.0.1", "--webui-port", "0"));
    command.addAll(arguments);
    return Jobs.start(temporary, command);
  }

  private Jobs.Child worker(int number, String master) throws IOException {
    return daemon(
        "worker.Worker",
        List.of(
            "--cores",
            "2",
            "--memory",
            "2g",
            "--work-dir",
            temporary.resolve("work" + number).toString(),
            master));
  }

  @Test
  @Tag("slow")
  void jobsRunOnAStandaloneClusterInBothModes() throws IOException, InterruptedException {
    assumeSpark();
    String data = IdxFolder.write(temporary.resolve("data"), 200, 50, 6, 6).path().toString();
    Jobs.Ended threads = Jobs.train(conf("threads", data));
    assertThat(threads.code()).as(threads.err()).isZero();
    int port = freePort();
    String master = "spark://127.0.0.1:" + port;
    try (Jobs.Child first = daemon("master.Master", List.of("--port", String.valueOf(port)));
        Jobs.Child second = worker(1, master);
        Jobs.Child third = worker(2, master)) {
      for (Jobs.Child each : List.of(first, second, third)) {
        assertThat(each.process().isAlive()).isTrue();
      }
      try (Jobs.Child client =
          Jobs.start(temporary, submit(master, List.of(), conf("client", data).toString()))) {
        Jobs.Ended ended = client.await();
        assertThat(ended.code()).as(ended.err()).isZero();
      }
      RunResults results = new RunResults(temporary.resolve("client"));
      assertThat(results.summary().get("cluster").get("master").asText()).isEqualTo(master);
      results.assertEqualTo(new RunResults(temporary.resolve("threads")));
      // In cluster mode a worker starts the driver, which finds the conf file by its name.
      Path conf = conf("cluster", data);
      String opens =
          String.join(" ", Jobs.java().stream().filter(w -> w.startsWith("--add")).toList());
      List<String> cluster =
          List.of(
              "--deploy-mode",
              "cluster",
              "--driver-memory",
              "512m",
              "--conf",
              "spark.standalone.submit.waitAppCompletion=true",
              "--conf",
              "spark.driver.extraJavaOptions=" + opens,
              "--files",
              conf.toString());
      try (Jobs.Child submitted = Jobs.start(temporary, submit(master, cluster, "cluster.conf"))) {
        Jobs.Ended ended = submitted.await();
        assertThat(ended.code()).as(ended.err()).isZero();
      }
      new RunResults(temporary.resolve("cluster"))
          .assertEqualTo(new RunResults(temporary.resolve("threads")));
    }
  }

  /**
   * @param byStage whether only the stages that compute have GPUs, or all of the application's
   */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  @Tag("slow")
  void gpusThatTheLibraryCannotUseAreSaidOnceOrRefused(boolean byStage)
      throws IOException, InterruptedException {
    assumeSpark();
    String data = IdxFolder.write(temporary.resolve("data"), 200, 50, 6, 6).path().toString();
    assertThat(Jobs.train(conf("threads", data)).code()).isZero();
    Path script = temporary.resolve("gpus.sh");
    Files.writeString(script, "echo '{\"name\": \"gpu\", \"addresses\": [\"7\"]}'\n");
    assertThat(script.toFile().setExecutable(true)).isTrue();
    List<String> gpus = new ArrayList<>();
    for (String setting :
        List.of(
            "spark.worker.resource.gpu.amount=1",
            "spark.worker.resource.gpu.discoveryScript=" + script,
            "spark.executor.resource.gpu.amount=1")) {
      gpus.add("--conf");
      gpus.add(setting);
    }
    if (!byStage) {
      gpus.add("--conf");
      gpus.add("spark.task.resource.gpu.amount=1");
    }
    String master = "local-cluster[2,1,1024]";
    String share = byStage ? "training.task-gpus=1" : "training.task-gpus=0";
    try (Jobs.Child child =
        Jobs.start(
            temporary, submit(master, gpus, conf("gpus", data).toString(), "--set", share))) {
      Jobs.Ended ended = child.await();
      assertThat(ended.code()).as(ended.err()).isZero();
      assertThat(ended.err().lines().filter(line -> line.contains("given GPUs")))
          .singleElement()
          .asString()
          .contains("0: 7; 1: 7", "going on with CPUs: cuBLAS 11 cannot be loaded");
    }
    RunResults results = new RunResults(temporary.resolve("gpus"));
    assertThat(results.summary().get("cluster").get("devices").asText())
        .isEqualTo("2 × nd4j-native on the CPU");
    results.assertEqualTo(new RunResults(temporary.resolve("threads")));
    try (Jobs.Child child =
        Jobs.start(
            temporary,
            submit(
                master,
                gpus,
                conf("refused", data).toString(),
                "--set",
                "training.device=gpu",
                "--set",
                share))) {
      Jobs.Ended ended = child.await();
      assertThat(ended.code()).isEqualTo(Job.BAD_INPUT);
      assertThat(ended.err())
          .contains("error: training.device = gpu", "cannot use the GPU 7: cuBLAS 11");
    }
  }
}
