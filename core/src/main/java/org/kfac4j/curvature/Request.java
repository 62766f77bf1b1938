package org.kfac4j.curvature;

import java.io.Serializable;
import org.jspecify.annotations.Nullable;
import org.kfac4j.data.Batch;

/** Which sums over which examples. Small: weights and directions travel beside it. */
public sealed interface Request extends Serializable {
  /** The examples to visit. */
  Batch batch();

  /** The subset of the batch that curvature statistics are summed over, or null. */
  default @Nullable Statistics statistics() {
    return null;
  }

  /**
   * The loss.
   *
   * @param metrics also what the test set is judged by: squared error, and correct answers for
   *     classes; of the network as it is used after training, so without dropout
   */
  record Loss(Batch batch, boolean metrics) implements Request {}

  /** The loss, its gradient, and statistics of curvature if asked for. */
  record Gradient(Batch batch, @Nullable Statistics statistics) implements Request {}

  /**
   * (J v)ᵀ F_R (J w) for all pairs of {@code directions} parameter vectors, J the Jacobian of the
   * network's output.
   */
  record Products(Batch batch, int directions) implements Request {}

  /**
   * Statistics of curvature alone.
   *
   * @param batch what is visited: the statistics' own, or more where layers see other examples
   */
  record Curvature(Batch batch, Statistics statistics) implements Request {
    /** Visits the examples of the statistics only. */
    public Curvature(Statistics statistics) {
      this(statistics.batch(), statistics);
    }
  }

  /**
   * Which statistics.
   *
   * @param batch a subset of the request's batch with the same start
   * @param key of the random streams that sampled targets come from; with the example's id it
   *     determines them
   * @param forms what is kept of each block's Fisher matrix
   * @param factors whether that is summed
   * @param scalings whether squared projections of weights' gradients are summed, in bases that
   *     come with the request: U_Aᵀ and U_Gᵀ of one block of weights after the other
   */
  record Statistics(
      Batch batch, FisherType fisher, long key, BlockForms forms, boolean factors, boolean scalings)
      implements Serializable {
    /** Without scalings. */
    public Statistics(Batch batch, FisherType fisher, long key, BlockForms forms) {
      this(batch, fisher, key, forms, true, false);
    }

    /** With {@link BlockForms#DEFAULT}. */
    public Statistics(Batch batch, FisherType fisher, long key) {
      this(batch, fisher, key, BlockForms.DEFAULT);
    }
  }
}
