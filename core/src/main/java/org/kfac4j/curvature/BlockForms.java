package org.kfac4j.curvature;

import java.io.Serializable;
import org.kfac4j.Check;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.WeightSharing;

/**
 * Which approximation of the Fisher matrix each kind of parameters gets.
 *
 * @param weights what layers of weights make of an example's many positions
 * @param scales of scales and shifts: {@link BlockForm#EXACT} or {@link BlockForm#DIAGONAL}
 * @param strict whether a diagonal is refused
 */
public record BlockForms(WeightSharing weights, BlockForm scales, boolean strict)
    implements Serializable {
  /** KFC, and exact blocks of what is small. */
  public static final BlockForms DEFAULT =
      new BlockForms(WeightSharing.KFC, BlockForm.EXACT, false);

  public BlockForms {
    Check.that(scales != BlockForm.KRONECKER, "scales have no Kronecker factors");
  }

  /** The default with another kind of weight sharing. */
  public static BlockForms sharing(WeightSharing weights) {
    return new BlockForms(weights, BlockForm.EXACT, false);
  }

  public BlockForm of(ParameterBlock block) {
    return switch (block.shape().role()) {
      case WEIGHTS -> BlockForm.KRONECKER;
      case SCALES -> scales;
      case OTHER -> BlockForm.DIAGONAL;
      case STATISTICS -> throw new IllegalArgumentException(block.name() + " has no curvature");
    };
  }
}
