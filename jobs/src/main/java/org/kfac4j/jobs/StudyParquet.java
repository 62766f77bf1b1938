package org.kfac4j.jobs;

import static org.apache.spark.sql.types.DataTypes.BooleanType;
import static org.apache.spark.sql.types.DataTypes.DoubleType;
import static org.apache.spark.sql.types.DataTypes.IntegerType;
import static org.apache.spark.sql.types.DataTypes.LongType;
import static org.apache.spark.sql.types.DataTypes.StringType;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.kfac4j.study.Reached;
import org.kfac4j.study.StudyResults;
import org.kfac4j.study.StudyRun;
import org.kfac4j.study.Target;

/** A study's runs as a table, one row each, for whoever wants to compute with them. */
final class StudyParquet {
  private static final StructType TARGET =
      new StructType()
          .add("metric", StringType, false)
          .add("value", DoubleType, false)
          .add("censored", BooleanType, false)
          .add("steps", LongType)
          .add("seconds", DoubleType);

  private static final StructType SCHEMA =
      new StructType()
          .add("study", StringType, false)
          .add("optimizer", StringType, false)
          .add("budget", StringType, false)
          .add("batchSize", IntegerType, false)
          .add("seed", LongType, false)
          .add("point", DataTypes.createMapType(StringType, StringType, false), false)
          .add("settings", DataTypes.createMapType(StringType, StringType, false), false)
          .add("outcome", StringType, false)
          .add("diverged", BooleanType, false)
          .add("stepBudget", LongType, false)
          .add("steps", LongType, false)
          .add("seconds", DoubleType, false)
          .add("medianIterationSeconds", DoubleType, false)
          .add("targets", DataTypes.createArrayType(TARGET, false), false)
          .add("best", DataTypes.createMapType(StringType, DoubleType, false), false)
          .add("last", DataTypes.createMapType(StringType, DoubleType, false), false);

  private StudyParquet() {}

  /**
   * Writes one file, in place of what was there.
   *
   * @param plan for all settings of each run
   */
  static void write(JavaSparkContext spark, StudyPlan plan, StudyResults results, String uri) {
    List<Row> rows = new ArrayList<>();
    for (StudyRun run : results.runs()) {
      rows.add(row(results, run, plan));
    }
    SparkSession session = SparkSession.builder().sparkContext(spark.sc()).getOrCreate();
    session.createDataFrame(rows, SCHEMA).coalesce(1).write().mode(SaveMode.Overwrite).parquet(uri);
  }

  private static Row row(StudyResults results, StudyRun run, StudyPlan plan) {
    List<Row> targets = new ArrayList<>();
    for (Target target : results.targets()) {
      Optional<Reached> at = run.reached(target);
      targets.add(
          RowFactory.create(
              target.metric().key(),
              target.value(),
              at.isEmpty(),
              at.map(Reached::steps).orElse(null),
              at.map(Reached::seconds).orElse(null)));
    }
    return RowFactory.create(
        results.name(),
        run.optimizer(),
        run.budget().label(),
        run.batchSize(),
        run.seed(),
        run.point(),
        plan.settings(plan.task(run)).flat(),
        run.outcome(),
        run.diverged(),
        run.stepBudget(),
        run.steps(),
        run.seconds(),
        run.medianIterationSeconds(),
        targets,
        StudyFolder.byName(run.best()),
        StudyFolder.byName(run.last()));
  }
}
