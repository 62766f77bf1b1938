package org.kfac4j.jobs;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.kfac4j.InvalidInputException;
import org.kfac4j.cost.TransportRates;
import org.kfac4j.curvature.Parameters;
import org.kfac4j.curvature.Sums;
import org.kfac4j.data.Storage;
import org.kfac4j.linalg.Precision;

/**
 * Measures {@link TransportRates} with small jobs on sums of made numbers: what a cluster's
 * processes cost each other, whatever network is between these.
 */
final class TransportProbe {
  private static final int NUMBERS = 4 << 20;
  private static final double BYTES = 4.0 * NUMBERS;

  /** As many as it takes until compilers are done, as they are in a training. */
  private static final int WARM_UP = 12;

  private static final int TIMES = 15;

  private final JavaSparkContext spark;

  private TransportProbe(JavaSparkContext spark) {
    this.spark = spark;
  }

  /**
   * Takes the medians of some seconds.
   *
   * @throws InvalidInputException if driver and tasks share a process, where nothing is moved
   */
  static TransportRates measure(JavaSparkContext spark) {
    InvalidInputException.require(
        !spark.sc().isLocal(),
        "--transport measures what processes send each other, but master %s is one process: take a cluster or local-cluster[2,1,2048]",
        spark.master());
    InvalidInputException.require(
        spark.defaultParallelism() >= 2,
        "--transport needs two task slots, there is %d",
        spark.defaultParallelism());
    return new TransportProbe(spark).measure();
  }

  private interface Work {
    double seconds();
  }

  private TransportRates measure() {
    Map<String, Work> works = new LinkedHashMap<>();
    works.put("one", () -> aggregate(1, 0));
    works.put("two", () -> aggregate(2, 0));
    works.put("one sum", () -> aggregate(1, NUMBERS));
    works.put("two sums", () -> aggregate(2, NUMBERS));
    works.put("store", () -> broadcast()[0]);
    works.put("load", () -> broadcast()[1]);
    works.put("add", TransportProbe::add);
    Map<String, Samples> samples = new LinkedHashMap<>();
    // In turns, so that all see the same machine.
    for (int i = 0; i < WARM_UP + TIMES; i++) {
      boolean counts = i >= WARM_UP;
      works.forEach(
          (name, work) -> {
            double seconds = work.seconds();
            if (counts) {
              samples.computeIfAbsent(name, key -> new Samples()).add(seconds);
            }
          });
    }
    Map<String, Double> medians = new LinkedHashMap<>();
    samples.forEach((name, each) -> medians.put(name, each.median()));
    return rates(medians);
  }

  /** Of seconds: the differences that single costs make, none of them negative. */
  static TransportRates rates(Map<String, Double> seconds) {
    double one = get(seconds, "one");
    double two = get(seconds, "two");
    double first = get(seconds, "one sum") - one;
    // Two sums are kept side by side and added when a third one comes, so that adding is apart.
    double merge = Math.max(0, get(seconds, "two sums") - two - first) + get(seconds, "add");
    double task = TransportRates.TASK_SECONDS;
    return new TransportRates(
        Math.max(0, two - 2 * task),
        task,
        Math.max(0, first - merge) / BYTES,
        merge / BYTES,
        get(seconds, "store") / BYTES,
        Math.max(0, get(seconds, "load") - two) / BYTES);
  }

  private static double get(Map<String, Double> seconds, String name) {
    return seconds.getOrDefault(name, 0.0);
  }

  private static double since(long begin) {
    return (System.nanoTime() - begin) * 1e-9;
  }

  private JavaRDD<Integer> indices(int count) {
    List<Integer> indices = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      indices.add(i);
    }
    return spark.parallelize(indices, count);
  }

  /** As an objective does, of tasks that make {@code numbers} numbers each. */
  private double aggregate(int tasks, int numbers) {
    JavaRDD<Sums> sums = indices(tasks).map(i -> sums(numbers));
    long begin = System.nanoTime();
    sums.treeAggregate(new Sums(), Sums::merge, Sums::merge, 2);
    return since(begin);
  }

  private static Sums sums(int numbers) {
    Sums sums = new Sums();
    sums.put("count", 1);
    if (numbers > 0) {
      float[] values = new float[numbers];
      for (int i = 0; i < numbers; i++) {
        values[i] = i;
      }
      sums.put("vector", values);
    }
    return sums;
  }

  /** Seconds to add one sum of three. */
  private static double add() {
    Sums total = sums(NUMBERS).merge(sums(NUMBERS));
    Sums third = sums(NUMBERS);
    long begin = System.nanoTime();
    total.merge(third);
    return since(begin) / 3;
  }

  /** Seconds on the driver, and of a job that reads it on two executors. */
  private double[] broadcast() {
    Parameters values = new Parameters(new double[NUMBERS], Precision.FLOAT);
    long begin = System.nanoTime();
    Broadcast<Parameters> shared = spark.broadcast(values);
    double store = since(begin);
    try {
      JavaRDD<Sums> reads =
          indices(2)
              .map(
                  i -> {
                    Sums sums = new Sums();
                    sums.put("count", shared.value().length());
                    return sums;
                  });
      begin = System.nanoTime();
      reads.treeAggregate(new Sums(), Sums::merge, Sums::merge, 2);
      return new double[] {store, since(begin)};
    } finally {
      shared.destroy(false);
    }
  }

  static void write(Storage storage, String uri, TransportRates rates) throws IOException {
    ObjectNode json = Json.object();
    numbers(rates).forEach((name, value) -> Json.put(json, name, value));
    Json.write(storage, uri, json);
  }

  static Map<String, Double> numbers(TransportRates rates) {
    Map<String, Double> numbers = new TreeMap<>();
    numbers.put("jobSeconds", rates.jobSeconds());
    numbers.put("taskSeconds", rates.taskSeconds());
    numbers.put("sendPerByte", rates.sendPerByte());
    numbers.put("mergePerByte", rates.mergePerByte());
    numbers.put("storePerByte", rates.storePerByte());
    numbers.put("loadPerByte", rates.loadPerByte());
    return numbers;
  }

  /**
   * Reads what {@link #write} wrote.
   *
   * @param option that names the file, for messages
   * @throws InvalidInputException if it is not such a file
   */
  static TransportRates read(Storage storage, String option, String uri) throws IOException {
    JsonNode json;
    try (InputStream in = storage.open(uri)) {
      json = new ObjectMapper().readTree(in);
    } catch (java.io.FileNotFoundException | com.fasterxml.jackson.core.JacksonException e) {
      throw new InvalidInputException(
          option + " must be a file that bench --transport wrote, got " + uri, e);
    }
    double[] values = new double[6];
    String[] names = {
      "jobSeconds", "taskSeconds", "sendPerByte", "mergePerByte", "storePerByte", "loadPerByte"
    };
    for (int i = 0; i < names.length; i++) {
      InvalidInputException.require(
          json.path(names[i]).isNumber(),
          "%s must be a file that bench --transport wrote, but %s has no number %s",
          option,
          uri,
          names[i]);
      values[i] = json.path(names[i]).asDouble();
    }
    return new TransportRates(values[0], values[1], values[2], values[3], values[4], values[5]);
  }
}
