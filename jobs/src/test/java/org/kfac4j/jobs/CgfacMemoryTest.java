package org.kfac4j.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * CG-FAC never forms a matrix of d × d: it trains a layer with 20,000 inputs, of which K-FAC's
 * factor alone would be 1.6 GB, in less memory than that for everything.
 */
class CgfacMemoryTest {
  private static final long INPUTS = 20_000;

  @TempDir Path temporary;

  private Path conf(String preconditioner) throws IOException {
    IdxFolder data = IdxFolder.write(temporary.resolve("data"), 240, 20, 100, 200);
    return Files.writeString(
        temporary.resolve("wide.conf"),
        """
        model { layers = [20000, 16, 10], activation = tanh, loss = mcxent, init = xavier }
        data { source = idx, path = "%s", task = classifier }
        optimizer { preconditioner = %s, damping.initial = 1 }
        training { iterations = 4, batch-size = 200, averaging = 0, checkpoint-every = 0, block-rows = 128 }
        output { dir = "%s", overwrite = true }
        """
            .formatted(data.path(), preconditioner, temporary.resolve("out")));
  }

  @Test
  @Tag("slow")
  void peakMemoryStaysBelowOneFactorOfKfac() throws IOException, InterruptedException {
    Assumptions.assumeTrue(Files.exists(Path.of("/proc/self/status")), "needs /proc");
    List<String> command = new ArrayList<>(Jobs.java("-Xmx700m"));
    command.addAll(
        List.of(
            "-Dspark.master=local[2]",
            "-Dspark.ui.enabled=false",
            Train.class.getName(),
            conf("cgfac").toString()));
    try (Jobs.Child child = Jobs.start(temporary, command)) {
      long peak = 0;
      Path status = Path.of("/proc", String.valueOf(child.process().pid()), "status");
      while (child.process().isAlive()) {
        peak = Math.max(peak, peakBytes(status));
        Thread.sleep(20);
      }
      Jobs.Ended ended = child.await();
      assertThat(ended.code()).as(ended.err()).isZero();
      System.out.printf("peak resident %.0f MB%n", peak * 1e-6);
      long factor = 8 * (INPUTS + 1) * (INPUTS + 2) / 2;
      assertThat(factor).isGreaterThan(1_600_000_000L);
      assertThat(peak).isPositive().isLessThan(factor);
    }
  }

  /** VmHWM, 0 once the process has ended. */
  static long peakBytes(Path status) {
    try (Stream<String> lines = Files.lines(status)) {
      return lines
          .filter(line -> line.startsWith("VmHWM:"))
          .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("\\D", "")))
          .sum();
    } catch (IOException | java.io.UncheckedIOException ended) {
      return 0;
    }
  }

  /** The tests' JVM has 3 GB, of which K-FAC's average and its task's sums take more. */
  @Test
  void kfacIsToldThatItNeedsMore() throws IOException {
    Jobs.Ended ended = Jobs.train(conf("kfac"));
    assertThat(ended.code()).as(ended.err()).isEqualTo(Job.BAD_INPUT);
    assertThat(ended.err()).contains("needs at least", "--driver-memory");
  }
}
