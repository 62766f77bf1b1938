package org.kfac4j.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A long run needs no more memory than a short one, but for the history of its iterations. */
class TrainMemoryTest {
  private static final int ITERATIONS = 2000;

  /**
   * Of the history: numbers of an iteration with evaluation or refreshed inverses, and Spark's own
   * records of past jobs.
   */
  private static final long HEAP_PER_ITERATION = 4096;

  /** One matrix [257, 100] that is not freed in each iteration would be 150 MB. */
  private static final long OUTSIDE_HEAP = 32 << 20;

  @TempDir Path temporary;

  @Test
  @Tag("slow")
  void heapAndNativeMemoryDoNotGrowOverTwoThousandIterations()
      throws IOException, InterruptedException {
    IdxFolder data = IdxFolder.write(temporary.resolve("data"), 60, 30, 16, 16);
    Path conf =
        Files.writeString(
            temporary.resolve("probe.conf"),
            """
            model { layers = [256, 100, 10], activation = tanh, loss = mcxent, init = xavier }
            data { source = idx, path = "%s", task = classifier, partitions = 2 }
            optimizer {
              step = scheduled
              learning-rate { initial = 1e-3 }
              damping { rule = fixed, initial = 1 }
            }
            curvature { gamma-search = false, inverse-period = 5 }
            training { iterations = %d, batch-size = 40, evaluate-every = 50, checkpoint-every = 100 }
            output { dir = "%s" }
            """
                .formatted(data.path(), ITERATIONS, temporary.resolve("out")));
    // A heap that is all there from the start, so that what the process grows by is outside it.
    List<String> command =
        new ArrayList<>(Jobs.java("-Xms512m", "-Xmx512m", "-XX:+AlwaysPreTouch"));
    command.addAll(1, List.of("-Dspark.master=local[2]", "-Dspark.ui.enabled=false"));
    command.addAll(List.of(MemoryProbe.class.getName(), conf.toString()));
    try (Jobs.Child child = Jobs.start(temporary, command)) {
      Jobs.Ended ended = child.await();
      assertThat(ended.code()).as(ended.err()).isZero();
      List<MemoryProbe.Usage> usages = MemoryProbe.Usage.parse(ended.out());
      usages.forEach(System.out::println);
      assertThat(usages).hasSize(ITERATIONS / MemoryProbe.EVERY);
      MemoryProbe.Usage early = usages.get(0);
      MemoryProbe.Usage late = usages.get(usages.size() - 1);
      int iterations = late.iteration() - early.iteration();
      assertThat(late.heap() - early.heap()).as("heap").isLessThan(HEAP_PER_ITERATION * iterations);
      assertThat(late.resident() - early.resident()).as("resident").isLessThan(OUTSIDE_HEAP);
    }
  }
}
