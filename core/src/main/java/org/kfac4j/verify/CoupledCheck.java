package org.kfac4j.verify;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.kfac4j.curvature.BlockStatistics;
import org.kfac4j.curvature.FactorStatistics;
import org.kfac4j.data.Hashing;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.ParameterRole;
import org.kfac4j.optimizer.DenseMachine;
import org.kfac4j.optimizer.LayerPool;
import org.kfac4j.optimizer.LinearMap;
import org.kfac4j.optimizer.NetworkMap;
import org.kfac4j.optimizer.NetworkParts;
import org.kfac4j.optimizer.Preconditioner;
import org.kfac4j.optimizer.TwoLevelPreconditioner;
import org.kfac4j.optimizer.TwoLevelPreconditioner.Correction;

/**
 * What a preconditioner that couples layers makes of the maps of all blocks, applied to one random
 * vector and compared by a product with the matrix that it is the inverse of: {@link ChainProduct},
 * {@link CoarseProblem}. These have the moments between layers of the examples' rows, the map has
 * them of sums.
 *
 * @param strengths what damps the layers' blocks
 * @param maps of the layers, which stay their owner's
 */
record CoupledCheck(
    Preconditioner preconditioner,
    FisherSample sample,
    DenseMachine machine,
    List<LayerFisher> layers,
    List<Double> strengths,
    List<LinearMap> maps) {
  /** A share of the map's result below which a correction to it is rounding. */
  private static final double NOTHING = 1e-6;

  /** Nothing if layers are not coupled. */
  List<Finding> run(String entry, long key) {
    List<LinearMap> own = new ArrayList<>();
    try (LayerPool pool = new LayerPool(machine.threads())) {
      return switch (preconditioner.coupling()) {
        case NONE -> List.of();
        case NEIGHBOURS -> List.of(chain(entry, parts(pool, own), key));
        case COARSE -> coarse(entry, parts(pool, own), key);
      };
    } finally {
      own.forEach(LinearMap::close);
    }
  }

  /**
   * All of the network's blocks.
   *
   * @param own gets the maps of those that are no weights
   */
  private NetworkParts parts(LayerPool pool, List<LinearMap> own) {
    Network network = sample.sample().network();
    List<ParameterBlock> blocks = network.blocks();
    List<BlockStatistics> statistics = new ArrayList<>();
    double[] all = new double[blocks.size()];
    List<LinearMap> each = new ArrayList<>();
    int layer = 0;
    for (int i = 0; i < all.length; i++) {
      BlockStatistics kept = sample.statistics(preconditioner.form(), blocks.get(i));
      statistics.add(kept);
      if (blocks.get(i).shape().role() == ParameterRole.WEIGHTS) {
        all[i] = strengths.get(layer);
        each.add(maps.get(layer++));
      } else {
        all[i] = PreconditionerCheck.strength(kept, blocks.get(i));
        own.add(preconditioner.invert(blocks.get(i), kept, all[i], machine, null));
        each.add(own.get(own.size() - 1));
      }
    }
    return new NetworkParts(
        network,
        statistics,
        sample.coupling(preconditioner.form(), preconditioner.coupling()),
        all,
        each,
        machine,
        pool);
  }

  private List<KroneckerBlock> fine() {
    return layers.stream()
        .map(layer -> sample.statistics(preconditioner.form(), layer.block()))
        .map(each -> KroneckerBlock.of((FactorStatistics) each))
        .toList();
  }

  /** Random about one, so that sums over a layer are not small beside its numbers. */
  private static double[] vector(NetworkParts parts, long key) {
    double[] v = new double[parts.network().parameterCount()];
    for (ParameterBlock block : parts.network().blocks()) {
      for (int i = block.offset(); i < block.end(); i++) {
        v[i] = 1 + Hashing.normal(key, i);
      }
    }
    return v;
  }

  private Finding chain(String entry, NetworkParts parts, long key) {
    double[] v = vector(parts, key);
    double[] u;
    try (NetworkMap map = preconditioner.assemble(parts)) {
      u = map.apply(v);
    }
    List<StackedRows> rows =
        layers.stream().map(layer -> StackedRows.reduced(layer.rows())).toList();
    List<double[]> product = new ChainProduct(fine(), strengths, maps, rows).times(byLayer(u));
    double[] all = new double[v.length];
    for (int i = 0; i < layers.size(); i++) {
      double[] part = product.get(i);
      System.arraycopy(part, 0, all, layers.get(i).block().offset(), part.length);
    }
    return Finding.of(
        entry + ": chain",
        "F̂ · map(v) = v, F̂ of layers' rows, its inverse block-tridiagonal",
        Vec.relative(all, v),
        Tolerances.INVERSE);
  }

  private List<double[]> byLayer(double[] v) {
    return layers.stream()
        .map(LayerFisher::block)
        .map(block -> Arrays.copyOfRange(v, block.offset(), block.end()))
        .toList();
  }

  private List<Finding> coarse(String entry, NetworkParts parts, long key) {
    TwoLevelPreconditioner two = (TwoLevelPreconditioner) preconditioner;
    CoarseProblem problem =
        CoarseProblem.of(
            layers, fine(), new CoarseProblem.Damping(strengths, preconditioner.hasGamma()));
    double[] v = vector(parts, key);
    double[] first = new double[v.length];
    for (int i = 0; i < parts.maps().size(); i++) {
      parts.maps().get(i).apply(v, parts.network().blocks().get(i).offset(), first);
    }
    double[] additive = problem.restricted(v);
    Arrays.setAll(additive, i -> two.weight() * additive[i]);
    double[] residual = Vec.plus(problem.restricted(v), -1, problem.restrictedProduct(first));
    return List.of(
        corrected(
            entry + ": additive",
            "F_c β = ω R₀v, F_c of layers' rows, β what is added to each",
            problem,
            moved(two, Correction.ADDITIVE, parts, v, first),
            additive),
        corrected(
            entry + ": residual",
            "R₀(v − F̃ map(v)) = 0, F̃ of layers' rows",
            problem,
            moved(two, Correction.RESIDUAL, parts, v, first),
            residual));
  }

  /** What the correction adds, and what it is added to. */
  private record Moved(double[] v, double[] first, double[] correction) {}

  private static Moved moved(
      TwoLevelPreconditioner two,
      Correction correction,
      NetworkParts parts,
      double[] v,
      double[] first) {
    double weight = correction == Correction.ADDITIVE ? two.weight() : 1; // The other one has none.
    Preconditioner other = new TwoLevelPreconditioner(two.fine(), correction, weight);
    try (NetworkMap map = other.assemble(parts)) {
      return new Moved(v, first, Vec.plus(map.apply(v), -1, first));
    }
  }

  /**
   * Whether a correction is R₀ᵀ β with F_c β = right. Rows of F_c have the scale of their layer,
   * and are compared with R₀ v in that.
   */
  private static Finding corrected(
      String check, String compared, CoarseProblem problem, Moved moved, double[] right) {
    double[] left = moved.correction.clone();
    double[] beta = problem.restricted(moved.correction);
    for (int i = 0; i < beta.length; i++) {
      ParameterBlock block = problem.weights().get(i);
      beta[i] /= block.shape().size();
      for (int k = block.offset(); k < block.end(); k++) {
        left[k] -= beta[i];
      }
    }
    double scale = Math.max(Vec.norm(moved.correction), NOTHING * Vec.norm(moved.first));
    double uneven = Vec.ratio(Vec.norm(left), scale);
    double[][] matrix = problem.matrix();
    double[] coarse = problem.restricted(moved.v);
    double error = 0;
    double size = 0;
    for (int i = 0; i < beta.length; i++) {
      double difference = right[i] - Vec.dot(matrix[i], beta);
      error += difference * difference / matrix[i][i];
      size += coarse[i] * coarse[i] / matrix[i][i];
    }
    return Finding.of(
        check, compared, Math.max(uneven, Math.sqrt(Vec.ratio(error, size))), Tolerances.INVERSE);
  }
}
