package org.kfac4j.spark.ml;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.jspecify.annotations.Nullable;
import org.kfac4j.InvalidInputException;
import org.kfac4j.data.Examples;
import org.kfac4j.spark.Reading;

/**
 * Reads examples from rows that {@link #columns} has selected, up to the first mistake.
 *
 * @param width numbers of every feature vector
 * @param target what the network is to give
 * @param weight column of weights, or empty
 * @param indicator column that says which rows are for validation, or empty
 * @param validation which of the two kinds of rows are read
 */
record ExampleReader(
    FeatureColumn features,
    int width,
    Target target,
    String weight,
    String indicator,
    boolean validation)
    implements FlatMapFunction<Iterator<Row>, Reading> {
  /** Examples in a block, and the numbers that it may have. */
  private static final int BLOCK = 1024;

  private static final int NUMBERS = 1 << 24;

  private static final int FEATURES = 0;
  private static final int LABEL = 1;
  private static final int WEIGHT = 2;
  private static final int INDICATOR = 3;

  private int block() {
    return Math.max(1, Math.min(BLOCK, NUMBERS / width));
  }

  /** What this reads of a Dataset. */
  Column[] columns() {
    Column none = functions.lit(null);
    return new Column[] {
      functions.col(quoted(features.name())),
      target.column().isEmpty() ? none : target.selected(),
      weight.isEmpty() ? none : functions.col(quoted(weight)).cast("double"),
      indicator.isEmpty() ? none : functions.col(quoted(indicator))
    };
  }

  /** A column's name as it is, dots included. */
  static String quoted(String column) {
    return "`" + column.replace("`", "``") + "`";
  }

  /** The same for the other kind of rows. */
  ExampleReader forValidation() {
    return new ExampleReader(features, width, target, weight, indicator, true);
  }

  @Override
  public Iterator<Reading> call(Iterator<Row> rows) {
    int partition = TaskContext.getPartitionId();
    return new Iterator<>() {
      private long row;
      private long id;
      private boolean failed;
      private @Nullable Reading next;

      @Override
      public boolean hasNext() {
        if (next == null && !failed) {
          next = read();
        }
        return next != null;
      }

      @Override
      public Reading next() {
        if (!hasNext()) {
          throw new NoSuchElementException("no row after " + row);
        }
        Reading result = next;
        next = null;
        return java.util.Objects.requireNonNull(result);
      }

      private @Nullable Reading read() {
        Builder builder = new Builder(id);
        try {
          while (builder.count < block() && rows.hasNext()) {
            builder.add(rows.next());
            row++;
          }
          id += builder.count;
          return builder.count == 0 ? null : Reading.of(builder.examples());
        } catch (InvalidInputException e) {
          failed = true;
          return Reading.failed(
              "%s (row %d of partition %d)".formatted(e.getMessage(), row, partition));
        }
      }
    };
  }

  /** A block that grows with its rows: many partitions are smaller than a block. */
  private final class Builder {
    private final long firstId;
    private int count;
    private float[] numbers = new float[Math.min(16, block()) * width];
    private final List<Object> targets = new ArrayList<>();
    private final float[] weights = new float[BLOCK];

    Builder(long firstId) {
      this.firstId = firstId;
    }

    void add(Row row) {
      if (!indicator.isEmpty()) {
        InvalidInputException.require(
            !row.isNullAt(INDICATOR), "column %s must not be null", indicator);
        if (row.getBoolean(INDICATOR) != validation) {
          return;
        }
      }
      weights[count] = 1;
      if (!weight.isEmpty()) {
        InvalidInputException.require(!row.isNullAt(WEIGHT), "column %s must not be null", weight);
        double value = row.getDouble(WEIGHT);
        InvalidInputException.require(
            value >= 0 && value < Float.MAX_VALUE,
            "column %s: a weight must be finite and not negative, got %s",
            weight,
            value);
        if ((float) value == 0) {
          return; // counts for nothing
        }
        weights[count] = (float) value;
      }
      if ((count + 1) * width > numbers.length) {
        numbers = Arrays.copyOf(numbers, Math.min(2 * numbers.length, block() * width));
      }
      features.read(row.get(FEATURES), numbers, count * width, width);
      targets.add(target.read(row.get(LABEL)));
      count++;
    }

    Examples examples() {
      float[] all = Arrays.copyOf(numbers, count * width);
      Examples examples = target.examples(firstId, all, targets);
      return weight.isEmpty() ? examples : examples.weighted(Arrays.copyOf(weights, count));
    }
  }
}
