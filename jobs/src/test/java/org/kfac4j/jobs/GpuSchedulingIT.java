package org.kfac4j.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Executors that a script gives GPUs, of the application's tasks or of the stages that compute, and
 * that cannot use them.
 */
class GpuSchedulingIT {
  @TempDir Path temporary;

  /**
   * @param byStage whether only the stages that compute have GPUs, or all of the application's
   */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  @Tag("slow")
  void gpusThatTheLibraryCannotUseAreSaidOnceOrRefused(boolean byStage)
      throws IOException, InterruptedException {
    Submission.assumeSpark();
    String data = IdxFolder.write(temporary.resolve("data"), 200, 50, 6, 6).path().toString();
    assertThat(Jobs.train(Submission.conf(temporary, "threads", data)).code()).isZero();
    Path script = temporary.resolve("gpus.sh");
    Files.writeString(script, "echo '{\"name\": \"gpu\", \"addresses\": [\"7\"]}'\n");
    assertThat(script.toFile().setExecutable(true)).isTrue();
    List<String> gpus = new ArrayList<>();
    for (String setting :
        List.of(
            "spark.worker.resource.gpu.amount=1",
            "spark.worker.resource.gpu.discoveryScript=" + script,
            "spark.scheduler.minRegisteredResourcesRatio=1",
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
            temporary,
            Submission.command(
                master,
                gpus,
                Submission.installed(),
                Submission.conf(temporary, "gpus", data).toString(),
                "--set",
                share))) {
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
    if (byStage) {
      return;
    }
    try (Jobs.Child child =
        Jobs.start(
            temporary,
            Submission.command(
                master,
                gpus,
                Submission.installed(),
                Submission.conf(temporary, "refused", data).toString(),
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
