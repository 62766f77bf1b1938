package org.kfac4j.spark;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.LongStream;
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

  private SparkExamples(JavaRDD<Reading> cached, JavaRDD<Examples> blocks, long size) {
    this.cached = cached;
    this.blocks = blocks;
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
    return keep(
        cached,
        () -> {
          long loaded = LongStream.of(sizes(cached)).sum();
          InvalidInputException.require(
              loaded == source.size(),
              "%s: expected %d examples, read %d",
              source.name(),
              source.size(),
              loaded);
          return new SparkExamples(cached, cached.map(Reading::examples), loaded);
        });
  }

  /**
   * Keeps what readings give, which number the examples of each partition from 0 on; their ids are
   * their places in the order of partitions.
   *
   * @throws InvalidInputException if a reading has failed; nothing is kept then
   */
  public static SparkExamples of(JavaRDD<Reading> readings, String name) {
    JavaRDD<Reading> cached = readings.setName(name).persist(StorageLevel.MEMORY_AND_DISK());
    if (cached.context().isLocal()) {
      // What is kept cannot get lost. Else every job carries the rows' whole query plan along: 25
      // ms.
      cached.rdd().localCheckpoint();
    }
    return keep(
        cached,
        () -> {
          long[] sizes = sizes(cached);
          long[] first = new long[sizes.length];
          for (int i = 1; i < first.length; i++) {
            first[i] = first[i - 1] + sizes[i - 1];
          }
          JavaRDD<Examples> blocks =
              cached.mapPartitionsWithIndex((i, each) -> numbered(each, first[i]), true);
          return new SparkExamples(cached, blocks, LongStream.of(sizes).sum());
        });
  }

  private static SparkExamples keep(JavaRDD<Reading> cached, Supplier<SparkExamples> check) {
    try {
      return check.get();
    } catch (RuntimeException e) {
      unpersist(cached);
      throw e;
    }
  }

  private static Iterator<Examples> numbered(Iterator<Reading> readings, long first) {
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return readings.hasNext();
      }

      @Override
      public Examples next() {
        Examples examples = readings.next().examples();
        return examples.from(first + examples.firstId());
      }
    };
  }

  private static Iterator<Reading> read(DataSource source, int index, int partitions) {
    long from = source.size() * index / partitions;
    long to = source.size() * (index + 1) / partitions;
    return Reading.blocks(source, from, to, BLOCK);
  }

  /** Examples of each partition. */
  private static long[] sizes(JavaRDD<Reading> cached) {
    List<Tuple2<Long, String>> tallies =
        SparkFailures.unwrapped(
            () -> cached.mapPartitions(readings -> List.of(tally(readings)).iterator()).collect());
    for (Tuple2<Long, String> tally : tallies) {
      InvalidInputException.require(tally._2().isEmpty(), "%s", tally._2());
    }
    return tallies.stream().mapToLong(Tuple2::_1).toArray();
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
