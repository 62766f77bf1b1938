package org.kfac4j.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The assembly as its users have it, after it was packaged: a standalone master and two workers on
 * this machine, each a JVM of its own with nothing but Spark on its class path, and jobs that
 * spark-submit brings there in client and cluster mode.
 */
class StandaloneIT {
  @TempDir Path temporary;

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
    Submission.assumeSpark();
    String data = IdxFolder.write(temporary.resolve("data"), 200, 50, 6, 6).path().toString();
    Jobs.Ended threads = Jobs.train(Submission.conf(temporary, "threads", data));
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
          Jobs.start(
              temporary,
              Submission.command(
                  master,
                  List.of(),
                  Submission.installed(),
                  Submission.conf(temporary, "client", data).toString()))) {
        Jobs.Ended ended = client.await();
        assertThat(ended.code()).as(ended.err()).isZero();
      }
      RunResults results = new RunResults(temporary.resolve("client"));
      assertThat(results.summary().get("cluster").get("master").asText()).isEqualTo(master);
      results.assertEqualTo(new RunResults(temporary.resolve("threads")));
      // In cluster mode a worker starts the driver, which finds the conf file by its name.
      Path conf = Submission.conf(temporary, "cluster", data);
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
      try (Jobs.Child submitted =
          Jobs.start(
              temporary, Submission.command(master, cluster, Jobs.assembly(), "cluster.conf"))) {
        Jobs.Ended ended = submitted.await();
        assertThat(ended.code()).as(ended.err()).isZero();
      }
      new RunResults(temporary.resolve("cluster"))
          .assertEqualTo(new RunResults(temporary.resolve("threads")));
    }
  }
}
