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

/** What runs are refused by is there when they run, and without it they fail. */
class CertainMemoryTest {
  @TempDir Path temporary;

  /** With inverses, values of examples and, of tasks, sums and bases. */
  @Test
  @Tag("slow")
  void whatIsCertainIsTakenAndWithoutItNothingRuns() throws IOException, InterruptedException {
    assumeTrue(Files.exists(Path.of("/proc/self/status")), "/proc says what memory is in use");
    Path data = IdxFolder.write(temporary.resolve("data"), 60, 20, 40, 40).path();
    Path conf =
        Files.writeString(
            temporary.resolve("certain.conf"),
            """
            model { layers = [1600, 900, 10], activation = tanh, loss = mcxent, init = xavier }
            data { source = idx, path = "%s", task = classifier }
            optimizer { preconditioner = ekfac, damping.initial = 1 }
            curvature { inverse-period = 3, gamma-search = false }
            training { iterations = 3, batch-size = 40, checkpoint-every = 0, averaging = 0, restore-best = false, block-rows = 4000 }
            output { dir = "%s" }
            """
                .formatted(data, temporary.resolve("out")));
    Settings settings = Settings.load("certain", Files.readString(conf), List.of());
    RunPlan plan =
        RunPlan.of(
            TrainingRun.from(settings, "certain", new LocalStorage()),
            new SparkConf(false).set("spark.master", "local[2]"));
    long certain = plan.certain().driver();
    long peak = 0;
    try (Jobs.Child child = start(Train.class, conf, "8g")) {
      Path status = Path.of("/proc", String.valueOf(child.process().pid()), "status");
      while (child.process().isAlive()) {
        peak = Math.max(peak, CgfacMemoryTest.peakBytes(status));
        Thread.sleep(20);
      }
      Jobs.Ended ended = child.await();
      assertThat(ended.code()).as(ended.err()).isZero();
    }
    System.out.printf(
        "certain %.0f MB, expected heap %.0f and outside %.0f, taken %.0f%n",
        certain * 1e-6, plan.driverHeap() * 1e-6, plan.driverOutside() * 1e-6, peak * 1e-6);
    assertThat(peak).isGreaterThan(certain);
    // A main class that does not look before it begins.
    try (Jobs.Child child = start(MemoryProbe.class, conf, String.valueOf(certain))) {
      Jobs.Ended ended = child.await();
      assertThat(ended.code()).isNotZero();
      assertThat(ended.err()).contains("Physical memory usage is too high");
    }
  }

  private Jobs.Child start(Class<?> main, Path conf, String bound) throws IOException {
    List<String> command = new ArrayList<>(Jobs.java("-Xmx900m"));
    command.addAll(
        1,
        List.of(
            "-Dorg.bytedeco.javacpp.maxphysicalbytes=" + bound,
            "-Dspark.master=local[2]",
            "-Dspark.ui.enabled=false"));
    command.addAll(List.of(main.getName(), conf.toString()));
    return Jobs.start(temporary, command);
  }
}
