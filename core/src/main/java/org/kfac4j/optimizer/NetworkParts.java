package org.kfac4j.optimizer;

import java.util.List;
import org.kfac4j.curvature.BlockStatistics;
import org.kfac4j.curvature.CouplingMoments;
import org.kfac4j.network.Network;

/**
 * What an inverse of the whole network's curvature is put together from.
 *
 * @param statistics one for each block
 * @param coupling between blocks of weights
 * @param strengths what is added to each block's curvature
 * @param maps one for each block
 */
public record NetworkParts(
    Network network,
    List<BlockStatistics> statistics,
    CouplingMoments coupling,
    double[] strengths,
    List<LinearMap> maps,
    DenseMachine machine,
    LayerPool pool) {}
