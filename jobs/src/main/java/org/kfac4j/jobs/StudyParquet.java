package org.kfac4j.jobs;

import java.io.IOException;
import java.io.OutputStream;
import java.util.Map;
import java.util.Optional;
import org.apache.commons.io.output.CountingOutputStream;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroup;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.io.DelegatingPositionOutputStream;
import org.apache.parquet.io.OutputFile;
import org.apache.parquet.io.PositionOutputStream;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.MessageTypeParser;
import org.kfac4j.data.Storage;
import org.kfac4j.study.Reached;
import org.kfac4j.study.StudyResults;
import org.kfac4j.study.StudyRun;
import org.kfac4j.study.Target;

/**
 * A study's runs as a table, one row each, for whoever wants to compute with them. The driver
 * writes it, as all else in output.dir, which executors need not be able to reach.
 */
final class StudyParquet {
  private static final MessageType SCHEMA =
      MessageTypeParser.parseMessageType(
          """
          message study {
            required binary study (STRING);
            required binary optimizer (STRING);
            required binary budget (STRING);
            required int32 batchSize;
            required int64 seed;
            required group point (MAP) {
              repeated group key_value { required binary key (STRING); required binary value (STRING); }
            }
            required group settings (MAP) {
              repeated group key_value { required binary key (STRING); required binary value (STRING); }
            }
            required binary outcome (STRING);
            required boolean diverged;
            required int64 stepBudget;
            required int64 steps;
            required double seconds;
            required double medianIterationSeconds;
            required group targets (LIST) {
              repeated group list {
                required group element {
                  required binary metric (STRING);
                  required double value;
                  required boolean censored;
                  optional int64 steps;
                  optional double seconds;
                }
              }
            }
            required group best (MAP) {
              repeated group key_value { required binary key (STRING); required double value; }
            }
            required group last (MAP) {
              repeated group key_value { required binary key (STRING); required double value; }
            }
          }
          """);

  private StudyParquet() {}

  /**
   * Writes one file, in place of what was there.
   *
   * @param plan for all settings of each run
   */
  static void write(StudyPlan plan, StudyResults results, Storage storage, String uri)
      throws IOException {
    storage.delete(uri);
    try (ParquetWriter<Group> rows =
        ExampleParquetWriter.builder(new StoredFile(storage, uri))
            .withType(SCHEMA)
            .withCompressionCodec(CompressionCodecName.SNAPPY)
            .build()) {
      for (StudyRun run : results.runs()) {
        rows.write(row(results, run, plan));
      }
    }
  }

  private static Group row(StudyResults results, StudyRun run, StudyPlan plan) {
    Group row = new SimpleGroup(SCHEMA);
    row.append("study", results.name())
        .append("optimizer", run.optimizer())
        .append("budget", run.budget().label())
        .append("batchSize", run.batchSize())
        .append("seed", run.seed())
        .append("outcome", run.outcome())
        .append("diverged", run.diverged())
        .append("stepBudget", run.stepBudget())
        .append("steps", run.steps())
        .append("seconds", run.seconds())
        .append("medianIterationSeconds", run.medianIterationSeconds());
    texts(row.addGroup("point"), run.point());
    texts(row.addGroup("settings"), plan.settings(plan.task(run)).flat());
    Group targets = row.addGroup("targets");
    for (Target target : results.targets()) {
      Optional<Reached> at = run.reached(target);
      Group one =
          targets
              .addGroup("list")
              .addGroup("element")
              .append("metric", target.metric().key())
              .append("value", target.value())
              .append("censored", at.isEmpty());
      at.ifPresent(there -> one.append("steps", there.steps()).append("seconds", there.seconds()));
    }
    numbers(row.addGroup("best"), StudyFolder.byName(run.best()));
    numbers(row.addGroup("last"), StudyFolder.byName(run.last()));
    return row;
  }

  private static void texts(Group map, Map<String, String> values) {
    values.forEach(
        (key, value) -> map.addGroup("key_value").append("key", key).append("value", value));
  }

  private static void numbers(Group map, Map<String, Double> values) {
    values.forEach(
        (key, value) -> {
          double number = value;
          map.addGroup("key_value").append("key", key).append("value", number);
        });
  }

  /** A file of a {@link Storage}, as Parquet wants it. */
  private record StoredFile(Storage storage, String uri) implements OutputFile {
    @Override
    public PositionOutputStream create(long blockSizeHint) throws IOException {
      OutputStream file = storage.create(uri);
      CountingOutputStream counted = new CountingOutputStream(file);
      return new DelegatingPositionOutputStream(counted) {
        @Override
        public long getPos() {
          return counted.getByteCount();
        }
      };
    }

    @Override
    public PositionOutputStream createOrOverwrite(long blockSizeHint) throws IOException {
      return create(blockSizeHint);
    }

    @Override
    public boolean supportsBlockSize() {
      return false;
    }

    @Override
    public long defaultBlockSize() {
      return 0;
    }
  }
}
