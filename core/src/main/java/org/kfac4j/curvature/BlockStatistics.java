package org.kfac4j.curvature;

import java.io.Serializable;
import java.util.Map;
import org.kfac4j.Snapshot;
import org.kfac4j.linalg.Packed;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;

/** What is kept of one block's Fisher matrix, as means over examples; the arrays change. */
public sealed interface BlockStatistics extends Serializable
    permits DiagonalStatistics, ExactStatistics, FactorStatistics, NoStatistics, RowWindow {
  /**
   * Zeros for {@code block}.
   *
   * @param window batches that rows are kept of
   */
  static BlockStatistics zeros(
      Network network, ParameterBlock block, BlockForms forms, int window) {
    int n = block.shape().size();
    return switch (forms.of(block)) {
      case KRONECKER ->
          KroneckerFactors.zeros(forms.inputBlocks(block), forms.gradientBlocks(block));
      case TRACES -> TraceFactors.zeros(forms.inputBlocks(block), forms.gradientBlocks(block));
      case ROWS ->
          new RowWindow(
              block, network.layers().get(block.layer()).outputShape().positions(), window);
      case EXACT -> new ExactStatistics(new double[Packed.length(n)], n);
      case DIAGONAL -> new DiagonalStatistics(new double[n]);
      case NONE -> new NoStatistics(n);
    };
  }

  /** Moves this, as running averages, to what {@code sums} holds for the block. */
  void update(Sums sums, ParameterBlock block, double epsilon);

  /** Whether it may be inverted: whether every number of a diagonal is finite. */
  boolean isFinite();

  /** The trace of the block's Fisher matrix as this has it; 0 if it has none. */
  double fisherTrace();

  /** What there is to say of it, by name: mean eigenvalues. */
  Map<String, Double> health();

  /** Adds it to a checkpoint, under names that end in {@code name}. */
  void save(Snapshot snapshot, String name);

  /** Sets it to what {@link #save} saved. */
  void restore(Snapshot snapshot, String name);

  /** Copies a saved array over one that must have its length. */
  static void copy(Snapshot snapshot, String name, double[] target) {
    double[] saved = snapshot.doubles(name);
    org.kfac4j.Check.that(
        saved.length == target.length,
        "%s has %d numbers, saved were %d",
        name,
        target.length,
        saved.length);
    System.arraycopy(saved, 0, target, 0, target.length);
  }
}
