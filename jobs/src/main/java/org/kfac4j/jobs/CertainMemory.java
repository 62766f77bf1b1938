package org.kfac4j.jobs;

import org.apache.spark.SparkConf;
import org.kfac4j.Settings;
import org.kfac4j.curvature.BlockForm;
import org.kfac4j.network.Layer;
import org.kfac4j.network.Network;
import org.kfac4j.optimizer.Footprint;
import org.kfac4j.optimizer.Kfac;
import org.kfac4j.optimizer.Optimizer;

/**
 * What is resident in a run's processes for certain, on the heap and outside of it: what they hold
 * at one moment whatever the examples are, and nothing that depends on luck, garbage or a library.
 * Less than {@link RunPlan} expects; who has less memory than this cannot run.
 *
 * @param capacity examples that a task has room for
 * @param tasks that a process runs at a time
 * @param number bytes of a number that is computed with
 * @param exact whether there are tangents for exact products
 * @param runs side by side in the application
 */
record CertainMemory(
    Network network,
    Optimizer optimizer,
    Footprint curvature,
    RunPlan.Place inverses,
    boolean local,
    int capacity,
    int tasks,
    int number,
    boolean exact,
    int runs) {
  /** Java, Spark and native libraries. */
  private static final long PROCESS = 300L << 20;

  /** Of a run and of its state: θ twice, a gradient, an update. */
  private static final long VECTORS = 4;

  /** All slots work, unless there may be fewer partitions; on a cluster these lie anywhere. */
  static int tasks(Settings settings, SparkConf spark, RunPlan.Cores cores, long examples) {
    int asked = settings.nonNegativeInt("data.partitions");
    if (asked == 0 && !spark.contains("spark.default.parallelism")) {
      return (int) Math.min(cores.slots(), examples);
    }
    return cores.local() && asked > 0
        ? (int) Math.min(Math.min(cores.slots(), asked), examples)
        : 1;
  }

  /** The same of so many runs. */
  CertainMemory together(int count) {
    return new CertainMemory(
        network, optimizer, curvature, inverses, local, capacity, tasks, number, exact, count);
  }

  /** Bytes of the driver, with its tasks if it runs them. */
  long driver() {
    long parameters = network.parameterCount();
    long vectors = Double.BYTES * VECTORS * parameters;
    long averages = keepsRows() ? 0 : Double.BYTES * curvature.heap();
    // Two generations, at the end of a refresh.
    boolean kept = inverses != RunPlan.Place.EXECUTORS && !keepsRows();
    long maps = kept ? 2L * number * curvature.outside() : 0;
    long own = PROCESS + runs * (vectors + averages + number * (parameters + sums()) + maps);
    return local ? own + tasks * task() : own;
  }

  /** Bytes of the executor that has the most to do. */
  long executor() {
    boolean makes = inverses != RunPlan.Place.DRIVER && !keepsRows();
    return PROCESS + tasks * task() + (makes ? number * curvature.largestSquare() : 0);
  }

  /**
   * A task's buffers are as large as they can be from the first block to the end of the run. Layers
   * that work in place have none.
   */
  private long task() {
    long values = network.inputs();
    for (Layer layer : network.layers()) {
      values += layer.worksInPlace() ? 0 : layer.outputs();
    }
    long held = exact ? 3 : 2; // values, gradients, tangents; weights, their gradient, a direction
    return number
        * (held * (network.parameterCount() + values * capacity) + sums() + curvature.bases());
  }

  private long sums() {
    return keepsRows() ? 0 : curvature.sums();
  }

  /** Rows are of the examples that there are, on whichever task has them. */
  private boolean keepsRows() {
    return optimizer instanceof Kfac kfac && kfac.preconditioner().form() == BlockForm.ROWS;
  }
}
