package org.kfac4j.verify;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.kfac4j.Snapshot;
import org.kfac4j.curvature.BlockForm;
import org.kfac4j.curvature.BlockForms;
import org.kfac4j.curvature.BlockStatistics;
import org.kfac4j.curvature.DiagonalStatistics;
import org.kfac4j.curvature.FactorStatistics;
import org.kfac4j.curvature.RowWindow;
import org.kfac4j.curvature.SumNames;
import org.kfac4j.curvature.Sums;
import org.kfac4j.data.Hashing;
import org.kfac4j.linalg.FactorizationException;
import org.kfac4j.linalg.Precision;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.WeightSharing;
import org.kfac4j.optimizer.CgfacPreconditioner;
import org.kfac4j.optimizer.DenseMachine;
import org.kfac4j.optimizer.LinearMap;
import org.kfac4j.optimizer.Preconditioner;

/**
 * One preconditioner's blocks: F̂ of its statistics by definition ({@link ApproximateBlock}), its
 * map against the inverse of F̂ with damping, M · map(v) = v, and what else must hold of it. λ is
 * the mean eigenvalue of F̂, tr F̂ / d.
 *
 * <p>The eigenbases of EKFAC and TEKFAC are those of the map itself, as a checkpoint saves them;
 * their scalings S are summed anew in them and put into the map by way of a checkpoint, which is
 * how the map of a resumed run is made.
 */
final class PreconditionerCheck {
  private final String entry;
  private final Preconditioner preconditioner;
  private final FisherSample sample;
  private final DenseMachine machine;
  private final long key;
  private final Worst inverse = new Worst();
  private final Worst residuals = new Worst();
  private final Worst unfinished = new Worst();
  private final Worst negative = new Worst();
  private final Worst trace = new Worst();
  private final Worst scalings = new Worst();
  private final Worst optimal = new Worst();
  private final Worst diagonal = new Worst();
  private final Worst quality = new Worst();
  private final List<BlockQuality> qualities = new ArrayList<>();
  private final List<Finding> coupled = new ArrayList<>();

  PreconditionerCheck(
      String entry,
      Preconditioner preconditioner,
      FisherSample sample,
      DenseMachine machine,
      long key) {
    this.entry = entry;
    this.preconditioner = preconditioner;
    this.sample = sample;
    this.machine = machine;
    this.key = key;
  }

  List<BlockQuality> qualities() {
    return qualities;
  }

  /**
   * Looks whether there is something to look at.
   *
   * @throws IllegalArgumentException if this preconditioner does not go with the network, or with
   *     the settings of its factors
   */
  void refuse(List<LayerFisher> layers) {
    preconditioner.check(sample.sample().network());
    BlockForms forms = sample.forms().withWeights(preconditioner.form(), preconditioner.coupling());
    layers.forEach(layer -> forms.checkWidth(layer.block()));
  }

  /** Looks at all layers. */
  void run(List<LayerFisher> layers) {
    List<BlockStatistics> statistics = new ArrayList<>();
    for (LayerFisher layer : layers) {
      statistics.add(sample.statistics(preconditioner.form(), layer.block()));
    }
    List<LinearMap> maps = new ArrayList<>();
    try {
      List<Double> strengths = new ArrayList<>();
      for (int i = 0; i < layers.size(); i++) {
        strengths.add(strength(statistics.get(i), layers.get(i).block()));
        maps.add(map(layers.get(i).block(), statistics.get(i), strengths.get(i)));
      }
      Sums rescaled = preconditioner.scalings() == null ? null : rescale(maps);
      for (int i = 0; i < layers.size(); i++) {
        check(layers.get(i), statistics.get(i), maps.get(i), strengths.get(i), rescaled);
      }
      coupled.addAll(
          new CoupledCheck(preconditioner, sample, machine, layers, strengths, maps)
              .run(entry, key));
    } finally {
      maps.forEach(LinearMap::close);
    }
  }

  private LinearMap map(ParameterBlock block, BlockStatistics statistics, double strength) {
    return preconditioner.factor(statistics, strength, block.name(), machine);
  }

