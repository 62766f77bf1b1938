package org.kfac4j.optimizer;

import java.io.Serializable;
import org.kfac4j.Snapshot;
import org.kfac4j.curvature.BlockStatistics;
import org.kfac4j.curvature.NoStatistics;
import org.kfac4j.linalg.Blas;

/**
 * The work of {@link Preconditioner#factor} on one layer, for whoever does it: the same numbers
 * wherever that is.
 *
 * @param statistics not changed by anyone until the task is done
 * @param cost rough number of multiplications
 */
public record LayerTask(
    Preconditioner preconditioner,
    BlockStatistics statistics,
    double strength,
    String layer,
    int rows,
    int columns,
    DenseMachine machine,
    double cost)
    implements Serializable {
  /**
   * Does it, on one thread of a CPU: an executor's thread may still have the GPU of a task of
   * another stage, which would round differently.
   */
  public LinearMap make() {
    Blas.useThreads(1);
    Blas.useGpu(null);
    return preconditioner.factor(statistics, strength, layer, machine);
  }

  /** The same without what it is made from; {@link #restore} is all that is left to do with it. */
  public LayerTask withoutStatistics() {
    return new LayerTask(
        preconditioner, new NoStatistics(0), strength, layer, rows, columns, machine, cost);
  }

  /** Makes the map again from what it saved. */
  public LinearMap restore(Snapshot saved) {
    return preconditioner.restore(saved, "", rows, columns, machine);
  }
}
