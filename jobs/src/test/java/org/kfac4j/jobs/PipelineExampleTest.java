package org.kfac4j.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Random;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PipelineExampleTest {
  @TempDir Path folder;

  /** Three classes, sparse rows. */
  private Path table() throws IOException {
    Random random = new Random(3);
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 300; i++) {
      int label = i % 3;
      text.append(label);
      for (int j = 0; j < 6; j++) {
        if (j % 3 == label || random.nextInt(3) == 0) {
          double value = (j % 3 == label ? 5 : 1) + random.nextDouble();
          text.append(String.format(Locale.ROOT, " %d:%.3f", j + 1, value));
        }
      }
      text.append('\n');
    }
    return Files.writeString(folder.resolve("table.libsvm"), text);
  }

  private static double accuracy(Jobs.Ended ended) {
    assertThat(ended.code()).as(ended.err()).isZero();
    return Double.parseDouble(ended.out().replaceAll("(?s).*accuracy ([0-9.]+) %.*", "$1"));
  }

  @Test
  void aTableOfEitherFormatIsLearnedSavedAndLoaded() throws IOException {
    String libsvm = table().toString();
    String saved = folder.resolve("saved").toString();
    String[] more = {"--hidden", "8", "--iterations", "20"};
    double first =
        accuracy(
            Jobs.run(
                new PipelineExample(),
                "--data",
                libsvm,
                "--save",
                saved,
                more[0],
                more[1],
                more[2],
                more[3]));
    assertThat(first).isGreaterThan(90);
    assertThat(Path.of(saved, "stages")).isDirectory();
    Path parquet = folder.resolve("table.parquet");
    SparkSession session =
        SparkSession.builder().master("local[2]").config("spark.ui.enabled", "false").getOrCreate();
    session.read().format("libsvm").load(libsvm).write().parquet(parquet.toString());
    session.stop();
    SparkSession.clearDefaultSession();
    SparkSession.clearActiveSession();
    assertThat(
            accuracy(
                Jobs.run(
                    new PipelineExample(),
                    "--data",
                    parquet.toString(),
                    "--format",
                    "parquet",
                    more[0],
                    more[1],
                    more[2],
                    more[3])))
        .isGreaterThan(90);
  }

  @Test
  void badInputIsOneLine() {
    Jobs.Ended format = Jobs.run(new PipelineExample(), "--data", "x", "--format", "csv");
    assertThat(format.code()).isEqualTo(Job.BAD_INPUT);
    assertThat(format.err()).contains("--format must be libsvm or parquet, got csv");
    Jobs.Ended missing =
        Jobs.run(
            new PipelineExample(),
            "--data",
            folder.resolve("nothing").toString(),
            "--format",
            "parquet");
    assertThat(missing.code()).isEqualTo(Job.BAD_INPUT);
    assertThat(missing.err().lines()).hasSize(1);
    assertThat(missing.err()).contains("--data", "nothing");
  }
}
