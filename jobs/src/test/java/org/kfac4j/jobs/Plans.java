package org.kfac4j.jobs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Plans for clusters that are not there, and what they print. */
final class Plans {
  /** Where the values of a plan's figures begin. */
  private static final int LABEL = 28;

  private static final Pattern OPTION = Pattern.compile("--(\\S+) (?:\"([^\"]*)\"|(\\S+))");

  private Plans() {}

  /**
   * A classifier's conf file.
   *
   * @param model what the block model holds
   * @param more lines
   */
  static Path conf(Path folder, IdxFolder data, String model, String more) throws IOException {
    return Files.writeString(
        folder.resolve("planned.conf"),
        """
        model { %s }
        data { source = idx, path = "%s", task = classifier }
        training { iterations = 3, batch-size = 10 }
        output { dir = "%s" }
        %s
        """
            .formatted(model, data.path(), folder.resolve("out"), more));
  }

  /** Runs a job with these settings of Spark, in this JVM. */
  static Jobs.Ended with(Map<String, String> spark, Callable<Integer> job, Path conf) {
    spark.forEach(System::setProperty);
    try {
      return Jobs.runAsConfigured(job, conf.toString());
    } finally {
      spark.keySet().forEach(System::clearProperty);
    }
  }

  /** The figures of a plan by their labels. */
  static Map<String, String> figures(Jobs.Ended plan) {
    Map<String, String> figures = new LinkedHashMap<>();
    plan.out()
        .lines()
        .filter(line -> line.length() > LABEL)
        .forEach(
            line ->
                figures.putIfAbsent(
                    line.substring(0, LABEL).strip(), line.substring(LABEL).strip()));
    return figures;
  }

  /** The settings of Spark that a plan says to give spark-submit. */
  static Map<String, String> flags(Jobs.Ended plan) {
    String line =
        plan.out()
            .lines()
            .filter(each -> each.startsWith("spark-submit "))
            .findFirst()
            .orElseThrow();
    Map<String, String> settings = new LinkedHashMap<>();
    Matcher option = OPTION.matcher(line);
    while (option.find()) {
      String value = option.group(2) == null ? option.group(3) : option.group(2);
      switch (option.group(1)) {
        case "driver-memory" -> settings.put("spark.driver.memory", value);
        case "executor-memory" -> settings.put("spark.executor.memory", value);
        case "conf" -> {
          int equals = value.indexOf('=');
          settings.put(value.substring(0, equals), value.substring(equals + 1));
        }
        default -> throw new IllegalArgumentException(option.group());
      }
    }
    return settings;
  }

  /**
   * A java command that runs a plan as spark-submit would with these settings, with a local master.
   */
  static List<String> command(String master, Map<String, String> flags, Path conf) {
    List<String> command =
        new ArrayList<>(Jobs.java("-Xmx" + flags.getOrDefault("spark.driver.memory", "1g")));
    List<String> options = new ArrayList<>(List.of("-Dspark.master=" + master));
    String extra = flags.getOrDefault("spark.driver.extraJavaOptions", "");
    if (!extra.isEmpty()) {
      options.addAll(List.of(extra.split(" ")));
    }
    command.addAll(1, options);
    command.addAll(List.of(Plan.class.getName(), conf.toString()));
    return command;
  }
}
