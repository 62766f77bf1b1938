package org.kfac4j.spark;

import java.io.Serializable;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.kfac4j.curvature.Sums;
import org.kfac4j.data.Examples;
import scala.collection.Iterator;
import scala.collection.JavaConverters;
import scala.reflect.ClassTag$;
import scala.runtime.AbstractFunction2;
import scala.runtime.BoxedUnit;

/**
 * A pass over all partitions with a local master, where driver and tasks share a process: tasks
 * leave their sums to be fetched, and the driver merges them as they come. There is nothing for a
 * tree to save. Spark takes 10 ms to look through the closures of a {@code treeAggregate}; these
 * functions are classes of their own, which it takes as they are.
 */
final class LocalJob {
  private LocalJob() {}

  static Sums run(JavaSparkContext spark, JavaRDD<Examples> blocks, PartitionTask task) {
    long round = Handover.open();
    try {
      Merge merge = new Merge(round);
      spark
          .sc()
          .runJob(
              blocks.rdd(),
              new Leave(task, round),
              merge,
              ClassTag$.MODULE$.<Long>apply(Long.class));
      return merge.sums;
    } finally {
      Handover.close(round);
    }
  }

  private static final class Leave extends AbstractFunction2<TaskContext, Iterator<Examples>, Long>
      implements Serializable {
    private static final long serialVersionUID = 1L;

    /** The job was given up: nobody reads what its last tasks return. */
    private static final long TOO_LATE = -1;

    private final PartitionTask task;
    private final long round;

    Leave(PartitionTask task, long round) {
      this.task = task;
      this.round = round;
    }

    @Override
    public Long apply(TaskContext context, Iterator<Examples> partition) {
      Sums sums = task.run(JavaConverters.asJavaIterator(partition));
      return Handover.isOpen(round) ? Handover.leave(round, sums) : TOO_LATE;
    }
  }

  /** Called for one task at a time, once for each partition. */
  private static final class Merge extends AbstractFunction2<Object, Long, BoxedUnit> {
    private final long round;
    private final Sums sums = new Sums();

    Merge(long round) {
      this.round = round;
    }

    @Override
    public BoxedUnit apply(Object partition, Long ticket) {
      sums.merge((Sums) Handover.take(round, ticket));
      return BoxedUnit.UNIT;
    }
  }
}
