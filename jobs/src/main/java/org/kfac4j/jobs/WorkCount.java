package org.kfac4j.jobs;

import java.util.LinkedHashMap;
import java.util.Map;
import org.kfac4j.network.Layer;
import org.kfac4j.network.LayerPart;
import org.kfac4j.network.Network;
import org.kfac4j.network.WeightLayer;

/**
 * Floating-point operations of one K-FAC iteration in matrix products and factorisations, by phase;
 * a multiplication and an addition are two. A layer with X = [r, c] on n examples: forward and
 * gradient 2nrc each, propagation 2n(inputs)c except for the first layer, a forward-mode product as
 * much as forward and propagation, a symmetric second moment nr² and nc² (one triangle),
 * preconditioning 2r²c + 2rc², inversion r³ + c³; all but the last two times T for a convolution at
 * T positions. arXiv:1503.05671 §8.
 */
record WorkCount(Map<String, Double> byPhase) {
  /**
   * @param batch m
   * @param statistics examples in the statistics, τ1 m
   * @param products examples in the exact Fisher products, τ2 m
   * @param directions of the products: 2 with momentum
   */
  static WorkCount of(Network network, long batch, long statistics, long products, int directions) {
    double through = 0;
    double back = 0;
    double moments = 0;
    double precondition = 0;
    boolean first = true;
    for (Layer layer : network.layers()) {
      if (!(layer instanceof WeightLayer)) {
        continue;
      }
      double t = layer.outputShape().positions();
      for (LayerPart part : layer.parts()) {
        double r = part.rows();
        double c = part.columns();
        double weights = part.hasBias() ? r - 1 : r;
        through += 2 * t * r * c;
        back += first ? 0 : 2 * t * weights * c;
        moments += t * (r * r + c * c);
        precondition += 2 * r * c * (r + c);
      }
      first = false;
    }
    Map<String, Double> work = new LinkedHashMap<>();
    work.put("forward", batch * through + products * through);
    work.put("backward", batch * (through + back));
    work.put("statistics", statistics * (back + moments));
    work.put("products", products * directions * (through + back));
    work.put("precondition", precondition);
    return new WorkCount(work);
  }

  /** Of inverting all factors once: Σ r³ + c³. */
  static double inversion(Network network) {
    double work = 0;
    for (Layer layer : network.layers()) {
      if (layer instanceof WeightLayer) {
        for (LayerPart part : layer.parts()) {
          work += Math.pow(part.rows(), 3) + Math.pow(part.columns(), 3);
        }
      }
    }
    return work;
  }

  double total() {
    return byPhase.values().stream().mapToDouble(each -> each).sum();
  }
}
