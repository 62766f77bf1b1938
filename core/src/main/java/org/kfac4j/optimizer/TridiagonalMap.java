package org.kfac4j.optimizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntConsumer;
import org.kfac4j.Snapshot;
import org.kfac4j.curvature.SumNames;
import org.kfac4j.linalg.Blas;
import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Precision;
import org.kfac4j.network.Network.ParameterBlock;

/**
 * v ↦ F̂⁻¹ v, where F̂⁻¹ is block-tridiagonal and F̂ equals F̃ = (Ā_ij ⊗ G_ij) on its three block
 * diagonals: F̂⁻¹ = Ξᵀ Λ Ξ, a Gaussian chain from the last layer to the first. arXiv:1503.05671,
 * §4.3; for X = [rows, columns], layer i before layer i + 1:
 *
 * <pre>  Ψᴬ_i = Ā_{i,i+1} A_{i+1}⁻¹,   Ψᴳ_i = G_{i,i+1} G_{i+1}⁻¹
 *  Σ_i = A_i ⊗ G_i − (Ψᴬ_i A_{i+1} Ψᴬ_iᵀ) ⊗ (Ψᴳ_i G_{i+1} Ψᴳ_iᵀ),   the last one A ⊗ G
 *  Ξ:  Y_i = V_i − Ψᴬ_i V_{i+1} Ψᴳ_iᵀ     Λ:  Z_i = Σ_i⁻¹ Y_i
 *  Ξᵀ: U_i = Z_i − Ψᴬ_{i−1}ᵀ Z_{i−1} Ψᴳ_{i−1}</pre>
 *
 * with the damped A_i and G_i everywhere, and cross moments as they are.
 */
final class TridiagonalMap implements NetworkMap {
  private final List<ParameterBlock> blocks;
  private final List<LinearMap> diagonal;
  private final List<Link> links;
  private final LayerPool pool;
  private final Precision precision;

  /**
   * Of layer i to layer i + 1.
   *
   * @param inputs Ψᴬ
   * @param gradients Ψᴳ
   * @param solver Σ⁻¹
   */
  private record Link(Matrix inputs, Matrix gradients, TwoTermSolver solver) {
    void close() {
      inputs.close();
      gradients.close();
      solver.close();
    }
  }

  private TridiagonalMap(NetworkParts parts, List<Link> links) {
    this.blocks = parts.network().blocks();
    this.diagonal = parts.maps();
    this.links = links;
    this.pool = parts.pool();
    this.precision = parts.machine().precision();
  }

  static TridiagonalMap of(NetworkParts parts) {
    int count = parts.network().blocks().size() - 1;
    Link[] links = new Link[count];
    parts
        .pool()
        .forEach(
            count,
            i -> LayerPool.cost(parts.network().blocks().get(i)),
            i -> links[i] = link(parts, i));
    return new TridiagonalMap(parts, List.of(links));
  }

  private static Link link(NetworkParts parts, int i) {
    DenseMachine machine = parts.machine();
    ParameterBlock here = parts.network().blocks().get(i);
    ParameterBlock next = parts.network().blocks().get(i + 1);
    KroneckerInverse own = (KroneckerInverse) parts.maps().get(i);
    KroneckerInverse following = (KroneckerInverse) parts.maps().get(i + 1);
    double[] crossInputs = parts.coupling().mean(SumNames.crossInputs(here, next));
    double[] crossGradients = parts.coupling().mean(SumNames.crossGradients(here, next));
    Matrix inputs = Matrix.zeros(machine.precision(), here.rows(), next.rows());
    Matrix gradients = Matrix.zeros(machine.precision(), here.columns(), next.columns());
    try (Matrix c = explained(crossInputs, following.a().whole(), inputs);
        Matrix d = explained(crossGradients, following.g().whole(), gradients)) {
      return new Link(
          inputs,
          gradients,
          TwoTermSolver.of(own.a().whole(), own.g().whole(), c, d, -1, here.name(), machine));
    }
  }

  /**
   * Writes Ψ = X S⁻¹.
   *
   * @return X S⁻¹ Xᵀ
   */
  private static Matrix explained(double[] cross, Matrix inverse, Matrix psi) {
    Matrix result = Matrix.zeros(psi.precision(), psi.rows(), psi.rows());
    try (Matrix x = Matrix.zeros(psi.precision(), psi.rows(), psi.columns())) {
      x.put(0, cross, 0, cross.length);
      Blas.multiply(x, false, inverse, false, 0, psi);
      Blas.multiply(psi, false, x, true, 0, result);
    }
    symmetrize(result);
    return result;
  }

