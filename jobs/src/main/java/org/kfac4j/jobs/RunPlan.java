package org.kfac4j.jobs;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.SparkConf;
import org.apache.spark.network.util.JavaUtils;
import org.apache.spark.util.Utils;
import org.kfac4j.InvalidInputException;
import org.kfac4j.Settings;
import org.kfac4j.curvature.Nd4jBackend;
import org.kfac4j.data.DataSource;
import org.kfac4j.linalg.Precision;
import org.kfac4j.network.Network;
import org.kfac4j.optimizer.Footprint;
import org.kfac4j.optimizer.Kfac;
import org.kfac4j.optimizer.Optimizer;
import org.kfac4j.optimizer.StepRule;

/**
 * What a run takes, by counting: numbers that are kept, computed with and sent. Estimates of what
 * is needed at least; allocators and garbage come on top.
 *
 * @param driver what the driver may have
 * @param executor what every executor may have, if the driver is none
 * @param capacity examples that a task has room for at a time
 * @param number bytes of a number that is computed with
 * @param products directions of exact products
 * @param certain what its processes hold whatever happens
 */
record RunPlan(
    Network network,
    Optimizer optimizer,
    Footprint curvature,
    Cores cores,
    ProcessMemory driver,
    ProcessMemory executor,
    long examples,
    int capacity,
    int number,
    int statisticsPeriod,
    int products,
    Place inverses,
    CertainMemory certain,
    int runs) {
  /** A JVM needs some heap for itself, Spark and code: of a limit, so much is for data. */
  private static final double USABLE = 0.9;

  private static final long SPARK_HEAP = 300L << 20;

  /**
   * What native arrays are given, of what is counted: allocators, libraries and threads' stacks.
   */
  private static final double MARGIN = 1.3;

  /** Where layers' inverses are made and kept. */
  enum Place {
    DRIVER("on the driver"),
    /** Made on executors, kept on the driver. */
    FETCHED("on executors, from where the driver fetches them"),
    EXECUTORS("on executors, which keep them");

    final String text;

    Place(String text) {
      this.text = text;
    }

    static Place of(Optimizer optimizer, Network network, Cores cores) {
      if (cores.local || !(optimizer instanceof Kfac kfac) || !kfac.invertsOnExecutors(network)) {
        return DRIVER;
      }
      return kfac.preconditioner().mapsMayStayAway() ? EXECUTORS : FETCHED;
    }
  }

  /**
   * Where it runs.
   *
   * @param local whether driver and tasks share a process
   * @param executors how many, 1 if that is not known before they start
   * @param slots tasks that one executor runs at a time
   * @param executorHeap bytes, 0 if they share the driver's
   * @param oneMachine whether all executors are on the driver's machine
   */
  record Cores(boolean local, int executors, int slots, long executorHeap, boolean oneMachine) {
    private static final Pattern LOCAL_CLUSTER =
        Pattern.compile("local-cluster\\[\\s*(\\d+)\\s*,\\s*(\\d+)\\s*,\\s*\\d+\\s*]");

    static Cores of(Settings settings, SparkConf spark) {
      String master = spark.get("spark.master", "local[*]");
      int asked = settings.nonNegativeInt("training.task-cpus");
      int perTask = asked > 0 ? asked : spark.getInt("spark.task.cpus", 1);
      if (master.equals("local")) {
        return new Cores(true, 1, 1, 0, true);
      }
      if (master.startsWith("local[")) {
        String threads = master.replaceAll("^local\\[([^,\\]]*).*$", "$1");
        int count =
            threads.equals("*")
                ? Runtime.getRuntime().availableProcessors()
                : Integer.parseInt(threads);
        return new Cores(true, 1, Math.max(1, count / perTask), 0, true);
      }
      long heap = Utils.memoryStringToMb(spark.get("spark.executor.memory", "1g"));
      Matcher cluster = LOCAL_CLUSTER.matcher(master);
      if (cluster.matches()) {
        int each = Math.max(1, Integer.parseInt(cluster.group(2)) / perTask);
        return new Cores(
            false, Math.max(1, Integer.parseInt(cluster.group(1))), each, heap << 20, true);
      }
      int cores = spark.getInt("spark.executor.cores", 1);
      int executors = Math.max(1, spark.getInt("spark.executor.instances", 1));
      return new Cores(false, executors, Math.max(1, cores / perTask), heap << 20, false);
    }
  }

  static RunPlan of(TrainingRun run, SparkConf spark) {
    Settings settings = run.settings();
    Network network = run.problem().network();
    DataSource train = run.problem().data().train();
    Precision precision = run.problem().precision();
    int products =
        run.optimizer() instanceof Kfac kfac && kfac.stepRule() instanceof StepRule.Exact rule
            ? (rule.momentum() ? 2 : 1)
            : 0;
    Cores cores = Cores.of(settings, spark);
    Nd4jBackend backend =
        new Nd4jBackend(
            precision,
            settings.positiveInt("training.block-rows"),
            settings.positiveInt("training.batch-normalization-rows"),
            1);
    Footprint curvature = run.optimizer().footprint(network);
    int capacity = backend.blockCapacity(network);
    int number = precision == Precision.FLOAT ? Float.BYTES : Double.BYTES;
    Place inverses = Place.of(run.optimizer(), network, cores);
    return new RunPlan(
        network,
        run.optimizer(),
        curvature,
        cores,
        ProcessMemory.driver(spark),
        ProcessMemory.executor(spark, cores.executorHeap),
        train.size(),
        capacity,
        number,
        settings.positiveInt("curvature.statistics-period"),
        products,
        inverses,
        new CertainMemory(
            network,
            run.optimizer(),
            curvature,
            inverses,
            cores.local,
            capacity,
            CertainMemory.tasks(settings, spark, cores, train.size()),
            number,
            products > 0,
            1),
        1);
  }

  private long parameters() {
    return network.parameterCount();
  }

  /** θ, gradients and what else an optimizer keeps, with the average and the best of the run. */
  long vectorBytes() {
    return Double.BYTES * parameters() * (optimizer.vectors() + 3L);
  }

  /** Running averages and eigenvalues. */
  long averageBytes() {
    return Double.BYTES * curvature.heap();
  }

  /** A task's sums, of which a driver has two or their float64 sum. */
  long sumBytes() {
    return number * (parameters() + curvature.sums());
  }

  /** Examples as they are cached: features, and targets that are not the features themselves. */
  long dataBytes() {
    return Float.BYTES * examples * (network.inputs() + 1L);
  }

  /** With so many runs side by side in one application. */
  RunPlan together(int number) {
    return new RunPlan(
        network,
        optimizer,
        curvature,
        cores,
        driver,
        executor,
        examples,
        capacity,
        this.number,
        statisticsPeriod,
        products,
        inverses,
        certain.together(number),
        number);
  }

  /** Without cached examples, which go to disk where there is no room. */
  long driverHeap() {
    long fetched = inverses == Place.FETCHED ? Double.BYTES * curvature.outside() : 0;
    long each = vectorBytes() + averageBytes() + 2 * sumBytes() + fetched;
    long own = SPARK_HEAP + runs * each;
    return cores.local ? own + cores.slots * taskHeap() : own;
  }

  /** Inverses, the next ones while they are made, and what LAPACK works in. */
  long driverOutside() {
    long kept = inverses == Place.EXECUTORS ? 0 : 2 * curvature.outside();
    int threads = inverses == Place.DRIVER ? Runtime.getRuntime().availableProcessors() : 0;
    long own = (long) number * runs * (kept + work(threads));
    return cores.local ? own + cores.slots * taskOutside() : own;
  }

  /** Numbers that LAPACK works in on so many threads, each with a matrix like the largest. */
  private long work(int threads) {
    int matrices = curvature.inverted().size() + curvature.decomposed().size();
    return 3L * Math.min(threads, matrices) * curvature.largestSquare();
  }

  /** Of one task: its weights and sums on the heap. */
  long taskHeap() {
    return number * parameters() * (1L + products) + sumBytes();
  }

  /** Of one task: weights, gradient, direction, values of a block of examples, and sums. */
  long taskOutside() {
    long values = 0;
    for (int value = 0; value <= network.layers().size(); value++) {
      values += network.value(value).size();
    }
    return number
        * (3 * (parameters() + values * capacity) + 2 * curvature.sums() + curvature.bases());
  }

  /** Of one executor, on its heap: its share of the data is not known before it has started. */
  long executorHeap() {
    return SPARK_HEAP + cores.slots * taskHeap();
  }

  /** With inverses, its share of two generations and what it makes them in. */
  long executorOutside() {
    long made =
        inverses == Place.DRIVER
            ? 0
            : number * (2 * curvature.outside() / cores.executors + work(cores.slots));
    return cores.slots * taskOutside() + made;
  }

  /** Cores that inverses are made on, side by side. */
  int inverseThreads() {
    return inverses == Place.DRIVER
        ? Runtime.getRuntime().availableProcessors()
        : cores.executors * cores.slots;
  }

  /** To each executor in an iteration: weights, and directions of the exact step. */
  long sentBytes() {
    return number * parameters() * (1L + products);
  }

  /** From each task in an iteration: gradient, and statistics as often as they are due. */
  long returnedBytes() {
    return number * (parameters() + curvature.sums() / statisticsPeriod);
  }

  /**
   * Makes sure that driver and executors may have what the run takes at least: of heap, and in all.
   *
   * @throws InvalidInputException saying what is needed, what there is and what to do
   */
  void requireFits() {
    InvalidInputException.require(
        driverHeap() <= USABLE * driver.heap(),
        "this run needs at least %s of driver memory (%s for %s parameters, %s for curvature), but the driver has %s: --driver-memory %s",
        Bytes.text(driverHeap()),
        Bytes.text(vectorBytes() + 2L * number * parameters()),
        String.format(Locale.ROOT, "%,d", parameters()),
        Bytes.text(averageBytes() + 2L * number * curvature.sums()),
        Bytes.text(driver.heap()),
        Bytes.flag(1.3 * driverHeap()));
    InvalidInputException.require(
        cores.local || executorHeap() <= USABLE * cores.executorHeap,
        "this run needs at least %s on each executor's heap, but spark.executor.memory is %s: --executor-memory %s",
        Bytes.text(executorHeap()),
        Bytes.text(cores.executorHeap),
        Bytes.flag(1.3 * executorHeap()));
    driver.require(certain.driver(), MARGIN * driverOutside());
    if (!cores.local) {
      executor.require(certain.executor(), MARGIN * executorOutside());
    }
  }

  /** What spark-submit should be given, with a margin. */
  List<String> flags() {
    List<String> flags = new ArrayList<>();
    long data = cores.local ? dataBytes() : 0;
    String driverMemory = Bytes.flag(1.5 * (driverHeap() + data));
    double outside = MARGIN * driverOutside();
    flags.add("--driver-memory " + driverMemory);
    flags.add("--conf spark.driver.maxResultSize=0");
    flags.addAll(driver.flags(JavaUtils.byteStringAsBytes(driverMemory), outside));
    if (!cores.local) {
      flags.add("--conf spark.driver.memoryOverhead=" + Bytes.flag(outside));
      String memory = Bytes.flag(1.5 * (executorHeap() + dataBytes()));
      double outsideThere = MARGIN * executorOutside();
      flags.add("--executor-memory " + memory);
      flags.add("--conf spark.executor.memoryOverhead=" + Bytes.flag(outsideThere));
      flags.addAll(executor.flags(JavaUtils.byteStringAsBytes(memory), outsideThere));
    }
    return flags;
  }
}
