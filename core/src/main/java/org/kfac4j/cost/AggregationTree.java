package org.kfac4j.cost;

import java.util.ArrayList;
import java.util.List;
import org.kfac4j.Check;

/**
 * The levels of Spark 3.5's {@code treeAggregate} of P results with a depth d: as long as P &gt; s
 * + ⌈P / s⌉ with s = max(⌈P₀^(1/d)⌉, 2) of the first P₀, a level of ⌊P / s⌋ reducers merges P
 * results into as many; the driver merges the rest.
 *
 * @param levels of reducers, the first one first; none for few results
 * @param driverFanIn results that the driver merges
 */
public record AggregationTree(List<Level> levels, int driverFanIn) {
  /**
   * @param reducers tasks that merge
   * @param fanIn results that the busiest of them merges
   */
  public record Level(int reducers, int fanIn) {}

  public AggregationTree {
    levels = List.copyOf(levels);
  }

  /**
   * @param results P ≥ 1
   * @param depth d ≥ 1
   */
  public static AggregationTree of(int results, int depth) {
    Check.that(results >= 1, "a tree needs at least one result, got %d", results);
    Check.that(depth >= 1, "a tree needs a depth of at least 1, got %d", depth);
    // As Spark computes it, with the rounding of its power.
    int scale = Math.max((int) Math.ceil(Math.pow(results, 1.0 / depth)), 2);
    List<Level> levels = new ArrayList<>();
    int left = results;
    while (left > scale + Math.ceil((double) left / scale)) {
      int reducers = left / scale;
      levels.add(new Level(reducers, (left + reducers - 1) / reducers));
      left = reducers;
    }
    return new AggregationTree(levels, left);
  }
}
