package org.kfac4j.optimizer;

import org.kfac4j.linalg.LapackFactorizations;
import org.kfac4j.linalg.Precision;

/** What tests of optimizers compute on. */
final class Machines {
  static final DenseMachine DOUBLE = of(Precision.DOUBLE);

  private Machines() {}

  static DenseMachine of(Precision precision) {
    return new DenseMachine(new LapackFactorizations(), precision, 1);
  }
}
