package org.kfac4j.verify;

import org.kfac4j.network.Network.ParameterBlock;

/**
 * A layer's Fisher block by definition, of its rows.
 *
 * @param restricted to the subspace, row by row
 * @param trace of the whole block
 */
record LayerFisher(
    ParameterBlock block, LayerRows rows, Subspace subspace, double[] restricted, double trace) {
  static LayerFisher of(FisherSample sample, ParameterBlock block, long key) {
    LayerRows rows = sample.rows(block);
    Subspace subspace = Subspace.of(block.rows(), block.columns(), key + block.index());
    double[] restricted = rows.projected(subspace.inputs(), subspace.gradients()).fisher();
    return new LayerFisher(block, rows, subspace, restricted, rows.trace());
  }

  BlockQuality quality(String entry, ApproximateBlock approximate, double[] itsRestricted) {
    return new BlockQuality(
        entry,
        block.name(),
        "%d × %d, %s".formatted(block.rows(), block.columns(), subspace.describe()),
        Vec.relative(itsRestricted, restricted),
        Vec.ratio(approximate.trace(), trace));
  }
}
