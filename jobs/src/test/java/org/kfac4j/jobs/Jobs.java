package org.kfac4j.jobs;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.slf4j.LoggerFactory;

/** Runs jobs as their users do: in this JVM, or in one of their own that can be killed. */
final class Jobs {
  private static final Map<String, String> SPARK =
      Map.of("spark.master", "local[2]", "spark.ui.enabled", "false");

  static {
    LoggerFactory.getLogger(Jobs.class); // The log goes to the real standard error from here on.
  }

  private Jobs() {}

  /** How a job ended, and what it printed beside the log. */
  record Ended(int code, String out, String err) {}

  /** Runs a job in this JVM, on two threads. */
  static Ended run(Callable<Integer> job, String... args) {
    SPARK.forEach(System::setProperty);
    try {
      return runAsConfigured(job, args);
    } finally {
      SPARK.keySet().forEach(System::clearProperty);
    }
  }

  /** The same with no setting of Spark's. */
  static Ended runAsConfigured(Callable<Integer> job, String... args) {
    PrintStream out = System.out;
    PrintStream err = System.err;
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    ByteArrayOutputStream complained = new ByteArrayOutputStream();
    System.setOut(new PrintStream(printed, true, UTF_8));
    System.setErr(new PrintStream(complained, true, UTF_8));
    try {
      int code = Job.exitCode(job, args);
      return new Ended(code, printed.toString(UTF_8), complained.toString(UTF_8));
    } finally {
      System.setOut(out);
      System.setErr(err);
    }
  }

  /** Training in this JVM. */
  static Ended train(Path conf, String... args) {
    List<String> all = new ArrayList<>(List.of(conf.toString()));
    all.addAll(Arrays.asList(args));
    return run(new Train(), all.toArray(String[]::new));
  }

  /** A JVM and the files that its output goes to. */
  record Child(Process process, Path out, Path err) implements AutoCloseable {
    /** Waits for its end. */
    Ended await() throws IOException, InterruptedException {
      int code = process.waitFor();
      return new Ended(code, Files.readString(out), Files.readString(err));
    }

    /** SIGKILL, where there are signals. */
    Ended kill() throws IOException, InterruptedException {
      process.destroyForcibly();
      return await();
    }

    @Override
    public void close() {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
  }

  /** Training in a JVM of its own, on two threads. */
  static Child startTraining(Path folder, Path conf, String... args) throws IOException {
    List<String> command = new ArrayList<>(java("-Xmx512m"));
    SPARK.forEach((key, value) -> command.add("-D" + key + "=" + value));
    command.add(Train.class.getName());
    command.add(conf.toString());
    command.addAll(Arrays.asList(args));
    return start(folder, command);
  }

  /**
   * A java command up to the main class: this JVM's class path and what Spark needs on this version
   * of Java.
   */
  static List<String> java(String... options) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    for (String argument : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
      if (argument.startsWith("--add-opens")) {
        command.add(argument);
      }
    }
    String logging = System.getProperty("log4j2.configurationFile");
    if (logging != null) {
      command.add("-Dlog4j2.configurationFile=" + logging);
    }
    command.add("-XX:TieredStopAtLevel=1"); // Starts sooner.
    command.addAll(Arrays.asList(options));
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    return command;
  }

  /** The same with nothing but Spark on the class path, as on a cluster. */
  static List<String> spark(String... options) {
    List<String> command = java(options);
    command.set(command.size() - 1, Path.of(System.getenv("SPARK_HOME"), "jars", "*").toString());
    return command;
  }

  /** The jar that users submit; only there after the tests, for those that come later. */
  static String assembly() {
    return java.util.Objects.requireNonNull(System.getProperty("kfac4j.assembly"));
  }

  static Child start(Path folder, List<String> command) throws IOException {
    Path out = Files.createTempFile(folder, "stdout", ".txt");
    Path err = Files.createTempFile(folder, "stderr", ".txt");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectOutput(out.toFile())
            .redirectError(err.toFile());
    return new Child(builder.start(), out, err);
  }
}
