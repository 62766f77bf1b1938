package org.kfac4j.spark;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.storage.StorageLevel;
import org.kfac4j.Check;
import org.kfac4j.InvalidInputException;
import org.kfac4j.data.DataSource;
import org.kfac4j.data.Examples;
import scala.Tuple2;

/**
 * A data source as a cached RDD of blocks: partition i of P holds examples ⌊N i / P⌋ to ⌊N (i + 1)
 * / P⌋. Partitions may be empty.
 */
public final class SparkExamples implements AutoCloseable {
  /** Examples in a block of the cache. */
  private static final int BLOCK = 1024;

  private final JavaRDD<Reading> cached;
  private final JavaRDD<Examples> blocks;
  private final long size;

  private SparkExamples(JavaRDD<Reading> cached, long size) {
    this.cached = cached;
    this.blocks = cached.map(Reading::examples);
    this.size = size;
  }

  /**
   * Reads the source on the executors and keeps it there, in memory or on disk where memory is
   * short.
   *
   * @throws InvalidInputException if an example breaks a rule of the source; nothing is kept then
   */
  public static SparkExamples load(JavaSparkContext spark, DataSource source, int partitions) {
    Check.that(partitions >= 1, "data needs at least one partition, got %d", partitions);
    List<Integer> indices = new ArrayList<>();
    for (int i = 0; i < partitions; i++) {
      indices.add(i);
    }
    JavaRDD<Reading> cached =
        spark
            .parallelize(indices, partitions)
            .flatMap(i -> read(source, i, partitions))
            .setName(source.name())
            .persist(StorageLevel.MEMORY_AND_DISK());
    try {
      return new SparkExamples(cached, checkedSize(cached, source));
    } catch (RuntimeException e) {
      unpersist(cached);
      throw e;
    }
  }

  private static Iterator<Reading> read(DataSource source, int index, int partitions) {
    long from = source.size() * index / partitions;
    long to = source.size() * (index + 1) / partitions;
    return Reading.blocks(source, from, to, BLOCK);
  }

  private static long checkedSize(JavaRDD<Reading> cached, DataSource source) {
    List<Tuple2<Long, String>> tallies =
        SparkFailures.unwrapped(
            () -> cached.mapPartitions(readings -> List.of(tally(readings)).iterator()).collect());
    long loaded = 0;
    for (Tuple2<Long, String> tally : tallies) {
      InvalidInputException.require(tally._2().isEmpty(), "%s", tally._2());
      loaded += tally._1();
    }
    InvalidInputException.require(
        loaded == source.size(),
        "%s: expected %d examples, read %d",
        source.name(),
        source.size(),
        loaded);
    return loaded;
  }

  /** Number of examples in a partition, and the first mistake in it or nothing. */
  private static Tuple2<Long, String> tally(Iterator<Reading> readings) {
    long count = 0;
    String failure = "";
    while (readings.hasNext()) {
      Reading reading = readings.next();
      count += reading.count();
      failure = failure.isEmpty() ? reading.failure() : failure;
    }
    return new Tuple2<>(count, failure);
  }

  /** Blocks of examples, each partition's in the order of their ids; cached. */
  public JavaRDD<Examples> blocks() {
    return blocks;
  }

  /** Number of examples N. */
  public long size() {
    return size;
  }

  public int partitions() {
    return cached.getNumPartitions();
  }

  @Override
  public void close() {
    unpersist(cached);
  }

  /** In one process it is waited for: Spark prints a stack trace if the context stops before. */
  private static void unpersist(JavaRDD<?> cached) {
    cached.unpersist(cached.context().isLocal());
  }
}
