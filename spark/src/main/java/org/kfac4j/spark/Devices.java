package org.kfac4j.spark;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.spark.SparkEnv;
import org.apache.spark.SparkException;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.resource.ResourceInformation;
import org.apache.spark.resource.ResourceProfile;
import org.apache.spark.resource.ResourceProfileBuilder;
import org.apache.spark.resource.TaskResourceRequests;
import org.jspecify.annotations.Nullable;
import org.kfac4j.InvalidInputException;
import org.kfac4j.Settings;
import org.kfac4j.linalg.Blas;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the tasks of a training compute with: their share of an executor's processors and GPUs, if
 * it is another than the application's (Spark's stage-level scheduling), and whether they use the
 * GPUs that Spark gives them.
 */
public final class Devices implements Serializable {
  private static final long serialVersionUID = 1L;
  private static final Logger LOG = LoggerFactory.getLogger(Devices.class);
  private static final String CPU = "nd4j-native on the CPU";

  /** What the user wants. */
  public enum Wish {
    /** GPUs where the cluster gives them and the library can use them. */
    AUTO,
    CPU,
    /** GPUs or nothing. */
    GPU
  }

  private final Wish wish;

  /** Of an application that is one process, to whose tasks Spark gives no GPUs. */
  private final List<String> ofDriver;

  private final transient @Nullable ResourceProfile profile;
  private final transient String summary;

  private Devices(
      Wish wish, List<String> ofDriver, @Nullable ResourceProfile profile, String summary) {
    this.wish = wish;
    this.ofDriver = ofDriver;
    this.profile = profile;
    this.summary = summary;
  }

  /** Whatever Spark gives to tasks, or CPUs; nobody is asked first. */
  public static Devices given() {
    return new Devices(Wish.AUTO, List.of(), null, "");
  }

  /**
   * Checks what can be checked without a cluster.
   *
   * @throws InvalidInputException if a setting breaks a rule
   */
  public static void check(Settings settings) {
    settings.choice("training.device", Wish.class);
    settings.nonNegativeInt("training.task-cpus");
    settings.nonNegative("training.task-gpus");
  }

  /** Threads of one task: the setting, or {@code spark.task.cpus}. */
  public static int threadsPerTask(Settings settings, JavaSparkContext spark) {
    int asked = settings.nonNegativeInt("training.task-cpus");
    return asked > 0 ? asked : spark.getConf().getInt("spark.task.cpus", 1);
  }

  /** Partitions of the data: the setting, or as many as Spark runs tasks at a time. */
  public static int partitions(Settings settings, JavaSparkContext spark) {
    int asked = settings.nonNegativeInt("data.partitions");
    return asked > 0
        ? asked
        : Math.max(1, spark.defaultParallelism() / threadsPerTask(settings, spark));
  }

  /**
   * Asks the executors what they compute with. With {@code auto}, GPUs that cannot be used are
   * warned of, once.
   *
   * @throws InvalidInputException if a setting breaks a rule, or GPUs are wished for and an
   *     executor has none, or cannot use it
   */
  public static Devices survey(JavaSparkContext spark, Settings settings) {
    check(settings);
    Wish wish = settings.choice("training.device", Wish.class);
    ResourceProfile profile = profile(spark, settings);
    List<String> ofDriver = ofDriver(spark);
    Devices asking = new Devices(wish, ofDriver, profile, "");
    List<Report> reports =
        spark.sc().isLocal() && (ofDriver.isEmpty() || wish == Wish.CPU)
            ? List.of(new Report("driver", CPU, false, List.of(), ""))
            : asking.ask(spark, Math.max(1, partitions(settings, spark)));
    reports.forEach(report -> requireWish(wish, report));
    warn(reports);
    Map<String, Long> counts =
        reports.stream()
            .collect(Collectors.groupingBy(Report::library, TreeMap::new, Collectors.counting()));
    String summary =
        counts.entrySet().stream()
            .map(entry -> entry.getValue() + " × " + entry.getKey())
            .collect(Collectors.joining(", "));
    return new Devices(wish, ofDriver, profile, summary);
  }

  private static void requireWish(Wish wish, Report report) {
    if (wish != Wish.GPU || report.gpu) {
      return;
    }
    throw new InvalidInputException(
        "training.device = gpu, but executor %s %s"
            .formatted(
                report.executor,
                report.addresses.isEmpty()
                    ? "was given no GPU: set spark.executor.resource.gpu.amount and spark.task.resource.gpu.amount"
                        + " (with a local master, spark.driver.resource.gpu.amount)"
                    : "cannot use the GPU "
                        + String.join(", ", report.addresses)
                        + ": "
                        + report.failure));
  }

