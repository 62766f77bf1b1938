package org.kfac4j.optimizer;

import org.jspecify.annotations.Nullable;
import org.kfac4j.Check;
import org.kfac4j.Snapshot;
import org.kfac4j.curvature.BlockForm;
import org.kfac4j.curvature.BlockForms;
import org.kfac4j.curvature.BlockStatistics;
import org.kfac4j.curvature.FisherType;
import org.kfac4j.curvature.RowWindow;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;

/**
 * CG-FAC: solves for the preconditioned gradient by conjugate gradients, with products of rows of
 * inputs and gradients; neither a factor nor the Fisher block is ever formed. Chen 2021,
 * arXiv:2101.00218 (of which only the abstract was to be had: the equations are derived).
 *
 * @param operator the matrix that is solved with
 * @param tolerance of the residual, relative to the right-hand side
 * @param iterations at most
 * @param jacobi whether residuals are divided by the matrix's diagonal
 * @param warmStart whether the last solution is the start
 */
public record CgfacPreconditioner(
    Operator operator, double tolerance, int iterations, boolean jacobi, boolean warmStart)
    implements Preconditioner {
  /** The matrix that is solved with. */
  public enum Operator {
    /** (A + πγ I) ⊗ (G + γ/π I), K-FAC's. */
    KRONECKER,
    /** F + λ I, F the Fisher block of the rows itself. */
    FISHER
  }

  public CgfacPreconditioner {
    Check.that(
        0 < tolerance && tolerance < 1,
        "curvature.cg.tolerance must be in (0, 1), got %s",
        tolerance);
    Check.that(iterations >= 1, "curvature.cg.iterations must be at least 1, got %d", iterations);
  }

  @Override
  public BlockForm form() {
    return BlockForm.ROWS;
  }

  /** Of the operator: A ⊗ G has another trace than F where there are several positions. */
  @Override
  public double trace(BlockStatistics statistics) {
    return operator == Operator.KRONECKER && statistics instanceof RowWindow rows
        ? rows.kroneckerTrace()
        : statistics.fisherTrace();
  }

  @Override
  public LinearMap factor(
      BlockStatistics statistics,
      double strength,
      String layer,
      DenseMachine machine,
      @Nullable LinearMap before) {
    RowWindow rows = (RowWindow) statistics;
    double[] start =
        warmStart && before instanceof CgMap last
            ? last.solution().clone()
            : new double[rows.rows() * rows.columns()];
    return new CgMap(this, CgOperator.of(operator, rows, strength, machine), start, layer);
  }

  @Override
  public LinearMap restore(
      Snapshot snapshot, String prefix, int rows, int columns, DenseMachine machine) {
    return new CgMap(this, null, snapshot.doubles(prefix + "X").clone(), "");
  }

  /** The rows are all there is to a new map, and its damping is then this iteration's. */
  @Override
  public boolean isAlwaysFresh() {
    return true;
  }

  @Override
  public Footprint footprint(Network network, ParameterBlock block, Kfac.Statistics asked) {
    int positions = network.layers().get(block.layer()).outputShape().positions();
    long passes = asked.fisher() == FisherType.EXACT ? network.loss().fisherVectors() : 1;
    long kept =
        (long) asked.forms().sampledExamples(positions)
            * positions
            * (block.rows() + passes * block.columns());
    long n = block.shape().size();
    return Footprint.ofNumbers(asked.window() * kept + 6 * n, asked.window() * kept + 2 * n, kept);
  }

  @Override
  public boolean hasGamma() {
    return operator == Operator.KRONECKER;
  }

  @Override
  public String describe() {
    return operator == Operator.KRONECKER
        ? "conjugate gradients, Kronecker"
        : "conjugate gradients, Fisher";
  }

  @Override
  public String size(ParameterBlock block, BlockForms forms) {
    return "rows × (" + block.rows() + " + " + block.columns() + ")";
  }
}