  /** The mean eigenvalue of what is taken for a block's Fisher matrix. */
  static double strength(BlockStatistics statistics, ParameterBlock block) {
    double mean = statistics.fisherTrace() / block.shape().size();
    return mean > 0 ? mean : 1;
  }

  /** S of all layers in the bases of their maps. */
  private Sums rescale(List<LinearMap> maps) {
    List<double[]> bases = new ArrayList<>();
    for (LinearMap map : maps) {
      Snapshot saved = saved(map);
      bases.add(saved.doubles("UA"));
      bases.add(saved.doubles("UG"));
    }
    return sample.scalings(preconditioner.form(), bases);
  }

  private static Snapshot saved(LinearMap map) {
    Snapshot snapshot = new Snapshot();
    map.save(snapshot, "");
    return snapshot;
  }

  private void check(
      LayerFisher layer,
      BlockStatistics statistics,
      LinearMap map,
      double strength,
      @Nullable Sums rescaled) {
    if (rescaled == null) {
      ApproximateBlock block = block(layer, statistics);
      compare(layer, block);
      invert(layer, block, map, strength);
    } else {
      eigen(layer, map, strength, rescaled);
    }
    if (preconditioner.form() == BlockForm.TRACES && preconditioner.scalings() == null) {
      double expected = layer.rows().traceOfPositions();
      KroneckerBlock factors = KroneckerBlock.of((FactorStatistics) statistics);
      double error = Vec.ratio(Math.abs(factors.trace() - expected), expected);
      double sum = Vec.ratio(Math.abs(statistics.fisherTrace() - expected), expected);
      trace.add(layer.block().name(), Math.max(error, sum));
    }
    if (statistics instanceof DiagonalStatistics of) {
      diagonal.add(layer.block().name(), Vec.largest(of.fisher(), layer.rows().diagonal()));
    }
  }

  /** Of CG-FAC the whole Kronecker factors of the same rows, or the Fisher block itself. */
  private ApproximateBlock block(LayerFisher layer, BlockStatistics statistics) {
    if (statistics instanceof FactorStatistics factors) {
      return KroneckerBlock.of(factors);
    }
    if (statistics instanceof DiagonalStatistics of) {
      return new EigenBlock(
          identity(layer.block().rows()), identity(layer.block().columns()), of.fisher());
    }
    if (statistics instanceof RowWindow
        && preconditioner instanceof CgfacPreconditioner cg
        && cg.operator() == CgfacPreconditioner.Operator.KRONECKER) {
      return KroneckerBlock.of(layer.rows(), WeightSharing.KFC);
    }
    return new RowBlock(layer.rows());
  }

  private static Square identity(int n) {
    return new Square(n, new double[n * n]).shifted(1);
  }

  private void compare(LayerFisher layer, ApproximateBlock block) {
    double[] restricted = block.restricted(layer.subspace());
    negative.add(layer.block().name(), negative(restricted, layer.subspace().size()));
    if (layer.trace() > 0) {
      BlockQuality found = layer.quality(entry, block, restricted);
      quality.add(layer.block().name(), found.error());
      qualities.add(found);
    }
  }

  /**
   * What has to be added to the diagonal for a Cholesky factor, relative to the trace, or by how
   * much the matrix is not symmetric; 0 if both is less than rounding.
   */
  private double negative(double[] matrix, int n) {
    double[] packed = new double[n * (n + 1) / 2];
    double[] transposed = new double[n * n];
    double trace = 0;
    for (int row = 0, at = 0; row < n; row++) {
      trace += matrix[row * n + row];
      for (int column = 0; column < n; column++) {
        transposed[column * n + row] = matrix[row * n + column];
        if (column <= row) {
          packed[at++] = matrix[row * n + column];
        }
      }
    }
    double error = Vec.largest(matrix, transposed);
    if (error > Tolerances.NEGATIVE || trace == 0) {
      return error;
    }
    for (double shift = Tolerances.NEGATIVE; shift <= 1; shift *= 100) {
      double[] shifted = packed.clone();
      org.kfac4j.linalg.Packed.addToDiagonal(shifted, n, shift * trace);
      try {
        machine.factorizations().cholesky(shifted, n, Precision.DOUBLE).close();
        return shift > Tolerances.NEGATIVE ? shift : 0;
      } catch (FactorizationException notYet) {
        // More.
      }
    }
    return Double.POSITIVE_INFINITY;
  }

