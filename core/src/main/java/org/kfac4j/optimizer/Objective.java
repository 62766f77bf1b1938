package org.kfac4j.optimizer;

import java.util.List;
import org.kfac4j.curvature.Request;
import org.kfac4j.curvature.Sums;

/** What an optimizer may ask of data: the one door between the two. Used by one thread. */
public interface Objective extends AutoCloseable {
  /** Number of examples N. */
  long size();

  /** Prepares weights for requests; close it when θ moves on. */
  Point at(double[] theta);

  /** Where seconds are noted by phase. */
  Phases phases();

  @Override
  void close();

  /** The objective at one θ. */
  interface Point extends AutoCloseable {
    /** The sums over the request's examples, of all partitions. */
    default Sums evaluate(Request request) {
      return evaluate(request, List.of());
    }

    /**
     * As {@link #evaluate(Request)}.
     *
     * @param directions parameter vectors of a {@link Request.Products}
     */
    Sums evaluate(Request request, List<double[]> directions);

    @Override
    void close();
  }
}
