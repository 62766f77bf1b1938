package org.kfac4j.spark;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.spark.SparkEnv;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.resource.ResourceInformation;
import org.kfac4j.InvalidInputException;
import org.nd4j.linalg.factory.Nd4j;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What executors compute with: the library, and the GPUs that Spark has given to their tasks. */
public final class Devices {
  private static final Logger LOG = LoggerFactory.getLogger(Devices.class);

  /** What Spark calls GPUs. */
  private static final String GPU = "gpu";

  /** What the user wants. */
  public enum Wish {
    /** GPUs where the cluster gives them and the library can use them. */
    AUTO,
    CPU,
    /** GPUs or nothing. */
    GPU
  }

  private Devices() {}

  /**
   * What one executor says of itself.
   *
   * @param library for example "nd4j-native on the CPU"
   * @param addresses of the GPUs that its tasks were given
   */
  record Report(String executor, String library, boolean cuda, List<String> addresses)
      implements Serializable {}

  /**
   * Asks the executors, and says in one line what they compute with.
   *
   * @return that line
   * @throws InvalidInputException if GPUs are wished for and an executor has none, or its library
   *     cannot use it
   */
  public static String check(JavaSparkContext spark, Wish wish) {
    List<Report> reports = survey(spark);
    for (Report report : reports) {
      InvalidInputException.require(
          wish != Wish.GPU || report.cuda,
          "training.device = gpu, but executor %s computes with %s%s",
          report.executor,
          report.library,
          report.addresses.isEmpty()
              ? " and was given no GPU: set spark.executor.resource.gpu.amount and spark.task.resource.gpu.amount"
              : ", which cannot use the GPU " + String.join(", ", report.addresses));
    }
    List<String> unused =
        reports.stream()
            .filter(report -> !report.cuda && !report.addresses.isEmpty())
            .map(report -> report.executor + ": " + String.join(", ", report.addresses))
            .toList();
    if (wish == Wish.AUTO && !unused.isEmpty()) {
      LOG.warn(
          "executors were given GPUs ({}) that {} cannot use: going on with CPUs",
          String.join("; ", unused),
          reports.get(0).library);
    }
    Map<String, Long> counts =
        reports.stream()
            .collect(Collectors.groupingBy(Report::library, TreeMap::new, Collectors.counting()));
    return counts.entrySet().stream()
        .map(entry -> entry.getValue() + " × " + entry.getKey())
        .collect(Collectors.joining(", "));
  }

  /** One report of every executor that has run one of as many tasks as run at a time. */
  static List<Report> survey(JavaSparkContext spark) {
    int tasks = Math.max(1, spark.defaultParallelism());
    List<Integer> indices = new ArrayList<>();
    for (int i = 0; i < tasks; i++) {
      indices.add(i);
    }
    List<Report> all =
        new JobLabels(spark)
            .label("devices", () -> spark.parallelize(indices, tasks).map(i -> own()).collect());
    Map<String, Report> byExecutor = new TreeMap<>();
    all.forEach(report -> byExecutor.putIfAbsent(report.executor, report));
    return List.copyOf(byExecutor.values());
  }

  private static Report own() {
    String name = Nd4j.getBackend().getClass().getSimpleName();
    boolean cuda = isCuda();
    return new Report(
        SparkEnv.get().executorId(),
        cuda ? "nd4j-cuda (" + name + ")" : "nd4j-native on the CPU",
        cuda,
        addresses());
  }

  private static boolean isCuda() {
    return !Nd4j.getBackend().getClass().getSimpleName().startsWith("Cpu");
  }

  private static List<String> addresses() {
    TaskContext task = TaskContext.get();
    if (task == null || !task.resources().contains(GPU)) {
      return List.of();
    }
    ResourceInformation gpus = task.resources().apply(GPU);
    return Arrays.asList(gpus.addresses());
  }

  /** Has this thread compute on the GPU that its task was given, if the library can. */
  public static void bind() {
    if (!isCuda()) {
      return;
    }
    List<String> addresses = addresses();
    if (!addresses.isEmpty()) {
      Nd4j.getAffinityManager().unsafeSetDevice(Integer.parseInt(addresses.get(0)));
    }
  }
}
