package org.kfac4j.curvature;

import java.io.Serializable;
import org.kfac4j.Check;
import org.kfac4j.linalg.DiagonalBlocks;

/**
 * What becomes of Kronecker factors that are too wide to be inverted whole. Splitting large factors
 * into diagonal blocks is THOR's (Chen et al. 2021).
 *
 * @param widest rows of the widest factor that is kept whole
 * @param rule what becomes of wider ones
 */
public record WideFactors(int widest, Rule rule) implements Serializable {
  /** Wider ones, squared, are more than a Java array can hold. */
  public static final int LIMIT = 46_340;

  /** Everything whole that can be. */
  public static final WideFactors REFUSED = new WideFactors(LIMIT, Rule.REFUSE);

  /** What becomes of a factor that is too wide. */
  public enum Rule {
    /** The run is refused. */
    REFUSE,
    /** As few blocks along the diagonal as can be, none wider than the limit. */
    BLOCKS,
    /** The diagonal alone. */
    DIAGONAL
  }

  public WideFactors {
    Check.that(
        1 <= widest && widest <= LIMIT,
        "curvature.widest-factor must be in [1, %d], got %d",
        LIMIT,
        widest);
  }

  boolean isWide(int size) {
    return size > widest;
  }

  /** The blocks of a factor of so many rows. */
  DiagonalBlocks of(int size) {
    if (!isWide(size)) {
      return DiagonalBlocks.whole(size);
    }
    return switch (rule) {
      case REFUSE ->
          throw new IllegalArgumentException(
              "a factor of %d × %d is wider than %d".formatted(size, size, widest));
      case BLOCKS -> DiagonalBlocks.atMost(size, widest);
      case DIAGONAL -> DiagonalBlocks.diagonal(size);
    };
  }
}
