package org.kfac4j.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kfac4j.curvature.SumNames;
import org.kfac4j.curvature.Sums;

/** How the job ends, with one mistake or another put in. */
class VerifyTest {
  @TempDir static Path folder;
  private static Path dense;

  @BeforeAll
  static void data() throws IOException {
    dense = VerifyFolder.create(folder).conf("dense", "layers = [20, 8, 10], loss = mcxent");
  }

  private static Jobs.Ended broken(UnaryOperator<Sums> computed, UnaryOperator<byte[]> file) {
    return Jobs.run(new Verify(computed, file), dense.toString(), "--examples", "8");
  }

  private static void assertFails(Jobs.Ended run, String... checks) {
    assertThat(run.code()).as(run.out() + run.err()).isEqualTo(Job.NOT_VERIFIED);
    for (String check : checks) {
      assertThat(run.out().lines())
          .as(run.out())
          .anySatisfy(line -> assertThat(line).startsWith(check + " ").contains("FAILED"));
    }
  }

  @Test
  void wrongSumsEndWithTheirOwnExitCode() {
    // Gradients of classes add up to zero, so only what comes from the last layer is coupled.
    List<String> names = List.of(SumNames.GRADIENT, "A 0", "A 0 1", "coarse G 1");
    UnaryOperator<Sums> doubled =
        sums -> {
          Sums more = new Sums();
          for (String name : names) {
            if (sums.hasVector(name)) {
              more.put(name, sums.mean(name, 1));
            }
          }
          return sums.merge(more);
        };
    assertFails(
        broken(doubled, file -> file),
        "gradient",
        "kfac: factors",
        "kfac: exact for one example",
        "kfac-tridiagonal factored: chain",
        "two-level factored: residual");
  }

  @Test
  void aDamagedFileEndsWithItsOwnExitCode() {
    UnaryOperator<byte[]> damage =
        file -> {
          byte[] damaged = file.clone();
          for (int i = damaged.length / 2; i < damaged.length / 2 + 40; i++) {
            damaged[i] ^= 0x55;
          }
          return damaged;
        };
    assertFails(broken(each -> each, damage), "saved weights");
  }

  @Test
  void aTrainingThatDivergesInTheSameWayTwiceIsNoFailure() {
    Jobs.Ended run =
        Jobs.run(
            new Verify(),
            dense.toString(),
            "--examples",
            "8",
            "--set",
            "optimizer.name=sgd",
            "--set",
            "optimizer.learning-rate.initial=1e30");
    assertThat(run.code()).as(run.out() + run.err()).isZero();
    assertThat(run.out().lines())
        .as(run.out())
        .anySatisfy(
            line ->
                assertThat(line).startsWith("two runs").contains("not applicable", "iteration "));
  }

  private static void assertRefused(String message, String... args) {
    Jobs.Ended run = Jobs.run(new Verify(), args);
    assertThat(run.code()).isEqualTo(Job.BAD_INPUT);
    assertThat(run.err().lines().toList()).containsExactly("error: " + message);
  }

  @Test
  void badInputIsRefusedByName() {
    for (int count : new int[] {0, -1, 3, 1025}) {
      assertRefused(
          "--examples must be from 4 to 1024, got " + count,
          dense.toString(),
          "--examples",
          String.valueOf(count));
    }
    Jobs.Ended run = Jobs.run(new Verify(), dense.toString(), "--set", "data.path=nowhere");
    assertThat(run.code()).isEqualTo(Job.BAD_INPUT);
    assertThat(run.err().lines().toList()).hasSize(1);
    assertThat(run.err()).contains("nowhere");
    assertRefused(
        "a conf file is missing: for example conf/curves-autoencoder.conf", "--examples", "8");
  }
}
