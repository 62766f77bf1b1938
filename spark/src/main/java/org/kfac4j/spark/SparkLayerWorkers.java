package org.kfac4j.spark;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.storage.StorageLevel;
import org.kfac4j.Snapshot;
import org.kfac4j.linalg.Precision;
import org.kfac4j.linalg.Vectors;
import org.kfac4j.optimizer.LayerTask;
import org.kfac4j.optimizer.LayerWorkers;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.Tuple2;

/**
 * Executors as workers on layers: one Spark task makes one layer's map, the costliest first, and
 * the executor keeps it in memory. A map that is lost with its executor is made again from the same
 * numbers, which stay broadcast as long as the map is in use.
 */
final class SparkLayerWorkers implements LayerWorkers {
  private static final Logger LOG = LoggerFactory.getLogger(SparkLayerWorkers.class);

  private final JavaSparkContext spark;
  private final JobLabels labels;

  SparkLayerWorkers(JavaSparkContext spark, JobLabels labels) {
    this.spark = spark;
    this.labels = labels;
  }

  @Override
  public Made make(List<LayerTask> tasks) {
    return new Kept(spark, labels, tasks);
  }

  private static final class Kept implements Made {
    private final JavaSparkContext spark;
    private final JobLabels labels;
    private final List<Broadcast<LayerTask>> tasks = new ArrayList<>();
    private final JavaRDD<KeptMap> maps;
    private final int[] recoveries;
    private final boolean single;
    private boolean closed;

    Kept(JavaSparkContext spark, JobLabels labels, List<LayerTask> work) {
      this.spark = spark;
      this.labels = labels;
      this.single = work.get(0).machine().precision() == Precision.FLOAT;
      List<Integer> order = new ArrayList<>();
      for (int i = 0; i < work.size(); i++) {
        order.add(i);
        tasks.add(spark.broadcast(work.get(i)));
      }
      // Spark starts a job's tasks in the order of partitions.
      order.sort(Comparator.comparingDouble((Integer i) -> -work.get(i).cost()));
      List<Broadcast<LayerTask>> shared = List.copyOf(tasks);
      this.maps =
          spark
              .parallelize(order, order.size())
              .map(i -> new KeptMap(i, shared.get(i).value()))
              .persist(StorageLevel.MEMORY_ONLY());
      this.recoveries = new int[work.size()];
      try {
        SparkFailures.unwrapped(
                () ->
                    named("inverse", maps.map(map -> new Tuple2<>(map.index(), map.recoveries()))))
            .forEach(each -> recoveries[each._1()] = each._2());
      } catch (RuntimeException e) {
        close();
        throw e;
      }
    }

    private <T> List<T> named(String what, JavaRDD<T> results) {
      return labels.label(what, results::collect);
    }

    @Override
    public int[] recoveries() {
      return recoveries.clone();
    }

    @Override
    public List<double[]> apply(List<double[]> parts) {
      boolean narrow = single;
      List<Object> sent = new ArrayList<>();
      parts.forEach(part -> sent.add(narrow ? Vectors.floats(part) : part));
      Broadcast<List<Object>> gradient = spark.broadcast(sent);
      try {
        List<Tuple2<Integer, Object>> applied =
            SparkFailures.unwrapped(
                () ->
                    named(
                        "precondition",
                        maps.map(
                            map -> {
                              double[] result =
                                  map.apply(Vectors.doubles(gradient.value().get(map.index())));
                              Object back = narrow ? Vectors.floats(result) : result;
                              return new Tuple2<>(map.index(), back);
                            })));
        double[][] results = new double[parts.size()][];
        applied.forEach(each -> results[each._1()] = Vectors.doubles(each._2()));
        return List.of(results);
      } finally {
        gradient.destroy(false);
      }
    }

    @Override
    public List<Snapshot> save() {
      Snapshot[] saved = new Snapshot[tasks.size()];
      SparkFailures.unwrapped(
              () ->
                  named(
                      "collect inverse", maps.map(map -> new Tuple2<>(map.index(), map.numbers()))))
          .forEach(each -> saved[each._1()] = KeptMap.snapshot(each._2()));
      return List.of(saved);
    }

    /** What executors hold is freed there, then forgotten. */
    @Override
    public void close() {
      if (closed) {
        return;
      }
      closed = true;
      if (!spark.sc().isStopped()) {
        try {
          labels.label(
              "free",
              () -> {
                maps.foreach(KeptMap::free);
                return maps;
              });
        } catch (RuntimeException e) {
          // Garbage collection does it, too, only later.
          LOG.debug("maps were not freed on executors", e);
        }
        maps.unpersist(false);
        tasks.forEach(task -> task.destroy(false));
      }
    }
  }
}
