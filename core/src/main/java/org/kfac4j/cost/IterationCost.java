package org.kfac4j.cost;

import java.util.List;
import org.kfac4j.InvalidInputException;

/**
 * Predicted seconds of one iteration, part by part.
 *
 * @param parts in the order in which they happen
 */
public record IterationCost(List<Part> parts) {
  /**
   * One part.
   *
   * @param name for tables
   * @param seconds where it happens
   * @param share of the iterations in which it does: 1 / its period
   * @param more how often it happens at the start of a run beside that
   */
  public record Part(String name, double seconds, double share, double more) {
    /** With nothing special at the start of a run. */
    public Part(String name, double seconds, double share) {
      this(name, seconds, share, 0);
    }

    /** Spread over all iterations. */
    public double mean() {
      return seconds * share;
    }

    /** In the first so many iterations. */
    double times(double iterations) {
      return Math.min(iterations, share * iterations + more);
    }
  }

  public IterationCost {
    parts = List.copyOf(parts);
  }

  /** Seconds per iteration over a long run: Σ seconds × share. */
  public double mean() {
    return parts.stream().mapToDouble(Part::mean).sum();
  }

  /** The median iteration: the parts that more than half of the iterations have. */
  public double usual() {
    return parts.stream().filter(part -> part.share > 0.5).mapToDouble(Part::seconds).sum();
  }

  /**
   * Seconds of a run's first {@code iterations} iterations, evaluation excluded: to a target that
   * takes them. A short run makes more inverses than a long one for each iteration.
   */
  public double secondsTo(double iterations) {
    InvalidInputException.require(
        iterations >= 0 && Double.isFinite(iterations),
        "iterations to a target must be finite and not negative, got %s",
        iterations);
    return parts.stream().mapToDouble(part -> part.times(iterations) * part.seconds).sum();
  }
}
