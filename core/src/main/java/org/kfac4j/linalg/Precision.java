package org.kfac4j.linalg;

import org.nd4j.linalg.api.buffer.DataType;

/** In what a block of examples is computed: FLOAT to train, DOUBLE to check formulas. */
public enum Precision {
  FLOAT(DataType.FLOAT),
  DOUBLE(DataType.DOUBLE);

  private final DataType type;

  Precision(DataType type) {
    this.type = type;
  }

  DataType type() {
    return type;
  }
}
