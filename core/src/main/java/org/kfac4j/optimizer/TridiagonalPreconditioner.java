package org.kfac4j.optimizer;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.kfac4j.Check;
import org.kfac4j.Snapshot;
import org.kfac4j.curvature.BlockForm;
import org.kfac4j.curvature.BlockForms;
import org.kfac4j.curvature.BlockStatistics;
import org.kfac4j.curvature.Coupling;
import org.kfac4j.network.DenseLayer;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.ParameterLayer;

/**
 * K-FAC with a block-tridiagonal inverse, for chains of dense layers: {@link TridiagonalMap}.
 * Martens and Grosse 2015, arXiv:1503.05671, §4.3, with factored damping of every diagonal factor.
 */
public record TridiagonalPreconditioner() implements Preconditioner {
  private static final KfacPreconditioner DIAGONAL = new KfacPreconditioner();

  @Override
  public BlockForm form() {
    return BlockForm.KRONECKER;
  }

  @Override
  public Coupling coupling() {
    return Coupling.NEIGHBOURS;
  }

  @Override
  public void check(Network network) {
    for (int i = 0; i < network.layers().size(); i++) {
      String name = network.layers().get(i).name();
      Check.that(
          network.sources().get(i).equals(List.of(i)),
          "optimizer.preconditioner = kfac-tridiagonal needs a chain of layers, but %s takes something else than the layer before it",
          name);
      Check.that(
          !(network.layers().get(i) instanceof ParameterLayer)
              || network.layers().get(i) instanceof DenseLayer,
          "optimizer.preconditioner = kfac-tridiagonal needs dense layers, but %s is a %s",
          name,
          network.layers().get(i).getClass().getSimpleName());
    }
  }

  @Override
  public LinearMap factor(
      BlockStatistics statistics,
      double strength,
      String layer,
      DenseMachine machine,
      @Nullable LinearMap before) {
    return DIAGONAL.factor(statistics, strength, layer, machine, before);
  }

  @Override
  public LinearMap restore(
      Snapshot snapshot, String prefix, int rows, int columns, DenseMachine machine) {
    return DIAGONAL.restore(snapshot, prefix, rows, columns, machine);
  }

  @Override
  public NetworkMap assemble(NetworkParts parts) {
    return TridiagonalMap.of(parts);
  }

  @Override
  public NetworkMap reassemble(NetworkParts parts, Snapshot snapshot) {
    return TridiagonalMap.restore(parts, snapshot);
  }

  @Override
  public Footprint footprint(Network network, ParameterBlock block, Kfac.Statistics asked) {
    List<ParameterBlock> chain = network.weightBlocks();
    int next = chain.indexOf(block) + 1;
    Footprint own = DIAGONAL.footprint(network, block, asked);
    if (next == chain.size()) {
      return own;
    }
    long r = block.rows();
    long c = block.columns();
    long cross = r * chain.get(next).rows() + c * chain.get(next).columns();
    Footprint link =
        new Footprint(
            cross + r * c, cross + r * r + c * c, cross, 0, own.inverted(), own.inverted());
    return own.plus(link);
  }

  @Override
  public boolean hasGamma() {
    return true;
  }

  @Override
  public String describe() {
    return "Kronecker, tridiagonal";
  }

  @Override
  public String size(ParameterBlock block, BlockForms forms) {
    return Preconditioner.super.size(block, forms) + " + neighbours";
  }
}
