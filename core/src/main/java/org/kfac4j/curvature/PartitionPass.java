package org.kfac4j.curvature;

import java.util.Iterator;
import java.util.List;
import org.kfac4j.data.Augmentation;
import org.kfac4j.data.Batch;
import org.kfac4j.data.Examples;
import org.kfac4j.network.Network;

/**
 * Answers a request for the examples of one partition: finds those that are in the batch, gathers
 * them into full blocks, in order, and has the sums computed. Which examples share a block depends
 * on the batch and the partition alone, because batch normalisation takes its statistics of a
 * block. What every task does, on Spark and without it.
 */
public final class PartitionPass {
  private PartitionPass() {}

  /**
   * The sums over the examples of {@code partition} that are in the request's batch; empty sums if
   * there are none.
   */
  public static Sums run(
      ComputeBackend backend,
      Network network,
      Request request,
      Parameters weights,
      List<Parameters> vectors,
      Augmentation augmentation,
      Iterator<Examples> partition) {
    long begin = System.nanoTime();
    Batch.Visits visits = request.batch().visits();
    Request.Statistics statistics = request.statistics();
    long statisticsCount = statistics == null ? 0 : statistics.batch().count();
    int rows = backend.blockRows(network);
    Block block = new Block(backend.blockCapacity(network), network.inputs(), augmentation);
    try (BlockCompute compute = backend.open(network, request, weights, vectors)) {
      while (partition.hasNext()) {
        Examples examples = partition.next();
        for (int row = 0; row < examples.count(); row++) {
          for (int epoch = 0; epoch < visits.epochs(); epoch++) {
            long place = visits.place(examples.firstId() + row, epoch);
            if (place < 0) {
              continue;
            }
            block.add(examples, row, visits.epoch(epoch), place, place < statisticsCount);
            if (block.isFull()) {
              block.arrange(rows);
              compute.add(block, rows);
              block.drop(rows);
            }
          }
        }
      }
      if (block.count() > 0) {
        block.arrange(block.count());
        compute.add(block, block.count());
      }
      Sums sums = compute.finish();
      sums.put(SumNames.TASK_SECONDS, (System.nanoTime() - begin) * 1e-9);
      return sums;
    }
  }
}
