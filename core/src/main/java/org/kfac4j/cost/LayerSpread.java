package org.kfac4j.cost;

import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/** Layers on workers, the costliest first, each to whoever is free first. */
final class LayerSpread {
  private LayerSpread() {}

  /** The busiest worker's share of the cost of all layers; 1 without layers. */
  static double share(List<Double> costs, int workers) {
    double all = costs.stream().mapToDouble(cost -> cost).sum();
    if (!(all > 0)) {
      return 1;
    }
    PriorityQueue<Double> busy = new PriorityQueue<>();
    // More workers than layers have nothing to do.
    for (int i = 0; i < Math.min(workers, costs.size()); i++) {
      busy.add(0.0);
    }
    double end = 0;
    for (double cost : costs.stream().sorted(Comparator.reverseOrder()).toList()) {
      double done = busy.remove() + cost;
      busy.add(done);
      end = Math.max(end, done);
    }
    return end / all;
  }
}
