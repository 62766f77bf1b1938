package org.kfac4j.optimizer;

import org.jspecify.annotations.Nullable;
import org.kfac4j.Snapshot;
import org.kfac4j.data.Batch;
import org.kfac4j.network.Network;

/** Settings of an optimizer; immutable. */
public interface Optimizer {
  /**
   * Begins to optimise.
   *
   * @param theta initial weights; copied
   * @param saved state to continue from, or null
   */
  Run start(Network network, double[] theta, @Nullable Snapshot saved);

  /**
   * Looks whether {@code network} can be optimised, before anything is computed.
   *
   * @throws IllegalArgumentException naming the layer and the rule if not
   */
  default void check(Network network) {}

  /** Whether every batch must be all examples. */
  default boolean needsAllExamples() {
    return false;
  }

  /**
   * What preconditions the layer with that index, for the table that a run prints first: "–" for a
   * first-order method.
   */
  default String describe(Network network, int layer) {
    return "–";
  }

  /** The size of what is kept of a block's curvature, for that table: "785² ⊗ 10²". */
  default String factors(Network.ParameterBlock block) {
    return "–";
  }

  /** What curvature takes; nothing for a first-order method. */
  default Footprint footprint(Network network) {
    return Footprint.NONE;
  }

  /** Vectors of θ's length, in float64, that a step has on the driver's heap at a time. */
  int vectors();

  /** One optimisation under way: weights and the optimizer's state. Used by one thread. */
  interface Run extends AutoCloseable {
    /**
     * Does iteration {@code k} (from 1) on {@code batch}.
     *
     * @throws DivergedException if loss, curvature or update are not finite
     */
    Step step(Objective objective, Batch batch, int k);

    /** The weights θ; not a copy, changed by the next step. */
    double[] theta();

    /** Adds the state, without θ, to a checkpoint. */
    void save(Snapshot snapshot);

    @Override
    void close();
  }
}
