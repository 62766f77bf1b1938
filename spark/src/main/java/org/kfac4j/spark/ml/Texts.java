package org.kfac4j.spark.ml;

import org.apache.spark.sql.types.StructType;
import org.kfac4j.InvalidInputException;

/** What Estimators and Models say alike. */
final class Texts {
  static final String FEATURES =
      "column of features: vectors, array<float>, array<double>, or images with inputShape";
  static final String SHAPE =
      "[channels, rows, columns] of features that are images, where the network does not say it";
  static final String PREDICTION = "column of predictions; none if empty";
  static final String RAW = "column of raw predictions: the outputs before softmax; none if empty";
  static final String PROBABILITY = "column of classes' probabilities; none if empty";
  static final String THRESHOLDS =
      "one per class, or empty: the predicted class has the largest p / threshold";
  static final String ENCODING_LAYER =
      "name of the layer whose output is the code; the narrowest if empty";
  static final String RECONSTRUCTION = "column of reconstructed features; none if empty";
  static final String ENCODING = "column of codes; none if empty";
  static final String ERROR =
      "column of reconstruction errors, the squared distances from the features; none if empty";

  private Texts() {}

  /**
   * @throws InvalidInputException if the schema says another size than the network's input
   */
  static void checkSize(FeatureColumn features, StructType schema, int inputs) {
    int declared = features.declaredSize(schema);
    InvalidInputException.require(
        declared < 0 || declared == inputs,
        "column %s has %d features, but the network takes %d",
        features.name(),
        declared,
        inputs);
  }
}
