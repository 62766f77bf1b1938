package org.kfac4j.spark.ml;

import java.io.Serializable;
import java.util.Arrays;
import org.apache.spark.ml.attribute.AttributeGroup;
import org.apache.spark.ml.image.ImageSchema;
import org.apache.spark.ml.linalg.DenseVector;
import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.ml.linalg.SparseVector;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;
import org.kfac4j.InvalidInputException;
import scala.collection.Seq;

/**
 * A column of features, or of target vectors: vectors of Spark ML, dense or sparse; arrays of float
 * or double; or images as Spark's image source reads them, whose bytes become numbers in [0, 1],
 * channel by channel (in Spark's order: blue, green, red, alpha), row by row.
 *
 * @param image [channels, rows, columns] of images, or empty
 */
record FeatureColumn(String name, Kind kind, int[] image) implements Serializable {
  /** What cells are. */
  enum Kind {
    VECTOR,
    ARRAY,
    IMAGE
  }

  /**
   * The column that a parameter names.
   *
   * @param image [channels, rows, columns] that images have, or empty
   * @throws InvalidInputException if the column is missing or of a type that has no features
   */
  static FeatureColumn of(StructType schema, String parameter, String name, int[] image) {
    DataType type = Columns.require(schema, parameter, name).dataType();
    if (type.equals(SQLDataTypes.VectorType())) {
      return new FeatureColumn(name, Kind.VECTOR, image);
    }
    if (type instanceof ArrayType array
        && (array.elementType().equals(DataTypes.FloatType)
            || array.elementType().equals(DataTypes.DoubleType))) {
      return new FeatureColumn(name, Kind.ARRAY, image);
    }
    InvalidInputException.require(
        isImage(type),
        "%s: column %s must be a vector, array<float>, array<double> or image, got %s",
        parameter,
        name,
        type.simpleString());
    InvalidInputException.require(
        image.length == 3,
        "%s: column %s holds images: inputShape must be [channels, rows, columns]",
        parameter,
        name);
    return new FeatureColumn(name, Kind.IMAGE, image);
  }

  static FeatureColumn ofVectors(String name) {
    return new FeatureColumn(name, Kind.VECTOR, new int[0]);
  }

  private static boolean isImage(DataType type) {
    return type instanceof StructType struct
        && Arrays.equals(struct.fieldNames(), ImageSchema.columnSchema().fieldNames())
        && struct.apply("data").dataType().equals(DataTypes.BinaryType);
  }

  /** How many numbers every cell has, as the schema says it; −1 if it does not. */
  int declaredSize(StructType schema) {
    StructField field = schema.apply(name);
    return kind == Kind.VECTOR ? AttributeGroup.fromStructField(field).size() : -1;
  }

  /**
   * Writes a cell's numbers to {@code target} from {@code at} on, in single precision.
   *
   * @param width how many there must be
   * @throws InvalidInputException naming column and rule if there are others, or no finite numbers
   */
  void read(@Nullable Object cell, float[] target, int at, int width) {
    Object present = Columns.present(cell, name);
    switch (kind) {
      case VECTOR -> readVector(present, target, at, width);
      case ARRAY -> readArray((Seq<?>) present, target, at, width);
      case IMAGE -> readImage((Row) present, target, at, width);
    }
  }

  private void readVector(Object cell, float[] target, int at, int width) {
    if (cell instanceof DenseVector dense) {
      double[] values = dense.values();
      checkSize(values.length, width);
      for (int i = 0; i < values.length; i++) {
        target[at + i] = finite(values[i], i);
      }
      return;
    }
    SparseVector sparse = (SparseVector) cell;
    checkSize(sparse.size(), width);
    Arrays.fill(target, at, at + width, 0);
    int[] indices = sparse.indices();
    double[] values = sparse.values();
    for (int i = 0; i < indices.length; i++) {
      target[at + indices[i]] = finite(values[i], indices[i]);
    }
  }

  private void readArray(Seq<?> cell, float[] target, int at, int width) {
    checkSize(cell.size(), width);
    for (int i = 0; i < width; i++) {
      Object value = cell.apply(i);
      if (!(value instanceof Number number)) {
        throw new InvalidInputException(
            "column %s: element %d must be a number, got null".formatted(name, i));
      }
      target[at + i] = finite(number.doubleValue(), i);
    }
  }

  private void readImage(Row cell, float[] target, int at, int width) {
    int rows = ImageSchema.getHeight(cell);
    int columns = ImageSchema.getWidth(cell);
    int channels = ImageSchema.getNChannels(cell);
    InvalidInputException.require(
        channels == image[0] && rows == image[1] && columns == image[2],
        "column %s: images must be %d × %d × %d (channels, rows, columns), got %d × %d × %d",
        name,
        image[0],
        image[1],
        image[2],
        channels,
        rows,
        columns);
    byte[] bytes = ImageSchema.getData(cell);
    checkSize(bytes.length, width);
    int positions = rows * columns;
    for (int position = 0; position < positions; position++) {
      for (int channel = 0; channel < channels; channel++) {
        target[at + channel * positions + position] =
            (bytes[position * channels + channel] & 0xff) / 255f;
      }
    }
  }

  private void checkSize(int size, int width) {
    InvalidInputException.require(
        size == width, "column %s: every row must have %d numbers, got %d", name, width, size);
  }

  private float finite(double value, int index) {
    float single = (float) value;
    if (!Float.isFinite(single)) { // Not by a check with varargs: this is called for every number.
      throw new InvalidInputException(
          "column %s: element %d must be a finite number (float), got %s"
              .formatted(name, index, value));
    }
    return single;
  }
}
