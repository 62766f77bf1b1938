package org.kfac4j.curvature;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.kfac4j.Snapshot;
import org.kfac4j.linalg.Vectors;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;

/**
 * What is kept of the Fisher matrix between blocks of weights: running averages of moments, as
 * means over examples. F_ij ≈ E[ā_i ā_jᵀ] ⊗ E[g_i g_jᵀ] for blocks i and j, arXiv:1503.05671 eq. 1.
 *
 * <p>With {@link Coupling#NEIGHBOURS}, both moments of each block and the next, [numbers of i,
 * numbers of i + 1]. With {@link Coupling#COARSE}, what is left of all pairs when i is summed up:
 * E[(1ᵀā_i) ā_j] and E[(1ᵀg_i) g_j], row i of [blocks, numbers of j].
 */
public final class CouplingMoments {
  private final Map<String, double[]> means = new LinkedHashMap<>();

  /** Zeros. */
  public CouplingMoments(Coupling coupling, Network network) {
    List<ParameterBlock> blocks = network.weightBlocks();
    switch (coupling) {
      case NONE -> {}
      case NEIGHBOURS -> {
        for (int i = 0; i + 1 < blocks.size(); i++) {
          ParameterBlock here = blocks.get(i);
          ParameterBlock next = blocks.get(i + 1);
          means.put(SumNames.crossInputs(here, next), new double[here.rows() * next.rows()]);
          means.put(
              SumNames.crossGradients(here, next), new double[here.columns() * next.columns()]);
        }
      }
      case COARSE -> {
        for (ParameterBlock j : blocks) {
          means.put(SumNames.coarseInputs(j), new double[blocks.size() * j.rows()]);
          means.put(SumNames.coarseGradients(j), new double[blocks.size() * j.columns()]);
        }
      }
    }
  }

  /** Moves these running averages towards a batch's moments. */
  public void update(Sums sums, double epsilon) {
    double count = sums.scalar(SumNames.STATISTICS_COUNT);
    means.forEach((name, mean) -> sums.average(name, count, epsilon, mean));
  }

  /** One of them, by its sum's name; not a copy. */
  public double[] mean(String name) {
    double[] mean = means.get(name);
    if (mean == null) {
      throw new IllegalArgumentException("there are no moments " + name);
    }
    return mean;
  }

  /** The first one that has a number that is not finite. */
  public Optional<String> notFinite() {
    List<String> names = new ArrayList<>();
    means.forEach(
        (name, mean) -> {
          if (!Vectors.isFinite(mean, 0, mean.length)) {
            names.add(name);
          }
        });
    return names.stream().findFirst();
  }

  public void save(Snapshot snapshot) {
    means.forEach((name, mean) -> snapshot.put("coupling " + name, mean.clone()));
  }

  public void restore(Snapshot snapshot) {
    means.forEach((name, mean) -> BlockStatistics.copy(snapshot, "coupling " + name, mean));
  }
}
