package org.kfac4j.spark.ml;

import java.util.Arrays;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.NumericType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;
import org.kfac4j.InvalidInputException;

/** Rules of a schema's columns. */
final class Columns {
  private Columns() {}

  /**
   * The column that a parameter names.
   *
   * @throws InvalidInputException if there is none
   */
  static StructField require(StructType schema, String parameter, String name) {
    InvalidInputException.require(
        Arrays.asList(schema.fieldNames()).contains(name),
        "%s: there is no column %s, only %s",
        parameter,
        name,
        String.join(", ", schema.fieldNames()));
    return schema.apply(name);
  }

  /**
   * @throws InvalidInputException if the column is missing or holds no numbers
   */
  static StructField requireNumeric(StructType schema, String parameter, String name) {
    StructField field = require(schema, parameter, name);
    InvalidInputException.require(
        field.dataType() instanceof NumericType,
        "%s: column %s must be numeric, got %s",
        parameter,
        name,
        field.dataType().simpleString());
    return field;
  }

  /**
   * @throws InvalidInputException if the column is missing or of another type
   */
  static void require(StructType schema, String parameter, String name, DataType type) {
    StructField field = require(schema, parameter, name);
    InvalidInputException.require(
        field.dataType().equals(type),
        "%s: column %s must be %s, got %s",
        parameter,
        name,
        type.simpleString(),
        field.dataType().simpleString());
  }

  /**
   * A cell that must not be null.
   *
   * @throws InvalidInputException if it is
   */
  static Object present(@Nullable Object cell, String column) {
    if (cell == null) {
      throw new InvalidInputException("column " + column + " must not be null");
    }
    return cell;
  }

  /**
   * The schema with one more column.
   *
   * @throws InvalidInputException if there is one of that name already
   */
  static StructType append(StructType schema, String parameter, StructField field) {
    InvalidInputException.require(
        Arrays.stream(schema.fieldNames()).noneMatch(field.name()::equalsIgnoreCase),
        "%s: there is a column %s already",
        parameter,
        field.name());
    return schema.add(field);
  }
}
