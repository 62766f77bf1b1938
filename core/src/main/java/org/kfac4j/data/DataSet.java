package org.kfac4j.data;

import org.kfac4j.InvalidInputException;

/** Training and test examples of one task, of one shape. */
public record DataSet(DataSource train, DataSource test) {
  public DataSet {
    InvalidInputException.require(
        train.shape().equals(test.shape()),
        "training and test examples must have one shape, got %s in %s and %s in %s",
        train.shape(),
        train.name(),
        test.shape(),
        test.name());
  }
}
