package org.kfac4j.jobs;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A small training, and how the assembly is submitted to do it, with nothing but Spark around it.
 */
final class Submission {
  private Submission() {}

  static Path conf(Path temporary, String run, String data) throws IOException {
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

  static void assumeSpark() {
    String sparkHome = System.getenv("SPARK_HOME");
    assumeTrue(
        sparkHome != null && Files.isDirectory(Path.of(sparkHome, "jars")),
        "SPARK_HOME with Spark's jars, which the build fills");
  }

  /** The assembly as every machine has it, which Spark does not copy. */
  static String installed() {
    return "local:" + Jobs.assembly();
  }

  static List<String> command(String master, List<String> more, String jar, String... arguments) {
    List<String> command = new ArrayList<>(Jobs.spark("-Xmx512m"));
    command.addAll(List.of("org.apache.spark.deploy.SparkSubmit", "--master", master));
    command.addAll(more);
    for (String setting :
        List.of("spark.ui.enabled=false", "spark.executor.memory=700m", "spark.executor.cores=1")) {
      command.add("--conf");
      command.add(setting);
    }
    command.addAll(List.of("--class", Train.class.getName(), jar));
    command.addAll(List.of(arguments));
    return command;
  }
}
