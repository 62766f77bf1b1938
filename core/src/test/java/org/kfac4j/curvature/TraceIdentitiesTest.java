package org.kfac4j.curvature;

import static org.assertj.core.api.Assertions.assertThat;
import static org.kfac4j.Dense.assertClose;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.kfac4j.Dense;
import org.kfac4j.LinearLayer;
import org.kfac4j.Networks;
import org.kfac4j.Problem;
import org.kfac4j.Tolerance;
import org.kfac4j.data.Batch;
import org.kfac4j.linalg.Packed;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;

/** When δ Φ ⊗ Ψ is A ⊗ G or F, and that its traces are F's however sums come about. */
class TraceIdentitiesTest {
  private static final int COUNT = 13;

  private static Sums sums(
      Problem problem, double[] theta, FisherType fisher, BlockForm form, Batch batch) {
    BlockForms forms = CurvatureFamilyTest.forms(form, Coupling.NONE);
    return problem.sums(
        theta, new Request.Curvature(new Request.Statistics(batch, fisher, 7, forms)));
  }

  /** Of one linear layer whose weights are zero. */
  private record Layer(Problem problem) {
    private double[] zero() {
      return new double[problem.network().parameterCount()];
    }

    private ParameterBlock block() {
      return problem.network().weightBlocks().get(0);
    }

    private Sums sums(BlockForm form) {
      return TraceIdentitiesTest.sums(problem, zero(), FisherType.EMPIRICAL, form, problem.all());
    }

    TraceFactors traces() {
      return TraceFactors.of(sums(BlockForm.TRACES), block());
    }

    KroneckerFactors kfac() {
      return KroneckerFactors.of(sums(BlockForm.KRONECKER), block());
    }

    FullBlock full() {
      return FullBlock.kfac(ExampleRows.of(problem, zero(), FisherType.EMPIRICAL, block()));
    }

    /** Φ, with trace 1. */
    double[][] phi() {
      TraceFactors traces = traces();
      return Dense.scaled(1 / traces.trace()[0], Dense.unpacked(traces.inputs(), block().rows()));
    }

    /** Ψ, with trace 1. */
    double[][] psi() {
      TraceFactors traces = traces();
      return Dense.scaled(
          1 / traces.trace()[0], Dense.unpacked(traces.gradients(), block().columns()));
    }
  }

  @Test
  void ofIndependentInputsAndGradientsTheyAreKfacsFactorsAndTheFisherMatrix() {
    for (Problem problem : List.of(LinearLayer.denseProduct(), LinearLayer.convolutionProduct())) {
      Layer layer = new Layer(problem);
      double[][] product = Problem.block(layer.traces().factors());
      assertClose(product, layer.full().fisher(), Tolerance.F64);
      assertClose(product, layer.full().product(), Tolerance.F64);
      assertClose(Problem.block(layer.kfac()), product, Tolerance.F64);
    }
  }

  /** Numbers of a layer's examples: normal, or all of size one, so that all rows are as long. */
  private static float[][] numbers(long key, int width, boolean sameLength) {
    float[][] numbers = new float[20][];
    for (int n = 0; n < numbers.length; n++) {
      double[] row = Dense.normal(key + n, width);
      for (int i = 0; i < width && sameLength; i++) {
        row[i] = Math.signum(row[i]);
      }
      numbers[n] = Problem.floats(row);
    }
    return numbers;
  }

  /** ‖ā‖ the same for all rows: Ψ ∝ G. ‖g‖ the same: Φ ∝ A. Both: K-FAC. None: neither. */
  @Test
  void whereNormsAreConstantTheOtherFactorIsKfacs() {
    for (Network network : List.of(LinearLayer.dense(), LinearLayer.convolution())) {
      for (boolean inputs : new boolean[] {false, true}) {
        for (boolean gradients : new boolean[] {false, true}) {
          Layer layer =
              new Layer(
                  LinearLayer.examples(
                      network,
                      numbers(100, network.inputs(), inputs),
                      numbers(200, network.outputs(), gradients)));
          FullBlock full = layer.full();
          assertSameIf(gradients, layer.phi(), normalized(full.inputs()));
          assertSameIf(inputs, layer.psi(), normalized(full.gradients()));
          double[][] product = Problem.block(layer.traces().factors());
          assertSameIf(inputs && gradients, product, full.product());
          assertSameIf(inputs && gradients, product, Problem.block(layer.kfac()));
          // Not because it is exact: inputs and gradients are not independent.
          assertSameIf(false, product, full.fisher());
        }
      }
    }
  }

  private static double[][] normalized(double[][] matrix) {
    return Dense.scaled(1 / Dense.trace(matrix), matrix);
  }

  private static void assertSameIf(boolean same, double[][] actual, double[][] expected) {
    if (same) {
      assertClose(actual, expected, Tolerance.F64);
    } else {
      assertThat(Dense.distance(Dense.flat(actual), Dense.flat(expected))).isGreaterThan(1e-3);
    }
  }

  /** Two batches, added up or averaged by their sizes, are the batch of both. */
  @ParameterizedTest
  @EnumSource(FisherType.class)
  void batchesThatAreMergedOrAveragedHaveTheTracesOfAllExamples(FisherType fisher) {
    for (Network network : Networks.ofIndependentExamples().toList()) {
      Problem problem = Problem.random(3, network, COUNT);
      double[] theta = problem.theta(5, 1);
      Batch first = new Batch(COUNT, problem.all().seed(), 0, 5);
      Sums one = sums(problem, theta, fisher, BlockForm.TRACES, first);
      Sums two = sums(problem, theta, fisher, BlockForm.TRACES, first.next(COUNT - 5));
      Sums both = new Sums().merge(one).merge(two);
      for (ParameterBlock block : network.weightBlocks()) {
        TraceFactors averaged = TraceFactors.of(one, block);
        averaged.update(two, block, 5.0 / COUNT);
        ExampleRows rows = ExampleRows.of(problem, theta, fisher, block);
        assertTraces(averaged, block, rows);
        assertTraces(TraceFactors.of(both, block), block, rows);
      }
    }
  }

  /** δ = tr δΦ = tr δΨ = tr F without what positions have in common, and the factors are F's. */
  private static void assertTraces(TraceFactors traces, ParameterBlock block, ExampleRows rows) {
    FullBlock full = FullBlock.tkfac(rows);
    double trace = FullBlock.trace(rows);
    assertClose(traces.trace()[0], trace, Tolerance.F64);
    assertClose(traces.factors().fisherTrace(), trace, Tolerance.F64);
    assertClose(Packed.trace(traces.inputs(), block.rows()), trace, Tolerance.F64);
    assertClose(Packed.trace(traces.gradients(), block.columns()), trace, Tolerance.F64);
    double root = Math.sqrt(trace);
    assertClose(
        Dense.unpacked(traces.inputs(), block.rows()),
        Dense.scaled(root, full.inputs()),
        Tolerance.F64);
    assertClose(
        Dense.unpacked(traces.gradients(), block.columns()),
        Dense.scaled(root, full.gradients()),
        Tolerance.F64);
  }
}
