package org.kfac4j.optimizer;

import org.kfac4j.Check;

/**
 * M(δ) − M(0) = ½ δᵀ C δ + ∇hᵀ δ on the span of an update Δ and the previous one δ₀, with C = F +
 * (λ + η) I and F the exact Fisher matrix. arXiv:1503.05671 §6.4 and §7.
 *
 * @param alpha coefficient of Δ
 * @param mu coefficient of δ₀
 * @param change M(δ) − M(0) at δ = αΔ + μδ₀, ½ ∇hᵀδ; negative
 */
public record QuadraticModel(double alpha, double mu, double change) {
  /**
   * The 2×2 system counts as singular if its determinant is below this fraction of the product of
   * its diagonal.
   */
  private static final double SINGULAR = 1e-10;

  /**
   * The minimum along Δ alone: α = −∇hᵀΔ / ΔᵀCΔ; 0 where there is neither curvature nor slope, as
   * at a gradient of zero.
   *
   * @param curvature ΔᵀCΔ, positive, or 0 with a slope of 0
   * @param slope ∇hᵀΔ
   */
  public static QuadraticModel along(double curvature, double slope) {
    if (curvature == 0 && slope == 0) {
      return new QuadraticModel(0, 0, 0);
    }
    Check.that(
        curvature > 0 && Double.isFinite(curvature),
        "the curvature along an update must be positive and finite, got %s",
        curvature);
    double alpha = -slope / curvature;
    return new QuadraticModel(alpha, 0, 0.5 * alpha * slope);
  }

  /**
   * The minimum over the plane of Δ and δ₀; along Δ alone if the two are numerically parallel or δ₀
   * is zero.
   *
   * @param aa ΔᵀCΔ
   * @param ab ΔᵀCδ₀
   * @param bb δ₀ᵀCδ₀
   * @param slopeA ∇hᵀΔ
   * @param slopeB ∇hᵀδ₀
   */
  public static QuadraticModel onPlane(
      double aa, double ab, double bb, double slopeA, double slopeB) {
    double determinant = aa * bb - ab * ab;
    if (!(determinant > SINGULAR * aa * bb)) {
      return along(aa, slopeA);
    }
    double alpha = -(bb * slopeA - ab * slopeB) / determinant;
    double mu = -(aa * slopeB - ab * slopeA) / determinant;
    return new QuadraticModel(alpha, mu, 0.5 * (alpha * slopeA + mu * slopeB));
  }
}
