package org.kfac4j.jobs;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.kfac4j.data.DataSource;
import org.kfac4j.data.Examples;
import org.kfac4j.spark.SparkExamples;

/** Examples as Spark ML takes them: columns label and features, cached. */
final class Frames {
  private Frames() {}

  /** Reads a source of classes into the cache. */
  static Dataset<Row> cached(
      SparkSession session, Cluster cluster, int partitions, DataSource source) {
    StructType schema =
        new StructType()
            .add("label", DataTypes.DoubleType)
            .add("features", SQLDataTypes.VectorType());
    try (SparkExamples examples = SparkExamples.load(cluster.spark(), source, partitions)) {
      JavaRDD<Row> rows = examples.blocks().flatMap(block -> rows(block).iterator());
      Dataset<Row> data = session.createDataFrame(rows, schema).cache();
      data.count(); // reads it into the cache
      return data;
    }
  }

  private static List<Row> rows(Examples block) {
    int[] labels = block.labels();
    if (labels == null) {
      throw new IllegalStateException("examples without classes");
    }
    int width = block.features().length / block.count();
    List<Row> rows = new ArrayList<>(block.count());
    for (int row = 0; row < block.count(); row++) {
      double[] features = new double[width];
      for (int i = 0; i < width; i++) {
        features[i] = block.features()[row * width + i];
      }
      rows.add(RowFactory.create((double) labels[row], Vectors.dense(features)));
    }
    return rows;
  }
}
