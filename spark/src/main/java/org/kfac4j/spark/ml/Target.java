package org.kfac4j.spark.ml;

import java.io.Serializable;
import java.util.List;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.functions;
import org.jspecify.annotations.Nullable;
import org.kfac4j.InvalidInputException;
import org.kfac4j.data.Examples;

/** What a network is to give for a row. */
sealed interface Target extends Serializable {
  /** The column that it is read from, or empty. */
  String column();

  /** What is selected of a Dataset for it. */
  default Column selected() {
    return functions.col(ExampleReader.quoted(column()));
  }

  /**
   * A cell as {@link #examples} takes it.
   *
   * @throws InvalidInputException naming column and rule if it breaks one
   */
  Object read(@Nullable Object cell);

  /** A block of rows. */
  Examples examples(long firstId, float[] features, List<Object> targets);

  /** A class, numbered from 0. */
  record Label(String column, int classes) implements Target {
    @Override
    public Column selected() {
      return Target.super.selected().cast("double");
    }

    @Override
    public Object read(@Nullable Object cell) {
      double label = (double) Columns.present(cell, column);
      InvalidInputException.require(
          label == Math.rint(label) && label >= 0 && label < classes,
          "column %s: a label must be a whole number in [0, %d), got %s",
          column,
          classes,
          label);
      return (int) label;
    }

    @Override
    public Examples examples(long firstId, float[] features, List<Object> targets) {
      return Examples.classified(
          firstId, features, targets.stream().mapToInt(each -> (int) each).toArray());
    }
  }

  /** A number. */
  record Value(String column) implements Target {
    @Override
    public Column selected() {
      return Target.super.selected().cast("double");
    }

    @Override
    public Object read(@Nullable Object cell) {
      double value = (double) Columns.present(cell, column);
      float single = (float) value;
      InvalidInputException.require(
          Float.isFinite(single), "column %s must be a finite number, got %s", column, value);
      return new float[] {single};
    }

    @Override
    public Examples examples(long firstId, float[] features, List<Object> targets) {
      return withTargets(firstId, features, targets, 1);
    }
  }

  /** Several numbers. */
  record Values(FeatureColumn vectors, int width) implements Target {
    @Override
    public String column() {
      return vectors.name();
    }

    @Override
    public Object read(@Nullable Object cell) {
      float[] values = new float[width];
      vectors.read(cell, values, 0, width);
      return values;
    }

    @Override
    public Examples examples(long firstId, float[] features, List<Object> targets) {
      return withTargets(firstId, features, targets, width);
    }
  }

  /**
   * The features themselves.
   *
   * @param features their column
   * @param shares whether they must be in [0, 1]
   */
  record Itself(String features, boolean shares) implements Target {
    @Override
    public String column() {
      return "";
    }

    @Override
    public Object read(@Nullable Object cell) {
      return this;
    }

    @Override
    public Examples examples(long firstId, float[] numbers, List<Object> targets) {
      for (float number : numbers) {
        InvalidInputException.require(
            !shares || (number >= 0 && number <= 1),
            "column %s: loss = xent needs numbers in [0, 1], got %s; mse takes any",
            features,
            number);
      }
      return Examples.reconstruction(firstId, targets.size(), numbers);
    }
  }

  private static Examples withTargets(
      long firstId, float[] features, List<Object> targets, int width) {
    float[] all = new float[targets.size() * width];
    for (int i = 0; i < targets.size(); i++) {
      System.arraycopy((float[]) targets.get(i), 0, all, i * width, width);
    }
    return Examples.withTargets(firstId, targets.size(), features, all);
  }
}
