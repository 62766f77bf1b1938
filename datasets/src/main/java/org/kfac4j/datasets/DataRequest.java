package org.kfac4j.datasets;

import org.kfac4j.InvalidInputException;
import org.kfac4j.data.Storage;

/**
 * Which examples are wanted: the settings {@code data.*} of a job.
 *
 * @param source a name in {@link DataSources}
 * @param path folder or file of the data, any URI that {@code storage} reads; empty for a source
 *     that is generated
 * @param classes number of classes, or 0 for as many as the source usually has; not used by an
 *     autoencoder
 * @param seed of a source that is generated
 * @param trainSize how many training examples, the first ones; 0 for all
 * @param testSize how many test examples, the first ones; 0 for all
 */
public record DataRequest(
    String source,
    String path,
    DataTask task,
    int classes,
    long seed,
    long trainSize,
    long testSize,
    Storage storage) {
  /**
   * @throws InvalidInputException if {@code classes} is 1 or negative, or a size is negative
   */
  public DataRequest {
    InvalidInputException.require(
        classes == 0 || classes >= 2,
        "data.classes must be at least 2, or 0 for the usual number, got %d",
        classes);
    InvalidInputException.require(
        trainSize >= 0, "data.train-size must be positive, or 0 for all, got %d", trainSize);
    InvalidInputException.require(
        testSize >= 0, "data.test-size must be positive, or 0 for all, got %d", testSize);
  }
}