  private static void warn(List<Report> reports) {
    List<Report> unused = reports.stream().filter(report -> !report.failure.isEmpty()).toList();
    if (!unused.isEmpty()) {
      LOG.warn(
          "executors were given GPUs that they cannot use ({}), going on with CPUs: {}",
          unused.stream()
              .map(report -> report.executor + ": " + String.join(", ", report.addresses))
              .collect(Collectors.joining("; ")),
          unused.get(0).failure);
    }
  }

  /** Only what differs from the application's; null if nothing does. */
  private static @Nullable ResourceProfile profile(JavaSparkContext spark, Settings settings) {
    int cpus = settings.nonNegativeInt("training.task-cpus");
    double gpus = settings.nonNegative("training.task-gpus");
    if ((cpus == 0 && gpus == 0) || spark.sc().isLocal()) {
      return null; // One process has no executors to divide.
    }
    TaskResourceRequests requests =
        new TaskResourceRequests().cpus(threadsPerTask(settings, spark));
    if (gpus > 0) {
      requests.resource(Gpus.RESOURCE, gpus);
    }
    ResourceProfile profile = new ResourceProfileBuilder().require(requests).build();
    try {
      spark.sc().resourceProfileManager().isSupported(profile);
    } catch (Exception e) {
      if (!(e instanceof SparkException)) {
        throw e;
      }
      throw new InvalidInputException(
          "training.task-cpus = %d and training.task-gpus = %s: %s"
              .formatted(cpus, gpus, String.valueOf(e.getMessage())),
          e);
    }
    return profile;
  }

  private static List<String> ofDriver(JavaSparkContext spark) {
    ResourceInformation gpus = spark.sc().isLocal() ? spark.resources().get(Gpus.RESOURCE) : null;
    return gpus == null ? List.of() : List.of(gpus.addresses());
  }

  /**
   * What one executor says of itself.
   *
   * @param library for example "nd4j-native on the CPU"
   * @param gpu whether it computes with one
   * @param addresses of the GPUs that its tasks were given
   * @param failure why it cannot use the first of them, or nothing
   */
  private record Report(
      String executor, String library, boolean gpu, List<String> addresses, String failure)
      implements Serializable {}

  /** One report of every executor that has run one of these tasks. */
  private List<Report> ask(JavaSparkContext spark, int tasks) {
    List<Integer> indices = new ArrayList<>();
    for (int i = 0; i < tasks; i++) {
      indices.add(i);
    }
    List<Report> all =
        new JobLabels(spark)
            .label(
                "devices",
                () -> placed(spark.parallelize(indices, tasks).map(i -> report())).collect());
    Map<String, Report> byExecutor = new TreeMap<>();
    all.forEach(report -> byExecutor.putIfAbsent(report.executor, report));
    return List.copyOf(byExecutor.values());
  }

  private Report report() {
    String executor = SparkEnv.get().executorId();
    List<String> addresses = Gpus.ofTask(ofDriver);
    if (wish == Wish.CPU || addresses.isEmpty()) {
      return new Report(executor, CPU, false, addresses, "");
    }
    Gpus.Found found = Gpus.at(addresses.get(0));
    return found.gpu() == null
        ? new Report(executor, CPU, false, addresses, found.failure())
        : new Report(executor, "cuBLAS on a GPU, for large products", true, addresses, "");
  }

  /** Has the stage that computes this RDD run with a training's resources. */
  <T> JavaRDD<T> placed(JavaRDD<T> rdd) {
    return profile == null ? rdd : rdd.withResources(profile);
  }

  /**
   * Has this thread compute as its task may. With {@code auto}, a GPU that cannot be used is
   * replaced by the CPU: whoever surveyed the executors has been warned.
   *
   * @throws IllegalStateException with {@code gpu}, if the task has no GPU or cannot use it
   */
  public void bind() {
    List<String> addresses = wish == Wish.CPU ? List.of() : Gpus.ofTask(ofDriver);
    if (addresses.isEmpty()) {
      if (wish == Wish.GPU) {
        throw new IllegalStateException("training.device = gpu, but Spark gave this task no GPU");
      }
      Blas.useGpu(null);
      return;
    }
    Gpus.Found found = Gpus.at(addresses.get(0));
    if (found.gpu() == null && wish == Wish.GPU) {
      throw new IllegalStateException(
          "training.device = gpu, but GPU %s cannot be used: %s"
              .formatted(addresses.get(0), found.failure()));
    }
    Blas.useGpu(found.gpu());
  }

  /** What executors compute with, in one line; empty unless they were asked. */
  public String summary() {
    return summary == null ? "" : summary;
  }
}
