package org.kfac4j.cost;

import java.util.Locale;

/** Passes over examples that iterations make. Each is a Spark job but statistics. */
public enum PassKind {
  /** Loss and gradient of the batch. */
  GRADIENT,
  /** Statistics of curvature of τ1 of the batch, in the tasks of the gradient. */
  STATISTICS,
  /** Forward-mode products of τ2 of the batch. */
  PRODUCTS,
  /** The loss of the batch at the next weights, for λ. */
  LOSS,
  /** Squared projections in new eigenvectors, of τ1 of the batch. */
  CURVATURE;

  private static final String REST = " rest";

  /** The name of the slowest task's seconds in {@code passSeconds} of {@code metrics.jsonl}. */
  public String key() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The name of what else the job took. */
  String restKey() {
    return key() + REST;
  }
}