  /** S ← (S + Sᵀ) / 2, which rounding has made a little different. */
  private static void symmetrize(Matrix square) {
    int n = square.rows();
    double[] values = square.toArray();
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < i; j++) {
        double mean = 0.5 * (values[i * n + j] + values[j * n + i]);
        values[i * n + j] = mean;
        values[j * n + i] = mean;
      }
    }
    square.put(0, values, 0, values.length);
  }

  @Override
  public double[] apply(double[] v) {
    int last = blocks.size() - 1;
    Matrix[] z = new Matrix[blocks.size()];
    double[] result = new double[v.length];
    try {
      forEach(last + 1, i -> z[i] = i < last ? solved(v, i) : lastSolved(v));
      forEach(last + 1, i -> write(z, i, result));
    } finally {
      Arrays.stream(z).filter(each -> each != null).forEach(Matrix::close);
    }
    return result;
  }

  private void forEach(int count, IntConsumer work) {
    pool.forEach(count, i -> LayerPool.cost(blocks.get(i)), work);
  }

  private Matrix part(double[] v, int i) {
    ParameterBlock block = blocks.get(i);
    Matrix part = Matrix.zeros(precision, block.rows(), block.columns());
    part.put(0, v, block.offset(), block.shape().size());
    return part;
  }

  /** Σ_i⁻¹ (V_i − Ψᴬ_i V_{i+1} Ψᴳ_iᵀ). */
  private Matrix solved(double[] v, int i) {
    Link link = links.get(i);
    Matrix y = part(v, i);
    try (Matrix next = part(v, i + 1);
        Matrix half = Matrix.zeros(precision, y.rows(), next.columns());
        Matrix through = Matrix.zeros(precision, y.rows(), y.columns())) {
      Blas.multiply(link.inputs, false, next, false, 0, half);
      Blas.multiply(half, false, link.gradients, true, 0, through);
      Blas.add(-1, through, y);
    }
    link.solver.solve(y, y);
    return y;
  }

  private Matrix lastSolved(double[] v) {
    int last = blocks.size() - 1;
    double[] solved = new double[v.length];
    diagonal.get(last).apply(v, blocks.get(last).offset(), solved);
    return part(solved, last);
  }

  /** Writes Z_i − Ψᴬ_{i−1}ᵀ Z_{i−1} Ψᴳ_{i−1}. */
  private void write(Matrix[] z, int i, double[] result) {
    ParameterBlock block = blocks.get(i);
    int length = block.shape().size();
    if (i == 0) {
      z[0].get(0, result, block.offset(), length);
      return;
    }
    Link link = links.get(i - 1);
    Matrix before = z[i - 1];
    try (Matrix half = Matrix.zeros(precision, block.rows(), before.columns());
        Matrix u = Matrix.zeros(precision, block.rows(), block.columns())) {
      Blas.multiply(link.inputs, true, before, false, 0, half);
      Blas.multiply(half, false, link.gradients, false, 0, u);
      double[] through = u.toArray();
      double[] own = z[i].toArray();
      for (int k = 0; k < length; k++) {
        result[block.offset() + k] = own[k] - through[k];
      }
    }
  }

  @Override
  public int recoveries() {
    return links.stream().mapToInt(link -> link.solver.recoveries()).max().orElse(0);
  }

  @Override
  public void save(Snapshot snapshot) {
    for (int i = 0; i < links.size(); i++) {
      String prefix = "link " + i + " ";
      snapshot.put(prefix + "ΨA", links.get(i).inputs.toArray());
      snapshot.put(prefix + "ΨG", links.get(i).gradients.toArray());
      links.get(i).solver.save(snapshot, prefix);
    }
  }

  static TridiagonalMap restore(NetworkParts parts, Snapshot snapshot) {
    DenseMachine machine = parts.machine();
    List<ParameterBlock> blocks = parts.network().blocks();
    List<Link> links = new ArrayList<>();
    for (int i = 0; i + 1 < blocks.size(); i++) {
      String prefix = "link " + i + " ";
      ParameterBlock here = blocks.get(i);
      ParameterBlock next = blocks.get(i + 1);
      links.add(
          new Link(
              Matrix.of(
                  machine.precision(), here.rows(), next.rows(), snapshot.doubles(prefix + "ΨA")),
              Matrix.of(
                  machine.precision(),
                  here.columns(),
                  next.columns(),
                  snapshot.doubles(prefix + "ΨG")),
              TwoTermSolver.restore(snapshot, prefix, here.rows(), here.columns(), machine)));
    }
    return new TridiagonalMap(parts, links);
  }

  @Override
  public void close() {
    links.forEach(Link::close);
  }
}
