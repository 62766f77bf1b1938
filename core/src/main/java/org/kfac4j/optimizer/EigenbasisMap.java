package org.kfac4j.optimizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.kfac4j.Snapshot;
import org.kfac4j.curvature.KroneckerFactors;
import org.kfac4j.linalg.BlockDiagonalMatrix;
import org.kfac4j.linalg.DiagonalBlocks;
import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Precision;

/**
 * The inverse of a matrix with the eigenvectors U_A ⊗ U_G: V ↦ U_A [(U_Aᵀ V U_G) ⊘ (S + λ)] U_Gᵀ.
 * Eigenvalues S and damping λ may change, the basis does not.
 */
final class EigenbasisMap implements LinearMap {
  private final BlockDiagonalMatrix a;
  private final BlockDiagonalMatrix g;
  private final double[] eigenvalues;
  private final int recoveries;
  private final Matrix x;
  private final Matrix y;
  private double strength;

  /**
   * @param a U_Aᵀ
   * @param g U_Gᵀ
   * @param eigenvalues S, laid out as V
   * @param strength λ
   */
  private EigenbasisMap(
      BlockDiagonalMatrix a,
      BlockDiagonalMatrix g,
      Precision precision,
      double[] eigenvalues,
      double strength,
      int recoveries) {
    this.a = a;
    this.g = g;
    this.eigenvalues = eigenvalues;
    this.strength = strength;
    this.recoveries = recoveries;
    this.x = Matrix.zeros(precision, a.size(), g.size());
    this.y = Matrix.zeros(precision, a.size(), g.size());
  }

  /**
   * The inverse of A ⊗ G + λ I, eigenvalues of the factors clamped at 0.
   *
   * @throws DivergedException if a factor has no eigendecomposition
   */
  static EigenbasisMap of(
      KroneckerFactors factors, double strength, String layer, DenseMachine machine) {
    Basis a = basis(factors.inputs(), factors.inputBlocks(), "A", layer, machine);
    Basis g = basis(factors.gradients(), factors.gradientBlocks(), "G", layer, machine);
    int columns = factors.columns();
    double[] eigenvalues = new double[factors.rows() * columns];
    for (int row = 0; row < factors.rows(); row++) {
      for (int column = 0; column < columns; column++) {
        eigenvalues[row * columns + column] =
            Math.max(a.values[row], 0) * Math.max(g.values[column], 0);
      }
    }
    return new EigenbasisMap(
        a.transposed,
        g.transposed,
        machine.precision(),
        eigenvalues,
        strength,
        Math.max(a.rung, g.rung));
  }

  /**
   * @param values of all blocks
   * @param transposed Uᵀ
   */
  private record Basis(double[] values, BlockDiagonalMatrix transposed, int rung) {}

  private static Basis basis(
      double[] packed, DiagonalBlocks blocks, String factor, String layer, DenseMachine machine) {
    if (blocks.isDiagonal()) {
      double[] ones = new double[blocks.size()];
      Arrays.fill(ones, 1);
      return new Basis(packed.clone(), BlockDiagonalMatrix.ofDiagonal(ones), 0);
    }
    double[] values = new double[blocks.size()];
    List<Matrix> vectors = new ArrayList<>();
    int rung = 0;
    for (int i = 0; i < blocks.count(); i++) {
      int width = blocks.width(i);
      EigenLadder found =
          EigenLadder.climb(
              blocks.block(packed, i), width, "layer " + layer + ": " + factor, machine);
      System.arraycopy(found.eigen().values(), 0, values, blocks.first(i), width);
      vectors.add(found.eigen().transposed());
      rung = Math.max(rung, found.rung());
    }
    return new Basis(values, BlockDiagonalMatrix.of(blocks, vectors), rung);
  }

  static EigenbasisMap restore(Snapshot snapshot, String prefix, DenseMachine machine) {
    return new EigenbasisMap(
        BlockDiagonalMatrix.restore(snapshot, prefix + "UA", machine.precision()),
        BlockDiagonalMatrix.restore(snapshot, prefix + "UG", machine.precision()),
        machine.precision(),
        snapshot.doubles(prefix + "S").clone(),
        snapshot.doubleValue(prefix + "strength"),
        Math.toIntExact(snapshot.longValue(prefix + "recoveries")));
  }

  /** U_Aᵀ, row by row; a copy. */
  double[] inputBasis() {
    return a.toArray();
  }

  /** U_Gᵀ, row by row; a copy. */
  double[] gradientBasis() {
    return g.toArray();
  }

  /** S, not a copy. */
  double[] eigenvalues() {
    return eigenvalues;
  }

  /** Σ S, the trace of the matrix without damping. */
  double trace() {
    double sum = 0;
    for (double each : eigenvalues) {
      sum += each;
    }
    return sum;
  }

  /** Sets λ. */
  void damp(double now) {
    strength = now;
  }

  /**
   * S ← ε S + (1 − ε) N (U_Aᵀ M U_G)∘², with M the part of a mean gradient of N examples.
   *
   * @param epsilon weight of the past
   */
  void average(double[] gradient, int offset, long count, double epsilon) {
    double[] projected = project(gradient, offset);
    for (int i = 0; i < projected.length; i++) {
      eigenvalues[i] =
          epsilon * eigenvalues[i] + (1 - epsilon) * count * projected[i] * projected[i];
    }
  }

  /** U_Aᵀ V U_G. */
  private double[] project(double[] v, int offset) {
    double[] projected = new double[eigenvalues.length];
    x.put(0, v, offset, projected.length);
    a.multiply(false, x, y);
    g.multiply(y, true, x);
    x.get(0, projected, 0, projected.length);
    return projected;
  }

  @Override
  public void apply(double[] v, int offset, double[] result) {
    double[] projected = project(v, offset);
    for (int i = 0; i < projected.length; i++) {
      projected[i] /= Math.max(eigenvalues[i] + strength, Double.MIN_NORMAL);
    }
    x.put(0, projected, 0, projected.length);
    a.multiply(true, x, y);
    g.multiply(y, false, x);
    x.get(0, result, offset, projected.length);
  }

  @Override
  public int recoveries() {
    return recoveries;
  }

  @Override
  public void save(Snapshot snapshot, String prefix) {
    a.save(snapshot, prefix + "UA");
    g.save(snapshot, prefix + "UG");
    snapshot.put(prefix + "S", eigenvalues.clone());
    snapshot.put(prefix + "strength", strength);
    snapshot.put(prefix + "recoveries", recoveries);
  }

  @Override
  public void close() {
    a.close();
    g.close();
    x.close();
    y.close();
  }
}
