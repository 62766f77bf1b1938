package org.kfac4j.jobs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A folder with conf files for the job verify, of small made-up images of 4 × 5 pixels. */
record VerifyFolder(Path path) {
  static VerifyFolder create(Path folder) throws IOException {
    IdxFolder.write(folder.resolve("data"), 60, 20, 4, 5);
    return new VerifyFolder(folder);
  }

  /**
   * A classifier's conf file.
   *
   * @param model what its block {@code model} has
   * @param more other settings
   */
  Path conf(String name, String model, String... more) throws IOException {
    String text =
        """
        model { %s, init = xavier }
        data { source = idx, path = "%s", task = classifier }
        training { batch-size = 60 }
        output { dir = "%s" }
        %s
        """
            .formatted(model, path.resolve("data"), output(name), String.join("\n", more));
    return Files.writeString(path.resolve(name + ".conf"), text);
  }

  /** The same of a model whose configuration DL4J has written. */
  Path confOf(String name, String json, String... more) throws IOException {
    Path file = Files.writeString(path.resolve(name + ".json"), json);
    return conf(name, "file = \"" + file + "\", input = [1, 4, 5]", more);
  }

  /** Where the conf file of that name wants files, which this job does not write. */
  Path output(String name) {
    return path.resolve("out-" + name);
  }
}
