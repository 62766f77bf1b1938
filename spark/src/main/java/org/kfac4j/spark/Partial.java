package org.kfac4j.spark;

import java.io.Serializable;
import org.kfac4j.curvature.Sums;

/**
 * Sums on their way through the aggregation tree: serialized to another process, by reference
 * within one.
 */
final class Partial implements Serializable {
  private static final long serialVersionUID = 1L;

  /** In place of a round: tasks do not share a process with the driver. */
  static final long SERIALIZED = 0;

  /** Round of {@link Handover}, or {@link #SERIALIZED}. */
  private final long round;

  private final Sums sums;

  private Partial(long round, Sums sums) {
    this.round = round;
    this.sums = sums;
  }

  /** No sums yet. */
  static Partial empty(long round) {
    return new Partial(round, new Sums());
  }

  Sums sums() {
    return sums;
  }

  Partial merge(Sums other) {
    sums.merge(other);
    return this;
  }

  Partial merge(Partial other) {
    return merge(other.sums);
  }

  private Object writeReplace() {
    // A task of a job that was given up may end after the round; nobody reads what it sends.
    return Handover.isOpen(round) ? new Ticket(round, Handover.leave(round, sums)) : this;
  }

  private record Ticket(long round, long ticket) implements Serializable {
    private Object readResolve() {
      // Into an object of its own, because whoever merges changes what it merges into.
      return empty(round).merge((Sums) Handover.fetch(round, ticket));
    }
  }
}
