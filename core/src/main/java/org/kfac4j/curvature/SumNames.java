package org.kfac4j.curvature;

import org.kfac4j.network.Network.ParameterBlock;

/** What the sums are called. */
public final class SumNames {
  /** Examples visited. */
  public static final String COUNT = "count";

  /** Σ L. */
  public static final String LOSS = "loss";

  /** Σ ∂L/∂θ, laid out as θ. */
  public static final String GRADIENT = "gradient";

  /** Examples in the statistics. */
  public static final String STATISTICS_COUNT = "statistics count";

  /** Σ ‖prediction − target‖². */
  public static final String SQUARED_ERROR = "squared error";

  /** Examples classified correctly. */
  public static final String CORRECT = "correct";

  /** Seconds that the slowest task computed. */
  public static final String TASK_SECONDS = Sums.MAXIMUM + "task seconds";

  private static final String NOT_FINITE = "not finite ";

  private SumNames() {}

  /** Σ ā āᵀ of a block, a packed triangle. */
  public static String inputs(ParameterBlock block) {
    return "A " + block.index();
  }

  /** Σ g gᵀ of a block, a packed triangle. */
  public static String gradients(ParameterBlock block) {
    return "G " + block.index();
  }

  /** Σ u uᵀ of a block, a packed triangle. */
  public static String exact(ParameterBlock block) {
    return "F " + block.index();
  }

  /** Σ u² of a block. */
  public static String diagonal(ParameterBlock block) {
    return "D " + block.index();
  }

  /** Σ ‖ā‖²‖g‖² of a block's rows. */
  public static String trace(ParameterBlock block) {
    return "trace " + block.index();
  }

  /** Σ ‖g‖² ā āᵀ of a block's rows, a packed triangle. */
  public static String weightedInputs(ParameterBlock block) {
    return "Φ " + block.index();
  }

  /** Σ ‖ā‖² g gᵀ of a block's rows, a packed triangle. */
  public static String weightedGradients(ParameterBlock block) {
    return "Ψ " + block.index();
  }

  /** Σ (U_Aᵀ Y U_G)∘² of a block, Y the gradient of one example; laid out as X. */
  public static String scalings(ParameterBlock block) {
    return "S " + block.index();
  }

  /** The rows ā, then the rows g, of some examples. */
  public static String rows(ParameterBlock block) {
    return "rows " + block.index();
  }

  /** Σ ā_i ā_jᵀ of two blocks i and j, row by row. */
  public static String crossInputs(ParameterBlock i, ParameterBlock j) {
    return "A " + i.index() + " " + j.index();
  }

  /** Σ g_i g_jᵀ of two blocks i and j, row by row. */
  public static String crossGradients(ParameterBlock i, ParameterBlock j) {
    return "G " + i.index() + " " + j.index();
  }

  /** Σ (1ᵀā_i) ā_j for all blocks i of weights, [blocks, rows of j]. */
  public static String coarseInputs(ParameterBlock j) {
    return "coarse A " + j.index();
  }

  /** Σ (1ᵀg_i) g_j for all blocks i of weights, [blocks, columns of j]. */
  public static String coarseGradients(ParameterBlock j) {
    return "coarse G " + j.index();
  }

  /** Σ (J v_i)ᵀ F_R (J v_j), i ≤ j. */
  public static String product(int i, int j) {
    return "product " + Math.min(i, j) + " " + Math.max(i, j);
  }

  /** Blocks in which the layer with that index was the first with an output that is not finite. */
  public static String notFinite(int layer) {
    return NOT_FINITE + layer;
  }

  /** Seconds that tasks spent in a phase, the slowest task's. */
  public static String seconds(String phase) {
    return Sums.MAXIMUM + "seconds " + phase;
  }
}
