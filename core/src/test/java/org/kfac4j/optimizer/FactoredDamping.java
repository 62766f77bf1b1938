package org.kfac4j.optimizer;

import org.kfac4j.Dense;

/** (A + πγ I) ⊗ (G + γ/π I) in full, arXiv:1503.05671 §6.3. */
final class FactoredDamping {
  private FactoredDamping() {}

  /**
   * @param strength γ²
   */
  static double[][] of(double[][] a, double[][] g, double strength) {
    double pi = Math.sqrt((Dense.trace(a) / a.length) / (Dense.trace(g) / g.length));
    double gamma = Math.sqrt(strength);
    return Dense.kronecker(Dense.shifted(a, pi * gamma), Dense.shifted(g, gamma / pi));
  }
}
