package org.kfac4j.curvature;

import java.io.Serializable;
import org.kfac4j.Check;
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
 */
public record BlockForms(
    BlockForm weights,
    Coupling coupling,
    WeightSharing sharing,
    BlockForm scales,
    boolean strict,
    int rows)
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
    return new BlockForms(form, between, sharing, scales, strict, rows);
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

  /** How many examples of a batch rows are kept of, for a layer applied to so many positions. */
  public int sampledExamples(int positions) {
    return Math.max(1, rows / positions);
  }
}
