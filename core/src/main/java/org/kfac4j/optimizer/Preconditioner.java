package org.kfac4j.optimizer;

import java.io.Serializable;
import org.jspecify.annotations.Nullable;
import org.kfac4j.Snapshot;
import org.kfac4j.curvature.BlockForm;
import org.kfac4j.curvature.BlockForms;
import org.kfac4j.curvature.BlockStatistics;
import org.kfac4j.curvature.Coupling;
import org.kfac4j.curvature.DiagonalStatistics;
import org.kfac4j.curvature.ExactStatistics;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.ParameterRole;

/**
 * How to divide the gradient of layers of weights by their curvature. Implementations are immutable
 * settings: a file each, and a line in {@link Preconditioners}.
 */
public interface Preconditioner extends Serializable {
  /** The statistics of a block of weights that it is made of. */
  BlockForm form();

  /** The statistics between blocks of weights that it is made of. */
  default Coupling coupling() {
    return Coupling.NONE;
  }

  /** The trace of what it takes for a block's Fisher matrix, of statistics of {@link #form}. */
  default double trace(BlockStatistics statistics) {
    return statistics.fisherTrace();
  }

  /**
   * Looks whether it can serve a network, before anything is computed.
   *
   * @throws IllegalArgumentException naming the layer and the rule if not
   */
  default void check(Network network) {}

  /**
   * Does the costly work on one block that does not depend on the gradient.
   *
   * @param statistics of {@link #form}; left alone
   * @param strength λ + η of the layer, or the square of γ: what is added to the curvature, not
   *     negative
   * @param before what this was at the last refresh, or null: a start for iterations
   * @throws DivergedException if the statistics are not finite
   */
  LinearMap factor(
      BlockStatistics statistics,
      double strength,
      String layer,
      DenseMachine machine,
      @Nullable LinearMap before);

  /** As {@link #factor(BlockStatistics, double, String, DenseMachine, LinearMap)}, from nothing. */
  default LinearMap factor(
      BlockStatistics statistics, double strength, String layer, DenseMachine machine) {
    return factor(statistics, strength, layer, machine, null);
  }

  /**
   * The map of any trained block of a network: of weights what {@link #factor} makes, of others the
   * inverse of what is kept of them, whatever the preconditioner.
   *
   * @param strength as in {@link #factor}
   */
  default LinearMap invert(
      ParameterBlock block,
      BlockStatistics statistics,
      double strength,
      DenseMachine machine,
      @Nullable LinearMap before) {
    if (block.shape().role() == ParameterRole.WEIGHTS) {
      return factor(statistics, strength, block.name(), machine, before);
    }
    if (statistics instanceof ExactStatistics exact) {
      return ExactInverse.of(exact, strength, machine);
    }
    if (statistics instanceof DiagonalStatistics diagonal) {
      return DiagonalInverse.of(diagonal, strength);
    }
    return new Identity(block.shape().size());
  }

  /** What {@link LinearMap#save} saved. */
  LinearMap restore(Snapshot snapshot, String prefix, int rows, int columns, DenseMachine machine);

  /** Makes one map of the blocks' maps, which stay their owner's: each on its own part. */
  default NetworkMap assemble(NetworkParts parts) {
    return new BlockDiagonalMap(parts);
  }

  /** What {@link NetworkMap#save} saved. */
  default NetworkMap reassemble(NetworkParts parts, Snapshot snapshot) {
    return new BlockDiagonalMap(parts);
  }

  /** How the maps' eigenvalues are estimated anew between refreshes, or null if they are not. */
  default @Nullable Scalings scalings() {
    return null;
  }

  /**
   * Whether nothing but {@link LinearMap#apply} is asked of the maps, so that they may stay where
   * they were made; else their numbers come back.
   */
  default boolean mapsMayStayAway() {
    return false;
  }

  /** Whether {@link #factor} does so little that it is called in every iteration. */
  default boolean isAlwaysFresh() {
    return false;
  }

  /** Whether γ may differ from sqrt(λ + η), so that searching for it makes sense. */
  boolean hasGamma();

  /** For tables, for example "Kronecker, factored". */
  String describe();

  /** What a block of weights takes. */
  Footprint footprint(Network network, ParameterBlock block, Kfac.Statistics asked);

  /** The size of what is kept of a block of weights, for tables: "785² ⊗ 10²". */
  default String size(ParameterBlock block, BlockForms forms) {
    return forms.inputBlocks(block) + " ⊗ " + forms.gradientBlocks(block);
  }
}
