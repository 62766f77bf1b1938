package org.kfac4j.optimizer;

import java.util.List;
import org.kfac4j.Snapshot;

/** Machines beside the driver that make layers' maps and may keep them: Spark's executors. */
public interface LayerWorkers {
  /** Has the maps of all tasks made, the costliest first; waits until they are. */
  Made make(List<LayerTask> tasks);

  /** Maps where they were made, by the tasks' order. */
  interface Made extends AutoCloseable {
    /** The recovery rung of each. */
    int[] recoveries();

    /**
     * Applies all maps at a time.
     *
     * @param parts of a gradient, one for each map
     * @return C⁻¹ of each part
     */
    List<double[]> apply(List<double[]> parts);

    /** What {@link LinearMap#save} would add for each, under names without a prefix. */
    List<Snapshot> save();

    /** Gives the memory back. */
    @Override
    void close();
  }
}
