package org.kfac4j.optimizer;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.kfac4j.curvature.Request;
import org.kfac4j.curvature.Sums;

/** What an optimizer may ask of data: the one door between the two. Used by one thread. */
public interface Objective extends AutoCloseable {
  /** Number of examples N. */
  long size();

  /** Prepares weights for requests; close it when θ moves on. */
  Point at(double[] theta);

  /** Prepares vectors that several requests come with; close them when the last one is done. */
  Vectors prepare(List<double[]> vectors);

  /** Who else may work on layers, or null if nobody but the driver. */
  default @Nullable LayerWorkers workers() {
    return null;
  }

  /** Told before an iteration, for whoever shows what is going on. */
  default void begin(int iteration) {}

  /** Where seconds are noted by phase. */
  Phases phases();

  /**
   * Where seconds are noted by kind of pass, the slowest task's and of the job the rest; what a
   * model of costs is fitted to. Nothing is noted by an objective that has no jobs.
   */
  default Phases passes() {
    return new Phases();
  }

  @Override
  void close();

  /** Vectors that requests come with. */
  interface Vectors extends AutoCloseable {
    /** None. */
    Vectors NONE = () -> {};

    @Override
    void close();
  }

  /** The objective at one θ. */
  interface Point extends AutoCloseable {
    /** The sums over the request's examples, of all partitions. */
    default Sums evaluate(Request request) {
      return evaluate(request, Vectors.NONE);
    }

    /**
     * As {@link #evaluate(Request)}.
     *
     * @param vectors directions of a {@link Request.Products}, or bases of statistics with
     *     scalings; made by this objective
     */
    Sums evaluate(Request request, Vectors vectors);

    /** As {@link #evaluate(Request, Vectors)}, for once. */
    Sums evaluate(Request request, List<double[]> vectors);

    @Override
    void close();
  }
}
