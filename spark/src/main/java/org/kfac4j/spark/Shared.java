package org.kfac4j.spark;

import java.io.Serializable;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;

/**
 * A value that all tasks may read until it is released: broadcast, or by reference in one process.
 */
interface Shared<T extends Serializable> extends Serializable {
  T value();

  void release();

  static <T extends Serializable> Shared<T> of(JavaSparkContext spark, T value) {
    if (spark.sc().isLocal()) {
      long round = Handover.open();
      return new ByReference<>(round, Handover.leave(round, value));
    }
    return new ByBroadcast<>(spark.broadcast(value));
  }

  /** Through Spark's broadcast. */
  record ByBroadcast<T extends Serializable>(Broadcast<T> broadcast) implements Shared<T> {
    @Override
    public T value() {
      return broadcast.value();
    }

    @Override
    public void release() {
      broadcast.destroy(false);
    }
  }

  /** Within one process. */
  record ByReference<T extends Serializable>(long round, long ticket) implements Shared<T> {
    @Override
    @SuppressWarnings("unchecked")
    public T value() {
      return (T) Handover.fetch(round, ticket);
    }

    @Override
    public void release() {
      Handover.close(round);
    }
  }
}