  private void invert(LayerFisher layer, ApproximateBlock block, LinearMap map, double strength) {
    ParameterBlock at = layer.block();
    int n = at.shape().size();
    double[] v = Vec.normal(Hashing.key(key, at.index()), n);
    double[] x = new double[n];
    map.apply(v, 0, x);
    boolean shifted = preconditioner.hasGamma();
    double residual = Vec.relative(block.damped(x, strength, shifted), v);
    Double known = map.figures().get("cg residual");
    if (known != null) {
      residuals.add(at.name(), Math.abs(residual - known));
    }
    // Conjugate gradients may end before they get there, and say so.
    (known != null && known > Tolerances.INVERSE ? unfinished : inverse).add(at.name(), residual);
  }

  private void eigen(LayerFisher layer, LinearMap map, double strength, Sums rescaled) {
    ParameterBlock at = layer.block();
    Snapshot saved = saved(map);
    Square a = EigenBlock.basis(saved, "UA");
    Square g = EigenBlock.basis(saved, "UG");
    double[] s = rescaled.mean(SumNames.scalings(at), rescaled.scalar(SumNames.STATISTICS_COUNT));
    double[] best = layer.rows().projected(a.rows(), g.rows()).diagonal();
    scalings.add(at.name(), Vec.largest(s, best));
    EigenBlock block = new EigenBlock(a, g, s);
    if (layer.subspace().isWhole()) {
      double ours = distance(layer, block);
      double before = distance(layer, new EigenBlock(a, g, saved.doubles("S")));
      optimal.add(at.name(), Vec.ratio(Math.max(0, ours - before), Vec.norm(layer.restricted())));
    }
    compare(layer, block);
    Snapshot changed = new Snapshot();
    saved.entries().forEach((name, value) -> changed.putAny(name, name.equals("S") ? s : value));
    try (LinearMap restored =
        preconditioner.restore(changed, "", at.rows(), at.columns(), machine)) {
      invert(layer, block, restored, strength);
    }
  }

  /** ‖F̂ − F‖. */
  private static double distance(LayerFisher layer, EigenBlock block) {
    return Vec.norm(Vec.plus(block.restricted(layer.subspace()), -1, layer.restricted()));
  }

  /** What was found. */
  List<Finding> findings() {
    List<Finding> findings = new ArrayList<>();
    if (!inverse.isEmpty()) {
      findings.add(
          inverse.finding(entry + ": inverse", "damped block · map(v) = v", Tolerances.INVERSE));
    }
    if (!residuals.isEmpty()) {
      findings.add(
          residuals.finding(
              entry + ": residual",
              "what it says of damped block · map(v) − v",
              Tolerances.INVERSE));
    }
    if (!unfinished.isEmpty()) {
      findings.add(
          unfinished.info(
              entry + ": not converged",
              "damped block · map(v) = v, after %d iterations"
                  .formatted(BlockCheck.CG_ITERATIONS)));
    }
    findings.add(
        negative.finding(
            entry + ": symmetric, ≥ 0", "transpose, Cholesky factor", Tolerances.NEGATIVE));
    if (!trace.isEmpty()) {
      findings.add(
          trace.finding(
              entry + ": trace", "trace = the Fisher block's, by positions", Tolerances.EXACT));
    }
    if (!diagonal.isEmpty()) {
      findings.add(
          diagonal.finding(entry + ": diagonal", "= the Fisher block's", Tolerances.EXACT));
    }
    if (!scalings.isEmpty()) {
      findings.add(
          scalings.finding(
              entry + ": scalings",
              "= the Fisher block's diagonal in the basis",
              Tolerances.EXACT));
    }
    if (!optimal.isEmpty()) {
      findings.add(
          optimal.finding(
              entry + ": best in its basis",
              "‖F̂ − F‖ no larger than with the factors' eigenvalues",
              Tolerances.EXACT));
    }
    findings.addAll(coupled);
    if (!quality.isEmpty()) {
      findings.add(quality.info(entry + ": block", "relative Frobenius error of F̂"));
    }
    return findings;
  }
}
