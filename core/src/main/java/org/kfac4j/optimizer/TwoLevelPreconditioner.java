package org.kfac4j.optimizer;

import org.jspecify.annotations.Nullable;
import org.kfac4j.Check;
import org.kfac4j.Snapshot;
import org.kfac4j.curvature.BlockForm;
import org.kfac4j.curvature.BlockForms;
import org.kfac4j.curvature.BlockStatistics;
import org.kfac4j.curvature.Coupling;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;

/**
 * Two-level K-FAC: K-FAC's layers one by one, corrected by a coarse problem with one unknown per
 * block of weights: {@link TwoLevelMap}. Tselepidis, Kohler and Orvieto 2020, arXiv:2011.00573; the
 * residual-corrected form after Koroko et al. 2023, arXiv:2303.18083.
 *
 * @param fine K-FAC, in either form of damping
 * @param weight ω₂ of the additive correction
 */
public record TwoLevelPreconditioner(Preconditioner fine, Correction correction, double weight)
    implements Preconditioner {
  /** How the coarse solution is added. */
  public enum Correction {
    /** u = F̆⁻¹ ∇h + ω₂ R₀ᵀ F_c⁻¹ R₀ ∇h. */
    ADDITIVE,
    /** u = u₁ + R₀ᵀ F_c⁻¹ R₀ (∇h − F̃ u₁), u₁ = F̆⁻¹ ∇h: the best over the coarse space. */
    RESIDUAL
  }

  public TwoLevelPreconditioner {
    Check.that(
        weight >= 0 && Double.isFinite(weight),
        "curvature.two-level.weight must be finite and not negative, got %s",
        weight);
    Check.that(
        correction == Correction.ADDITIVE || weight == 1,
        "curvature.two-level.weight is of additive corrections: with correction = residual it must be 1, got %s",
        weight);
  }

  @Override
  public BlockForm form() {
    return fine.form();
  }

  @Override
  public Coupling coupling() {
    return Coupling.COARSE;
  }

  @Override
  public LinearMap factor(
      BlockStatistics statistics,
      double strength,
      String layer,
      DenseMachine machine,
      @Nullable LinearMap before) {
    return fine.factor(statistics, strength, layer, machine, before);
  }

  @Override
  public LinearMap restore(
      Snapshot snapshot, String prefix, int rows, int columns, DenseMachine machine) {
    return fine.restore(snapshot, prefix, rows, columns, machine);
  }

  @Override
  public NetworkMap assemble(NetworkParts parts) {
    return TwoLevelMap.of(this, parts);
  }

  @Override
  public NetworkMap reassemble(NetworkParts parts, Snapshot snapshot) {
    return TwoLevelMap.restore(this, parts, snapshot);
  }

  @Override
  public Footprint footprint(Network network, ParameterBlock block, Kfac.Statistics asked) {
    long coarse = (long) network.weightBlocks().size() * (block.rows() + block.columns());
    return fine.footprint(network, block, asked).plus(Footprint.ofNumbers(2 * coarse, 0, coarse));
  }

  @Override
  public boolean hasGamma() {
    return fine.hasGamma();
  }

  @Override
  public String describe() {
    return fine.describe() + " + coarse";
  }

  @Override
  public String size(ParameterBlock block, BlockForms forms) {
    return fine.size(block, forms);
  }
}
