package org.kfac4j.spark;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.storage.StorageLevel;
import org.kfac4j.Check;
import org.kfac4j.InvalidInputException;
import org.kfac4j.data.DataSource;
import org.kfac4j.data.Examples;

/** A data source as a cached RDD of blocks: partition i of P holds examples ⌊N i / P⌋ to ⌊N (i + 1) / P⌋. Partitions may be empty. */
public final class SparkExamples implements AutoCloseable {
  /** Examples in a block of the cache. */
  private static final int BLOCK = 1024;

  private final JavaRDD<Examples> blocks;
  private final long size;

  private SparkExamples(JavaRDD<Examples> blocks, long size) {
    this.blocks = blocks;
    this.size = size;
  }

  /**
   * Reads the source on the executors and keeps it there, in memory or on disk where memory is short.
   *
   * @throws InvalidInputException if an example breaks a rule of the source
   */
  public static SparkExamples load(JavaSparkContext spark, DataSource source, int partitions) {
    Check.that(partitions >= 1, "data needs at least one partition, got %d", partitions);
    List<Integer> indices = new ArrayList<>();
    for (int i = 0; i < partitions; i++) {
      indices.add(i);
    }
    JavaRDD<Examples> blocks =
        spark
            .parallelize(indices, partitions)
            .flatMap(i -> read(source, i, partitions))
            .setName(source.name())
            .persist(StorageLevel.MEMORY_AND_DISK());
    long loaded =
        SparkFailures.unwrapped(
            () -> blocks.map(Examples::count).map(Integer::longValue).fold(0L, Long::sum));
    InvalidInputException.require(
        loaded == source.size(), "%s: expected %d examples, read %d", source.name(), source.size(), loaded);
    return new SparkExamples(blocks, loaded);
  }

  private static Iterator<Examples> read(DataSource source, int index, int partitions) {
    long end = source.size() * (index + 1) / partitions;
    return new Iterator<>() {
      private long next = source.size() * index / partitions;

      @Override
      public boolean hasNext() {
        return next < end;
      }

      @Override
      public Examples next() {
        if (!hasNext()) {
          throw new NoSuchElementException("no example at or after " + end);
        }
        long to = Math.min(next + BLOCK, end);
        try {
          Examples block = source.read(next, to);
          next = to;
          return block;
        } catch (IOException e) {
          throw new InvalidInputException(source.name() + ": " + e.getMessage(), e);
        }
      }
    };
  }

  JavaRDD<Examples> blocks() {
    return blocks;
  }

  /** Number of examples N. */
  public long size() {
    return size;
  }

  public int partitions() {
    return blocks.getNumPartitions();
  }

  @Override
  public void close() {
    blocks.unpersist(false);
  }
}
