package org.kfac4j.jobs;

import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.SparkConf;
import org.kfac4j.InvalidInputException;
import org.kfac4j.Settings;
import org.kfac4j.data.Storage;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What every job's command line has: a conf file and settings that override it. */
final class JobOptions {
  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "CONF",
      description =
          "HOCON file with the settings that differ from the defaults; a path or any Hadoop URI")
  String conf = "";

  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE",
      description = "Override one setting, for example training.iterations=100; may be repeated")
  List<String> overrides = new ArrayList<>();

  @Option(
      names = "--print-config",
      description = "Print all settings as they would be used, and exit")
  boolean printConfig;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help, and exit")
  boolean help;

  /**
   * Reads and checks the settings.
   *
   * @throws InvalidInputException if there is no such file or a setting breaks a rule
   */
  Settings settings(Storage storage) throws IOException {
    InvalidInputException.require(
        printConfig || !conf.isEmpty(),
        "a conf file is missing: for example conf/curves-autoencoder.conf");
    return settingsOrDefaults(storage);
  }

  /** As {@link #settings}, but the defaults if there is no conf file. */
  Settings settingsOrDefaults(Storage storage) throws IOException {
    if (conf.isEmpty()) {
      return Settings.load("defaults", "", overrides);
    }
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    try (InputStream in = open(storage)) {
      in.transferTo(text);
    } catch (FileNotFoundException e) {
      throw new InvalidInputException("no such conf file: " + conf, e);
    }
    return Settings.load(conf, text.toString(StandardCharsets.UTF_8), overrides);
  }

  /**
   * Opens the conf file. One without folders that the default file system does not have came with
   * {@code --files}: a driver inside of a cluster finds it in its folder, or, where Spark does not
   * put it there (standalone masters), under its full name in {@code spark.files}.
   */
  private InputStream open(Storage storage) throws IOException {
    boolean plain = conf.indexOf('/') < 0;
    if (!plain || storage.exists(conf)) {
      return storage.open(conf);
    }
    Path local = Path.of(conf);
    if (Files.exists(local)) {
      return Files.newInputStream(local);
    }
    for (String file : new SparkConf().get("spark.files", "").split(",")) {
      if (file.endsWith("/" + conf)) {
        return storage.open(file);
      }
    }
    return storage.open(conf);
  }

  /** The same options with another conf file. */
  JobOptions withConf(String other) {
    JobOptions copy = new JobOptions();
    copy.conf = other;
    copy.overrides = overrides;
    return copy;
  }

  /** The conf file's name without folders and extension. */
  String name() {
    String file = conf.substring(conf.lastIndexOf('/') + 1);
    int dot = file.lastIndexOf('.');
    return dot > 0 ? file.substring(0, dot) : file;
  }
}
