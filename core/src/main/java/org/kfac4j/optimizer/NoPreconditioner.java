package org.kfac4j.optimizer;

import org.jspecify.annotations.Nullable;
import org.kfac4j.Snapshot;
import org.kfac4j.curvature.BlockForm;
import org.kfac4j.curvature.BlockForms;
import org.kfac4j.curvature.BlockStatistics;
import org.kfac4j.curvature.NoStatistics;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;

/** The plain gradient, with K-FAC's step rules: what a preconditioner has to beat. */
public record NoPreconditioner() implements Preconditioner {
  @Override
  public BlockForm form() {
    return BlockForm.NONE;
  }

  @Override
  public LinearMap factor(
      BlockStatistics statistics,
      double strength,
      String layer,
      DenseMachine machine,
      @Nullable LinearMap before) {
    return new Identity(((NoStatistics) statistics).length());
  }

  @Override
  public LinearMap restore(
      Snapshot snapshot, String prefix, int rows, int columns, DenseMachine machine) {
    return new Identity(rows * columns);
  }

  @Override
  public Footprint footprint(Network network, ParameterBlock block, Kfac.Statistics asked) {
    return Footprint.NONE;
  }

  @Override
  public boolean hasGamma() {
    return false;
  }

  @Override
  public String describe() {
    return "plain gradient";
  }

  @Override
  public String size(ParameterBlock block, BlockForms forms) {
    return "–";
  }
}
