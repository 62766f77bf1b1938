package org.kfac4j.optimizer;

import java.io.Serializable;
import org.kfac4j.Snapshot;
import org.kfac4j.curvature.KroneckerFactors;

/** How to divide a layer's gradient by its curvature. Implementations are immutable settings. */
public interface Preconditioner extends Serializable {
  /**
   * Does the costly work that does not depend on the gradient.
   *
   * @param factors A and G; left alone
   * @param strength λ + η of the layer, or the square of γ: what is added to the curvature, not
   *     negative
   * @throws DivergedException if the factors are not finite
   */
  LinearMap factor(KroneckerFactors factors, double strength, String layer, DenseMachine machine);

  /** What {@link LinearMap#save} saved. */
  LinearMap restore(Snapshot snapshot, String prefix, int rows, int columns, DenseMachine machine);

  /** Whether γ may differ from sqrt(λ + η), so that searching for it makes sense. */
  boolean hasGamma();

  /** For tables, for example "Kronecker, factored". */
  String describe();
}
