package org.kfac4j.optimizer;

import org.jspecify.annotations.Nullable;
import org.kfac4j.Snapshot;
import org.kfac4j.curvature.BlockForm;
import org.kfac4j.curvature.BlockForms;
import org.kfac4j.curvature.BlockStatistics;
import org.kfac4j.curvature.DiagonalStatistics;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;

/** Division by the diagonal of the Fisher matrix: V ↦ V ⊘ (E[Y∘²] + λ + η). */
public record DiagonalPreconditioner() implements Preconditioner {
  @Override
  public BlockForm form() {
    return BlockForm.DIAGONAL;
  }

  @Override
  public LinearMap factor(
      BlockStatistics statistics,
      double strength,
      String layer,
      DenseMachine machine,
      @Nullable LinearMap before) {
    return DiagonalInverse.of((DiagonalStatistics) statistics, strength);
  }

  @Override
  public LinearMap restore(
      Snapshot snapshot, String prefix, int rows, int columns, DenseMachine machine) {
    return DiagonalInverse.restore(snapshot, prefix);
  }

  @Override
  public boolean isAlwaysFresh() {
    return true;
  }

  @Override
  public Footprint footprint(Network network, ParameterBlock block, Kfac.Statistics asked) {
    long n = block.shape().size();
    return Footprint.ofNumbers(2 * n, 0, n);
  }

  @Override
  public boolean hasGamma() {
    return false;
  }

  @Override
  public String describe() {
    return "diagonal";
  }

  @Override
  public String size(ParameterBlock block, BlockForms forms) {
    return String.valueOf(block.shape().size());
  }
}
