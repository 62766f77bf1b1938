package org.kfac4j.curvature;

import java.io.Serializable;
import java.util.Locale;
import org.kfac4j.Check;
import org.kfac4j.linalg.DiagonalBlocks;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.WeightSharing;

/**
 * Which approximation of the Fisher matrix each kind of parameters gets.
 *
 * @param weights of layers' weights: all but {@link BlockForm#EXACT}
 * @param coupling of blocks of weights
 * @param sharing what layers of weights make of an example's many positions
 * @param scales of scales and shifts: {@link BlockForm#EXACT} or {@link BlockForm#DIAGONAL}
 * @param strict whether a diagonal is refused
 * @param rows of {@link BlockForm#ROWS}: how many are kept of a batch and layer at most, but those
 *     of one example at least
 * @param wide what becomes of Kronecker factors that are too wide
 */
public record BlockForms(
    BlockForm weights,
    Coupling coupling,
    WeightSharing sharing,
    BlockForm scales,
    boolean strict,
    int rows,
    WideFactors wide)
    implements Serializable {
  /** KFC, and exact blocks of what is small. */
  public static final BlockForms DEFAULT =
      new BlockForms(WeightSharing.KFC, BlockForm.EXACT, false);

  public BlockForms {
    Check.that(weights != BlockForm.EXACT, "the whole Fisher block of weights is too large");
    Check.that(
        scales == BlockForm.EXACT || scales == BlockForm.DIAGONAL,
        "scales have an exact block or a diagonal, got %s",
        scales);
    Check.that(
        sharing != WeightSharing.REDUCE
            || weights == BlockForm.KRONECKER
            || weights == BlockForm.NONE,
        "curvature.weight-sharing = reduce is a form of Kronecker factors: the preconditioner needs kfc or expand");
    Check.that(rows >= 1, "curvature.rows must be at least 1, got %d", rows);
  }

  /** With every factor whole. */
  public BlockForms(
      BlockForm weights,
      Coupling coupling,
      WeightSharing sharing,
      BlockForm scales,
      boolean strict,
      int rows) {
    this(weights, coupling, sharing, scales, strict, rows, WideFactors.REFUSED);
  }

  /** Kronecker factors of weights. */
  public BlockForms(WeightSharing sharing, BlockForm scales, boolean strict) {
    this(BlockForm.KRONECKER, Coupling.NONE, sharing, scales, strict, 1);
  }

  /** The default with another kind of weight sharing. */
  public static BlockForms sharing(WeightSharing sharing) {
    return new BlockForms(sharing, BlockForm.EXACT, false);
  }

  /** The same with another form of weights and what couples them. */
  public BlockForms withWeights(BlockForm form, Coupling between) {
    return new BlockForms(form, between, sharing, scales, strict, rows, wide);
  }

  public BlockForm of(ParameterBlock block) {
    if (weights == BlockForm.NONE) {
      return BlockForm.NONE;
    }
    return switch (block.shape().role()) {
      case WEIGHTS -> weights;
      case SCALES -> scales;
      case OTHER -> BlockForm.DIAGONAL;
      case STATISTICS -> throw new IllegalArgumentException(block.name() + " has no curvature");
    };
  }

  /** The blocks of A, or Φ, of a block of weights. */
  public DiagonalBlocks inputBlocks(ParameterBlock block) {
    return wide.of(block.rows());
  }

  /** The blocks of G, or Ψ, of a block of weights. */
  public DiagonalBlocks gradientBlocks(ParameterBlock block) {
    return wide.of(block.columns());
  }

  /**
   * Looks whether a block's factors may be as wide as they are.
   *
   * @throws IllegalArgumentException naming the layer and the rule if not
   */
  public void checkWidth(ParameterBlock block) {
    int widest = Math.max(block.rows(), block.columns());
    boolean factors = of(block) == BlockForm.KRONECKER || of(block) == BlockForm.TRACES;
    if (!factors || !wide.isWide(widest)) {
      return;
    }
    Check.that(
        wide.rule() != WideFactors.Rule.REFUSE,
        "layer %s has a factor of %d × %d, wider than curvature.widest-factor = %d: set curvature.wide-factors = blocks or diagonal, or optimizer.preconditioner = cgfac, which has no factors",
        block.name(),
        widest,
        widest,
        wide.widest());
    Check.that(
        coupling == Coupling.NONE,
        "layer %s has a factor of %d × %d, wider than curvature.widest-factor = %d, and this preconditioner needs whole factors: curvature.wide-factors = %s does not go with it",
        block.name(),
        widest,
        widest,
        wide.widest(),
        wide.rule().name().toLowerCase(Locale.ROOT));
  }

  /** How many examples of a batch rows are kept of, for a layer applied to so many positions. */
  public int sampledExamples(int positions) {
    return Math.max(1, rows / positions);
  }
}
