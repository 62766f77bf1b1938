package org.kfac4j.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kfac4j.Settings;

/** What a job makes of Spark's settings, and says of where it runs. */
class ClusterTest {
  private static final Map<String, String> SPARK =
      Map.of(
          "spark.master", "local[2]",
          "spark.ui.enabled", "false",
          "spark.default.parallelism", "64",
          "spark.hadoop.fs.viewfs.mounttable.kfac4j.link./runs", "file:");

  @TempDir Path folder;

  @AfterEach
  void forget() {
    SPARK.keySet().forEach(System::clearProperty);
  }

  private void configure() {
    SPARK.forEach(System::setProperty);
    System.setProperty(
        "spark.hadoop.fs.viewfs.mounttable.kfac4j.link./runs", folder.toUri().toString());
  }

  @Test
  void filesAreThoseOfTheApplicationsHadoopSettings() throws IOException {
    configure();
    Files.writeString(folder.resolve("x.conf"), "x");
    try (InputStream in = Cluster.storage().open("viewfs://kfac4j/runs/x.conf")) {
      assertThat(new String(in.readAllBytes(), StandardCharsets.UTF_8)).isEqualTo("x");
    }
  }

  @Test
  void coresAreCountedWhateverTheDefaultParallelismIs() {
    configure();
    Settings settings = Settings.load("x", "", List.of());
    try (Cluster cluster = Cluster.start("x")) {
      assertThat(cluster.describe(settings))
          .containsEntry("parallelTasks", "2")
          .containsEntry("executors", "1")
          .containsEntry("partitions", "64");
    }
  }

  @Test
  void versionsAreThoseOfTheBuild() {
    assertThat(Cluster.versions().get("nd4j")).matches("1\\.0\\.0-M.*");
    assertThat(Cluster.versions().get("spark")).startsWith("3.5");
  }
}
