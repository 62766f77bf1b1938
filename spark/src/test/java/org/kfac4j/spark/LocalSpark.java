package org.kfac4j.spark;

import org.apache.spark.SparkConf;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.storage.BlockId;
import org.apache.spark.storage.BlockManager;
import scala.Function1;

/** Spark in this JVM, two tasks at a time. */
final class LocalSpark {
  private LocalSpark() {}

  static JavaSparkContext start() {
    return new JavaSparkContext(
        new SparkConf()
            .setMaster("local[2]")
            .setAppName("kfac4j test")
            .set("spark.ui.enabled", "false"));
  }

  /**
   * Bytes of all broadcast values and their pieces that are kept in this process and are at least
   * {@code least} large.
   */
  static long broadcastBytes(long least) {
    BlockManager blocks = SparkEnv.get().blockManager();
    Function1<BlockId, Object> isBroadcast = BlockId::isBroadcast;
    long bytes = 0;
    scala.collection.Iterator<BlockId> ids = blocks.getMatchingBlockIds(isBroadcast).iterator();
    while (ids.hasNext()) {
      var status = blocks.getStatus(ids.next());
      long size = status.isEmpty() ? 0 : status.get().memSize() + status.get().diskSize();
      bytes += size >= least ? size : 0;
    }
    return bytes;
  }
}
