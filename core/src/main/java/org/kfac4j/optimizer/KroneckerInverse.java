package org.kfac4j.optimizer;

import org.kfac4j.Snapshot;
import org.kfac4j.curvature.KroneckerFactors;
import org.kfac4j.linalg.BlockDiagonalMatrix;
import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Precision;

/**
 * V ↦ A⁻¹ V G⁻¹. Two matrices to work in are kept, because allocating them costs a good part of a
 * product.
 *
 * @param a A⁻¹
 * @param g G⁻¹
 */
record KroneckerInverse(
    BlockDiagonalMatrix a, BlockDiagonalMatrix g, int recoveries, Matrix gradient, Matrix half)
    implements LinearMap {
  private KroneckerInverse(
      BlockDiagonalMatrix a, BlockDiagonalMatrix g, int recoveries, Precision precision) {
    this(
        a,
        g,
        recoveries,
        Matrix.zeros(precision, a.size(), g.size()),
        Matrix.zeros(precision, a.size(), g.size()));
  }

  /** (A + a I)⁻¹ ⊗ (G + g I)⁻¹ with A and G packed, by all means. */
  static KroneckerInverse of(
      KroneckerFactors factors, double inputShift, double gradientShift, DenseMachine machine) {
    BlockInverses a =
        BlockInverses.of(factors.inputs(), factors.inputBlocks(), inputShift, machine);
    BlockInverses g =
        BlockInverses.of(factors.gradients(), factors.gradientBlocks(), gradientShift, machine);
    return new KroneckerInverse(
        a.inverse(), g.inverse(), Math.max(a.rung(), g.rung()), machine.precision());
  }

  static KroneckerInverse restore(Snapshot snapshot, String prefix, DenseMachine machine) {
    return new KroneckerInverse(
        BlockDiagonalMatrix.restore(snapshot, prefix + "A", machine.precision()),
        BlockDiagonalMatrix.restore(snapshot, prefix + "G", machine.precision()),
        Math.toIntExact(snapshot.longValue(prefix + "recoveries")),
        machine.precision());
  }

  @Override
  public void apply(double[] v, int offset, double[] result) {
    int length = a.size() * g.size();
    gradient.put(0, v, offset, length);
    a.multiply(false, gradient, half);
    g.multiply(half, false, gradient);
    gradient.get(0, result, offset, length);
  }

  @Override
  public void save(Snapshot snapshot, String prefix) {
    a.save(snapshot, prefix + "A");
    g.save(snapshot, prefix + "G");
    snapshot.put(prefix + "recoveries", recoveries);
  }

  @Override
  public void close() {
    a.close();
    g.close();
    gradient.close();
    half.close();
  }
}
