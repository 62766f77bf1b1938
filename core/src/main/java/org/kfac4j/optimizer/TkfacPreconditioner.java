package org.kfac4j.optimizer;

import org.jspecify.annotations.Nullable;
import org.kfac4j.Snapshot;
import org.kfac4j.curvature.BlockForm;
import org.kfac4j.curvature.BlockStatistics;
import org.kfac4j.curvature.TraceFactors;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;

/**
 * TKFAC: F ≈ δ Φ ⊗ Ψ, which has the Fisher matrix's trace, inverted with δ split evenly, V ↦ (√δ Φ
 * + √λ I)⁻¹ V (√δ Ψ + √λ I)⁻¹. Gao et al. 2020, arXiv:2011.10741, eq. 4.9, 5.14 and 5.15. Their
 * other damping (eq. 5.16) is this one with {@link RelativeDamping}.
 */
public record TkfacPreconditioner() implements Preconditioner {
  @Override
  public BlockForm form() {
    return BlockForm.TRACES;
  }

  @Override
  public LinearMap factor(
      BlockStatistics statistics,
      double strength,
      String layer,
      DenseMachine machine,
      @Nullable LinearMap before) {
    double gamma = Math.sqrt(strength);
    return KroneckerInverse.of(((TraceFactors) statistics).factors(), gamma, gamma, machine);
  }

  @Override
  public LinearMap restore(
      Snapshot snapshot, String prefix, int rows, int columns, DenseMachine machine) {
    return KroneckerInverse.restore(snapshot, prefix, rows, columns, machine);
  }

  @Override
  public Footprint footprint(Network network, ParameterBlock block, Kfac.Statistics asked) {
    return Footprint.factored(block.rows(), block.columns());
  }

  @Override
  public boolean mapsMayStayAway() {
    return true;
  }

  @Override
  public boolean hasGamma() {
    return true;
  }

  @Override
  public String describe() {
    return "trace-restricted, factored";
  }
}
