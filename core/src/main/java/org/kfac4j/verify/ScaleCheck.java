package org.kfac4j.verify;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.kfac4j.curvature.BlockForm;
import org.kfac4j.curvature.BlockStatistics;
import org.kfac4j.curvature.DiagonalStatistics;
import org.kfac4j.curvature.ExactStatistics;
import org.kfac4j.data.Hashing;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.ParameterRole;
import org.kfac4j.optimizer.DenseMachine;
import org.kfac4j.optimizer.KfacPreconditioner;
import org.kfac4j.optimizer.LinearMap;
import org.kfac4j.optimizer.Preconditioner;

/**
 * The blocks of scales and shifts, which keep their Fisher matrix F, and of other parameters that
 * are no matrix, which keep its diagonal: vᵀ F v against {@link HeldOutputs}; the diagonal, which a
 * setting can have of scales too, against F's; and the maps made of them.
 */
final class ScaleCheck {
  /** Parameters of a block whose entry in a diagonal is compared by itself. */
  private static final int COORDINATES = 3;

  /** Other blocks than those of weights have the same maps with every preconditioner. */
  private static final Preconditioner ANY = new KfacPreconditioner();

  private final FisherSample sample;
  private final DenseMachine machine;
  private final long key;
  private final Differences differences = new Differences(Tolerances.DIFFERENCES);
  private final Worst fisher = new Worst();
  private final Worst diagonal = new Worst();
  private final Worst inverse = new Worst();

  ScaleCheck(FisherSample sample, DenseMachine machine, long key) {
    this.sample = sample;
    this.machine = machine;
    this.key = key;
  }

  /**
   * @param outputs null if there are none to compare with
   * @return nothing if the network has no such block
   */
  List<Finding> run(@Nullable HeldOutputs outputs) {
    List<ParameterBlock> blocks =
        sample.sample().network().blocks().stream()
            .filter(block -> block.shape().role() != ParameterRole.WEIGHTS)
            .toList();
    if (blocks.isEmpty()) {
      return List.of();
    }
    FisherSample diagonals = sample.scales(BlockForm.DIAGONAL);
    for (ParameterBlock block : blocks) {
      BlockStatistics own = sample.statistics(BlockForm.ROWS, block);
      BlockStatistics other = diagonals.statistics(BlockForm.ROWS, block);
      if (own instanceof ExactStatistics exact && other instanceof DiagonalStatistics of) {
        Square matrix = matrix(exact);
        diagonal.add(block.name(), Vec.largest(of.fisher(), diagonal(matrix)));
        invert(block, exact, matrix);
        invert(block, of, matrixOf(of));
        if (outputs != null) {
          whole(block, matrix, outputs);
        }
      } else if (own instanceof DiagonalStatistics of) {
        invert(block, of, matrixOf(of));
        if (outputs != null) {
          coordinates(block, of.fisher(), outputs);
        }
      }
    }
    return findings(outputs);
  }

  private static Square matrix(ExactStatistics exact) {
    int n = exact.n();
    double[] values = new double[n * n];
    for (int row = 0, at = 0; row < n; row++) {
      for (int column = 0; column <= row; column++, at++) {
        values[row * n + column] = exact.fisher()[at];
        values[column * n + row] = exact.fisher()[at];
      }
    }
    return new Square(n, values);
  }

  private static Square matrixOf(DiagonalStatistics statistics) {
    double[] diagonal = statistics.fisher();
    int n = diagonal.length;
    double[] values = new double[n * n];
    for (int i = 0; i < n; i++) {
      values[i * n + i] = diagonal[i];
    }
    return new Square(n, values);
  }

  private static double[] diagonal(Square matrix) {
    double[] diagonal = new double[matrix.size()];
    Arrays.setAll(diagonal, i -> matrix.at(i, i));
    return diagonal;
  }

  private void whole(ParameterBlock block, Square matrix, HeldOutputs outputs) {
    double[] v = outputs.direction(block, Hashing.key(key, block.index()));
    double[] part = Arrays.copyOfRange(v, block.offset(), block.end());
    double product = Vec.dot(part, matrix.times(part));
    fisher.add(block.name(), outputs.error(v, product, 0, differences));
  }

  /** Entries of a diagonal, relative to the largest one. */
  private void coordinates(ParameterBlock block, double[] entries, HeldOutputs outputs) {
    double largest = Arrays.stream(entries).max().orElse(0);
    for (int i = 0; i < Math.min(COORDINATES, entries.length); i++) {
      long random = Hashing.at(Hashing.key(key, block.index()), i);
      int index = (int) Math.floorMod(random, (long) entries.length);
      double[] v = outputs.coordinate(block, index);
      double squared = Vec.dot(v, v);
      double product = squared * entries[index];
      fisher.add(block.name(), outputs.error(v, product, squared * largest, differences));
    }
  }

  /** (F + λ I) map(v) = v, λ the mean eigenvalue. */
  private void invert(ParameterBlock block, BlockStatistics statistics, Square matrix) {
    double mean = matrix.trace() / matrix.size();
    double strength = mean > 0 ? mean : 1;
    double[] v = Vec.normal(Hashing.key(key, block.index()), matrix.size());
    double[] x = new double[v.length];
    try (LinearMap map = ANY.invert(block, statistics, strength, machine, null)) {
      map.apply(v, 0, x);
    }
    inverse.add(block.name(), Vec.relative(matrix.shifted(strength).times(x), v));
  }

  private List<Finding> findings(@Nullable HeldOutputs outputs) {
    List<Finding> findings = new ArrayList<>();
    String check = "scales: Fisher block";
    if (outputs == null) {
      String reason = String.valueOf(HeldOutputs.refusal(sample.sample().network()));
      findings.add(Finding.notApplicable(check, reason));
    } else {
      findings.add(
          fisher.finding(
              check,
              "v'Fv = differences of " + outputs.describe() + differences.note(),
              Tolerances.DIFFERENCES));
    }
    if (!diagonal.isEmpty()) {
      findings.add(diagonal.finding("scales: diagonal", "= the Fisher block's", Tolerances.EXACT));
    }
    findings.add(
        inverse.finding("scales: inverse", "damped block · map(v) = v", Tolerances.INVERSE));
    return findings;
  }
}
