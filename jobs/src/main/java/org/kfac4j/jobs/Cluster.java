package org.kfac4j.jobs;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.status.api.v1.ExecutorSummary;
import org.jspecify.annotations.Nullable;
import org.kfac4j.InvalidInputException;
import org.kfac4j.Settings;
import org.kfac4j.curvature.Nd4jBackend;
import org.kfac4j.data.DataSource;
import org.kfac4j.data.Storage;
import org.kfac4j.linalg.LapackFactorizations;
import org.kfac4j.linalg.OpenBlasKernels;
import org.kfac4j.linalg.Precision;
import org.kfac4j.optimizer.DenseMachine;
import org.kfac4j.spark.Devices;
import org.kfac4j.spark.HadoopStorage;
import org.kfac4j.spark.SparkExamples;
import org.kfac4j.spark.SparkObjective;
import org.kfac4j.verify.PartitionCheck;
import scala.Tuple2;
import scala.collection.JavaConverters;

/** The Spark application that a job runs in, as its user configured it, and what computes there. */
final class Cluster implements AutoCloseable {
  /** Levels of the aggregation tree. */
  private static final int TREE_DEPTH = 2;

  private final JavaSparkContext spark;
  private @Nullable Devices devices;

  private Cluster(JavaSparkContext spark) {
    this.spark = spark;
  }

  /**
   * Starts the application. No setting of Spark's is made here.
   *
   * @throws InvalidInputException if no master is configured
   */
  static Cluster start(String name) {
    SparkConf conf = new SparkConf();
    InvalidInputException.require(
        conf.contains("spark.master"),
        "no Spark master: run ./kfac4j, or spark-submit with --master");
    if (!conf.contains("spark.app.name") || conf.get("spark.app.name").startsWith("org.kfac4j.")) {
      conf.setAppName("kfac4j " + name);
    }
    return new Cluster(new JavaSparkContext(conf));
  }

  /** Files, with spark.hadoop.* of the application that is to start. */
  static Storage storage() {
    Configuration hadoop = new Configuration();
    for (Tuple2<String, String> each : new SparkConf().getAllWithPrefix("spark.hadoop.")) {
      hadoop.set(each._1(), each._2());
    }
    return new HadoopStorage(hadoop);
  }

  JavaSparkContext spark() {
    return spark;
  }

  /**
   * What tasks compute with; executors are asked once.
   *
   * @throws InvalidInputException if it is not what the settings want
   */
  Devices devices(Settings settings) {
    Devices known = devices;
    if (known == null) {
      known = Devices.survey(spark, settings);
      devices = known;
    }
    return known;
  }

  /** Threads of one task: the setting, or {@code spark.task.cpus}. */
  int threadsPerTask(Settings settings) {
    return Devices.threadsPerTask(settings, spark);
  }

  /** Partitions of the data: the setting, or as many as Spark runs tasks at a time. */
  int partitions(Settings settings) {
    return Devices.partitions(settings, spark);
  }

  Nd4jBackend backend(Settings settings, Precision precision) {
    return new Nd4jBackend(
        precision,
        settings.positiveInt("training.block-rows"),
        settings.positiveInt("training.batch-normalization-rows"),
        threadsPerTask(settings));
  }

  /** The loss over the examples of {@code source}, which are read and cached on the executors. */
  SparkObjective objective(Settings settings, Problem problem, DataSource source) {
    Devices tasks = devices(settings); // Before anything is read.
    SparkExamples examples = SparkExamples.load(spark, source, partitions(settings));
    Nd4jBackend backend = backend(settings, problem.precision());
    return new SparkObjective(
        spark, problem.network(), backend, problem.precision(), examples, tasks, TREE_DEPTH);
  }

  /** The loss over the examples of a check, in float64, in so many partitions. */
  SparkObjective objective(Settings settings, PartitionCheck check, int partitions) {
    Devices tasks = devices(settings);
    SparkExamples examples = SparkExamples.load(spark, check.examples(), partitions);
    return new SparkObjective(
        spark, check.network(), check.backend(), Precision.DOUBLE, examples, tasks, TREE_DEPTH);
  }

  /** The loss over the training examples, changed at random if the settings say so. */
  SparkObjective trainingObjective(Settings settings, Problem problem) {
    return objective(settings, problem, problem.data().train()).augmented(problem.augmentation());
  }

  /** The driver's part: layers side by side on all of its cores. */
  static DenseMachine driver(Precision precision) {
    return new DenseMachine(
        new LapackFactorizations(), precision, Runtime.getRuntime().availableProcessors());
  }

  /** For summaries. */
  Map<String, String> describe(Settings settings) {
    Map<String, String> facts = new TreeMap<>();
    facts.put("devices", devices(settings).summary()); // First: executors have come then.
    facts.put("master", spark.master());
    facts.put("applicationId", spark.sc().applicationId());
    facts.put(
        "executors",
        String.valueOf(
            Math.max(1, spark.sc().getExecutorMemoryStatus().size() - (spark.isLocal() ? 0 : 1))));
    facts.put("parallelTasks", String.valueOf(cores()));
    facts.put("driverThreads", String.valueOf(Runtime.getRuntime().availableProcessors()));
    facts.put("threadsPerTask", String.valueOf(threadsPerTask(settings)));
    facts.put("partitions", String.valueOf(partitions(settings)));
    return facts;
  }

  /** That tasks run on; spark.default.parallelism may be anything. */
  private int cores() {
    int cores = 0;
    for (ExecutorSummary each :
        JavaConverters.seqAsJavaList(spark.sc().statusStore().executorList(true))) {
      cores += each.totalCores();
    }
    return cores > 0 ? cores : spark.defaultParallelism();
  }

  /** Of kfac4j and what it computes with. */
  static Map<String, String> versions() {
    Map<String, String> versions = new TreeMap<>();
    String own = Cluster.class.getPackage().getImplementationVersion();
    versions.put("kfac4j", own == null ? "development" : own);
    versions.put("java", Runtime.version().toString());
    versions.put("spark", org.apache.spark.package$.MODULE$.SPARK_VERSION());
    versions.put("nd4j", nd4jVersion());
    versions.put(
        "blas",
        org.bytedeco.openblas.global.openblas.OPENBLAS_VERSION.strip() // " OpenBLAS 0.3.19 "
            + ", "
            + OpenBlasKernels.name());
    return versions;
  }

  /** As built: inside of the assembly, ND4J's own jar is not there to ask. */
  private static String nd4jVersion() {
    Properties built = new Properties();
    try (InputStream in = Cluster.class.getResourceAsStream("versions.properties")) {
      built.load(Objects.requireNonNull(in, "versions.properties is missing from the build"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return built.getProperty("nd4j");
  }

  @Override
  public void close() {
    spark.close();
  }
}
