package org.kfac4j.spark.ml;

import java.io.File;
import java.lang.reflect.Modifier;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** All stages of this package, found in its folder, and small data for them. */
final class Stages {
  static final int INPUTS = 4;
  static final int CLASSES = 3;

  private Stages() {}

  static SparkSession session() {
    return SparkSession.builder()
        .master("local[2]")
        .appName("kfac4j ml test")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "2")
        .getOrCreate();
  }

  /** Every concrete stage. */
  static List<Class<?>> classes() {
    try {
      URI folder = KfacClassifier.class.getResource("KfacClassifier.class").toURI();
      List<Class<?>> classes = new ArrayList<>();
      for (String name : new File(folder).getParentFile().list()) {
        if (name.endsWith(".class") && !name.contains("$") && !name.contains("-")) {
          Class<?> each =
              Class.forName(Stages.class.getPackageName() + "." + name.replace(".class", ""));
          if (PipelineStage.class.isAssignableFrom(each)
              && !Modifier.isAbstract(each.getModifiers())) {
            classes.add(each);
          }
        }
      }
      return classes;
    } catch (ReflectiveOperationException | java.net.URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  static List<KfacEstimator<?, ?>> estimators() {
    List<KfacEstimator<?, ?>> estimators = new ArrayList<>();
    for (Class<?> each : classes()) {
      if (KfacEstimator.class.isAssignableFrom(each)) {
        try {
          KfacEstimator<?, ?> estimator =
              (KfacEstimator<?, ?>) each.getDeclaredConstructor().newInstance();
          boolean autoencoder = estimator instanceof KfacAutoencoder;
          estimator.setLayers(
              autoencoder
                  ? new int[] {INPUTS, 2, INPUTS}
                  : new int[] {INPUTS, 5, estimator instanceof KfacClassifier ? CLASSES : 1});
          estimator.setMaxIter(3);
          estimator.setDamping(1);
          estimator.setInit("xavier");
          estimators.add(estimator);
        } catch (ReflectiveOperationException e) {
          throw new IllegalStateException(e);
        }
      }
    }
    return estimators;
  }

  private static final StructType SCHEMA =
      new StructType()
          .add("id", DataTypes.LongType)
          .add("features", SQLDataTypes.VectorType())
          .add("label", DataTypes.DoubleType)
          .add("weight", DataTypes.DoubleType)
          .add("validation", DataTypes.BooleanType);

  /** Classes around centres; features in [0, 1]. Whole weights from 1 to 3. */
  static List<Row> rows(int count) {
    Random random = new Random(7);
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      double[] features = new double[INPUTS];
      int label = i % CLASSES;
      for (int j = 0; j < INPUTS; j++) {
        double value = (j == label ? 0.7 : 0.2) + 0.25 * random.nextDouble();
        // Exact in single precision.
        features[j] = random.nextInt(4) == 0 ? 0 : (float) value;
      }
      rows.add(
          RowFactory.create(
              (long) i, Vectors.dense(features), (double) label, 1.0 + i % 3, i % 5 == 0));
    }
    return rows;
  }

  static Dataset<Row> data(SparkSession session, List<Row> rows) {
    return session.createDataFrame(rows, SCHEMA);
  }

  static Dataset<Row> data(SparkSession session, int count) {
    return data(session, rows(count));
  }
}
