package org.kfac4j.curvature;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.kfac4j.Dense.assertClose;
import static org.kfac4j.curvature.ExampleRows.squaredNorm;
import static org.kfac4j.curvature.ExampleRows.total;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.kfac4j.Dense;
import org.kfac4j.Networks;
import org.kfac4j.Problem;
import org.kfac4j.Tolerance;
import org.kfac4j.data.Batch;
import org.kfac4j.linalg.LapackFactorizations;
import org.kfac4j.linalg.Packed;
import org.kfac4j.linalg.Precision;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.SquaredError;
import org.kfac4j.network.WeightSharing;
import org.kfac4j.optimizer.Objective;
import org.kfac4j.training.LocalObjective;

/**
 * Trace-weighted moments, squared projections, rows and moments between layers, against loops over
 * rows: arXiv:1806.03884, arXiv:2011.10741, arXiv:2011.13609, arXiv:2011.00573.
 */
class CurvatureFamilyTest {
  private static final int COUNT = 13;

  static BlockForms forms(BlockForm weights, Coupling coupling) {
    return new BlockForms(weights, coupling, WeightSharing.KFC, BlockForm.EXACT, false, 1_000_000);
  }

  private static Sums sums(
      Problem problem,
      double[] theta,
      FisherType fisher,
      BlockForms forms,
      boolean scalings,
      double[]... bases) {
    Request.Statistics asked =
        new Request.Statistics(problem.all(), fisher, 7, forms, !scalings, scalings);
    return problem.sums(theta, new Request.Curvature(asked), bases);
  }

  /** Does something with each block of weights of every network. */
  private static void forBlocks(BiConsumer<Problem, ParameterBlock> work) {
    Networks.ofIndependentExamples()
        .forEach(
            network -> {
              Problem problem = Problem.random(3, network, COUNT);
              network.weightBlocks().forEach(block -> work.accept(problem, block));
            });
  }

  private static double[] theta(Problem problem) {
    return problem.theta(5, 1);
  }

  @Test
  void rowsMakeUpTheGradientOfEveryExample() {
    forBlocks(
        (problem, block) -> {
          ExampleRows rows = ExampleRows.of(problem, theta(problem), FisherType.EMPIRICAL, block);
          assertThat(rows.examples()).hasSize(COUNT);
          for (int place = 0; place < COUNT; place++) {
            // A batch of the one example at that place.
            Batch all = problem.all();
            Batch one = new Batch(all.size(), all.seed(), place, 1);
            double[] gradient =
                problem
                    .sums(theta(problem), new Request.Gradient(one, null))
                    .mean(SumNames.GRADIENT, 1);
            assertClose(
                block.name(),
                Dense.flat(rows.examples().get(place).gradient(0)),
                java.util.Arrays.copyOfRange(gradient, block.offset(), block.end()),
                Tolerance.F64);
          }
        });
  }

  @ParameterizedTest
  @EnumSource(FisherType.class)
  void rowsAreThoseThatKroneckerFactorsAreMadeOf(FisherType fisher) {
    forBlocks(
        (problem, block) -> {
          ExampleRows rows = ExampleRows.of(problem, theta(problem), fisher, block);
          int passes = rows.examples().get(0).gradients().size();
          assertThat(passes).isEqualTo(fisher == FisherType.EXACT ? 3 : 1);
          int positions = rows.examples().get(0).inputs().length;
          KroneckerFactors factors =
              KroneckerFactors.of(
                  sums(
                      problem,
                      theta(problem),
                      fisher,
                      forms(BlockForm.KRONECKER, Coupling.NONE),
                      false),
                  block);
          double[][] a = rows.moment(block.rows(), row((x, g) -> 1.0, (x, g) -> x));
          double[][] g = rows.moment(block.columns(), row((x, y) -> 1.0, (x, y) -> y));
          assertClose(
              Dense.unpacked(factors.inputs(), block.rows()),
              Dense.scaled(1.0 / passes, a),
              Tolerance.F64);
          assertClose(
              Dense.unpacked(factors.gradients(), block.columns()),
              Dense.scaled(1.0 / positions, g),
              Tolerance.F64);
        });
  }

  private interface OfRow<T> {
    T of(double[] a, double[] g);
  }

  private static ExampleRows.Row row(OfRow<Double> weight, OfRow<double[]> row) {
    return new ExampleRows.Row() {
      @Override
      public double weight(double[] a, double[] g) {
        return weight.of(a, g);
      }

      @Override
      public double[] row(double[] a, double[] g) {
        return row.of(a, g);
      }
    };
  }

  private static TraceFactors traces(Problem problem, FisherType fisher, ParameterBlock block) {
    return TraceFactors.of(
        sums(problem, theta(problem), fisher, forms(BlockForm.TRACES, Coupling.NONE), false),
        block);
  }

  @ParameterizedTest
  @EnumSource(FisherType.class)
  void traceFactorsAreTheFisherMatrixsTraceAndPartialTraces(FisherType fisher) {
    forBlocks(
        (problem, block) -> {
          ExampleRows rows = ExampleRows.of(problem, theta(problem), fisher, block);
          TraceFactors actual = traces(problem, fisher, block);
          double[][] a = Dense.unpacked(actual.inputs(), block.rows());
          double[][] g = Dense.unpacked(actual.gradients(), block.columns());
          assertClose(
              a,
              rows.moment(block.rows(), row((x, y) -> squaredNorm(y), (x, y) -> x)),
              Tolerance.F64);
          assertClose(
              g,
              rows.moment(block.columns(), row((x, y) -> squaredNorm(x), (x, y) -> y)),
              Tolerance.F64);
          double[][] expanded = rows.expanded();
          assertClose(actual.trace()[0], Dense.trace(expanded), Tolerance.F64);
          assertClose(a, partialTrace(expanded, block, true), Tolerance.F64);
          assertClose(g, partialTrace(expanded, block, false), Tolerance.F64);
          KroneckerFactors factors = actual.factors();
          assertClose(factors.fisherTrace(), actual.trace()[0], Tolerance.F64);
          assertClose(
              Problem.block(factors),
              Dense.scaled(1 / actual.trace()[0], Dense.kronecker(a, g)),
              Tolerance.F64);
        });
  }

  /** Of a matrix over vec(X), what is left when the other factor's index is traced out. */
  private static double[][] partialTrace(double[][] fisher, ParameterBlock block, boolean inputs) {
    int n = inputs ? block.rows() : block.columns();
    int other = inputs ? block.columns() : block.rows();
    double[][] partial = Dense.zeros(n, n);
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        for (int k = 0; k < other; k++) {
          int c = block.columns();
          partial[i][j] += inputs ? fisher[i * c + k][j * c + k] : fisher[k * c + i][k * c + j];
        }
      }
    }
    return partial;
  }

  @Test
  void oneRowIsItsTraceFactorsProduct() {
    Problem problem = Problem.random(3, Networks.dense(), 1);
    for (ParameterBlock block : problem.network().weightBlocks()) {
      ExampleRows rows = ExampleRows.of(problem, theta(problem), FisherType.EMPIRICAL, block);
      assertClose(
          Problem.block(traces(problem, FisherType.EMPIRICAL, block).factors()),
          rows.fisher(),
          Tolerance.F64);
    }
  }

  /** With three times the loss F is nine times the empirical one, and three times the model's. */
  @ParameterizedTest
  @EnumSource(FisherType.class)
  void aScaledLossScalesTheTraceAndNothingElse(FisherType fisher) {
    double factor = fisher == FisherType.EMPIRICAL ? 9 : 3;
    Networks.ofIndependentExamples()
        .forEach(
            network -> {
              Problem one = Problem.random(3, squared(network, 1), COUNT);
              Problem three = new Problem(squared(network, 3), one.features(), null, one.targets());
              for (ParameterBlock block : network.weightBlocks()) {
                TraceFactors plain = traces(one, fisher, block);
                TraceFactors scaled = traces(three, fisher, block);
                double trace = plain.trace()[0];
                assertClose(scaled.trace()[0], factor * trace, Tolerance.F64);
                assertClose(
                    Dense.scaled(1 / scaled.trace()[0], scaled.inputs()),
                    Dense.scaled(1 / trace, plain.inputs()),
                    Tolerance.F64);
                assertClose(
                    Dense.scaled(1 / scaled.trace()[0], scaled.gradients()),
                    Dense.scaled(1 / trace, plain.gradients()),
                    Tolerance.F64);
              }
            });
  }

  /** The same layers before a squared error. */
  private static Network squared(Network network, double scale) {
    return new Network(
        network.input(),
        network.layers(),
        network.sources(),
        new SquaredError(network.outputs(), scale),
        network.penalties());
  }

  @ParameterizedTest
  @EnumSource(FisherType.class)
  void averagingKeepsTheTracesTogether(FisherType fisher) {
    forBlocks(
        (problem, block) -> {
          double[] elsewhere = problem.theta(8, 2);
          BlockForms forms = forms(BlockForm.TRACES, Coupling.NONE);
          TraceFactors average = traces(problem, fisher, block);
          average.update(sums(problem, elsewhere, fisher, forms, false), block, 0.7);
          double[][] first = ExampleRows.of(problem, theta(problem), fisher, block).expanded();
          double[][] second = ExampleRows.of(problem, elsewhere, fisher, block).expanded();
          double[][] expanded = Dense.plus(Dense.scaled(0.7, first), Dense.scaled(0.3, second));
          double trace = Dense.trace(expanded);
          assertClose(average.trace()[0], trace, Tolerance.F64);
          assertClose(average.factors().fisherTrace(), trace, Tolerance.F64);
          assertClose(
              Dense.unpacked(average.inputs(), block.rows()),
              partialTrace(expanded, block, true),
              Tolerance.F64);
          assertClose(
              Dense.unpacked(average.gradients(), block.columns()),
              partialTrace(expanded, block, false),
              Tolerance.F64);
          assertClose(Packed.trace(average.inputs(), block.rows()), trace, Tolerance.F64);
          assertClose(Packed.trace(average.gradients(), block.columns()), trace, Tolerance.F64);
        });
  }

  /** Orthogonal matrices, one row after the other: U_Aᵀ and U_Gᵀ of each block. */
  private static List<double[]> bases(Network network) {
    List<double[]> bases = new ArrayList<>();
    for (ParameterBlock block : network.weightBlocks()) {
      for (int n : new int[] {block.rows(), block.columns()}) {
        try (org.kfac4j.linalg.Eigen eigen =
            new LapackFactorizations()
                .eigen(Dense.packed(Dense.positiveDefinite(n, n)), n, Precision.DOUBLE)) {
          bases.add(eigen.transposed().toArray());
        }
      }
    }
    return bases;
  }

  @ParameterizedTest
  @EnumSource(FisherType.class)
  void scalingsAreTheFisherMatrixsDiagonalInTheBasis(FisherType fisher) {
    forBlocks(
        (problem, block) -> {
          List<double[]> bases = bases(problem.network());
          int index = problem.network().weightBlocks().indexOf(block);
          double[][] q =
              Dense.kronecker(
                  Dense.matrix(bases.get(2 * index), 0, block.rows(), block.rows()),
                  Dense.matrix(bases.get(2 * index + 1), 0, block.columns(), block.columns()));
          Sums sums =
              sums(
                  problem,
                  theta(problem),
                  fisher,
                  forms(BlockForm.KRONECKER, Coupling.NONE),
                  true,
                  bases.toArray(double[][]::new));
          double[] scalings = sums.mean(SumNames.scalings(block), COUNT);
          double[][] f = ExampleRows.of(problem, theta(problem), fisher, block).fisher();
          double[][] rotated = Dense.times(q, Dense.times(f, Dense.transposed(q)));
          for (int i = 0; i < scalings.length; i++) {
            assertThat(scalings[i])
                .isCloseTo(
                    rotated[i][i], org.assertj.core.api.Assertions.within(1e-10 * Dense.trace(f)));
          }
          assertClose(java.util.Arrays.stream(scalings).sum(), Dense.trace(f), Tolerance.F64);
        });
  }

  @ParameterizedTest
  @EnumSource(FisherType.class)
  void theDiagonalIsThatOfTheFisherMatrix(FisherType fisher) {
    forBlocks(
        (problem, block) -> {
          Sums sums =
              sums(
                  problem, theta(problem), fisher, forms(BlockForm.DIAGONAL, Coupling.NONE), false);
          double[][] f = ExampleRows.of(problem, theta(problem), fisher, block).fisher();
          double[] expected = new double[f.length];
          java.util.Arrays.setAll(expected, i -> f[i][i]);
          assertClose(sums.mean(SumNames.diagonal(block), COUNT), expected, Tolerance.F64);
        });
  }

  @Test
  void momentsBetweenNeighboursAreThoseOfTheirRows() {
    Problem problem = Problem.random(3, Networks.dense(), COUNT);
    List<ParameterBlock> blocks = problem.network().weightBlocks();
    for (FisherType fisher : FisherType.values()) {
      CouplingMoments moments = new CouplingMoments(Coupling.NEIGHBOURS, problem.network());
      moments.update(
          sums(
              problem,
              theta(problem),
              fisher,
              forms(BlockForm.KRONECKER, Coupling.NEIGHBOURS),
              false),
          0);
      for (int i = 0; i + 1 < blocks.size(); i++) {
        ParameterBlock here = blocks.get(i);
        ParameterBlock next = blocks.get(i + 1);
        ExampleRows a = ExampleRows.of(problem, theta(problem), fisher, here);
        ExampleRows b = ExampleRows.of(problem, theta(problem), fisher, next);
        double[][] inputs = Dense.zeros(here.rows(), next.rows());
        double[][] gradients = Dense.zeros(here.columns(), next.columns());
        for (int n = 0; n < COUNT; n++) {
          inputs =
              Dense.plus(
                  inputs,
                  Dense.outer(a.examples().get(n).inputs()[0], b.examples().get(n).inputs()[0]));
          for (int pass = 0; pass < a.examples().get(n).gradients().size(); pass++) {
            gradients =
                Dense.plus(
                    gradients,
                    Dense.outer(
                        a.examples().get(n).gradients().get(pass)[0],
                        b.examples().get(n).gradients().get(pass)[0]));
          }
        }
        assertClose(
            moments.mean(SumNames.crossInputs(here, next)),
            Dense.flat(Dense.scaled(1.0 / COUNT, inputs)),
            Tolerance.F64);
        assertClose(
            moments.mean(SumNames.crossGradients(here, next)),
            Dense.flat(Dense.scaled(1.0 / COUNT, gradients)),
            Tolerance.F64);
      }
    }
  }

  @Test
  void coarseMomentsAreThoseOfSummedRows() {
    Networks.ofIndependentExamples()
        .forEach(
            network -> {
              Problem problem = Problem.random(3, network, COUNT);
              for (FisherType fisher : FisherType.values()) {
                assertCoarse(problem, fisher);
              }
            });
  }

  private static void assertCoarse(Problem problem, FisherType fisher) {
    List<ParameterBlock> blocks = problem.network().weightBlocks();
    CouplingMoments moments = new CouplingMoments(Coupling.COARSE, problem.network());
    moments.update(
        sums(problem, theta(problem), fisher, forms(BlockForm.KRONECKER, Coupling.COARSE), false),
        0);
    List<ExampleRows> rows =
        blocks.stream()
            .map(block -> ExampleRows.of(problem, theta(problem), fisher, block))
            .toList();
    int passes = rows.get(0).examples().get(0).gradients().size();
    for (int j = 0; j < blocks.size(); j++) {
      double[][] inputs = Dense.zeros(blocks.size(), blocks.get(j).rows());
      double[][] gradients = Dense.zeros(blocks.size(), blocks.get(j).columns());
      for (int n = 0; n < COUNT; n++) {
        double[] a = total(rows.get(j).examples().get(n).inputs());
        int positions = rows.get(j).examples().get(n).inputs().length;
        for (int i = 0; i < blocks.size(); i++) {
          double[][] other = rows.get(i).examples().get(n).inputs();
          double alpha = sum(total(other)) / other.length;
          inputs[i] = Dense.plus(inputs[i], Dense.scaled(alpha / positions / COUNT, a));
          for (int pass = 0; pass < passes; pass++) {
            double kappa = sum(total(rows.get(i).examples().get(n).gradients().get(pass)));
            double[] g = total(rows.get(j).examples().get(n).gradients().get(pass));
            gradients[i] = Dense.plus(gradients[i], Dense.scaled(kappa / COUNT, g));
          }
        }
      }
      assertClose(
          moments.mean(SumNames.coarseInputs(blocks.get(j))), Dense.flat(inputs), Tolerance.F64);
      assertClose(
          moments.mean(SumNames.coarseGradients(blocks.get(j))),
          Dense.flat(gradients),
          Tolerance.F64);
    }
  }

  private static double sum(double[] v) {
    return java.util.Arrays.stream(v).sum();
  }

  /** Everything at once, in one, three and uneven partitions and through serialization. */
  @Test
  void sumsDoNotDependOnPartitionsOrBlocks() {
    Networks.ofIndependentExamples()
        .forEach(
            network -> {
              Problem problem = Problem.random(3, network, COUNT);
              for (BlockForm form : List.of(BlockForm.TRACES, BlockForm.ROWS, BlockForm.DIAGONAL)) {
                BlockForms forms =
                    new BlockForms(
                        form, Coupling.COARSE, WeightSharing.KFC, BlockForm.EXACT, false, 40);
                Request request =
                    new Request.Gradient(
                        problem.all(),
                        new Request.Statistics(
                            problem.all().subset(0.7), FisherType.SAMPLED, 3, forms));
                Sums one = sums(problem, request, 100, 0, COUNT);
                Sums many = sums(problem, request, 3, 0, 1, 6, 6, COUNT);
                for (ParameterBlock block : network.weightBlocks()) {
                  assertSame(form, block, one, many);
                }
              }
            });
  }

  private static Sums sums(Problem problem, Request request, int blockRows, int... bounds) {
    try (LocalObjective objective = problem.objective(Precision.DOUBLE, blockRows, bounds);
        Objective.Point here = objective.at(theta(problem))) {
      return here.evaluate(request);
    }
  }

  private static void assertSame(BlockForm form, ParameterBlock block, Sums one, Sums many) {
    switch (form) {
      case TRACES -> {
        assertClose(
            one.scalar(SumNames.trace(block)), many.scalar(SumNames.trace(block)), Tolerance.SUMS);
        assertClose(
            one.mean(SumNames.weightedInputs(block), 1),
            many.mean(SumNames.weightedInputs(block), 1),
            Tolerance.SUMS);
        assertClose(
            one.mean(SumNames.weightedGradients(block), 1),
            many.mean(SumNames.weightedGradients(block), 1),
            Tolerance.SUMS);
      }
      case ROWS -> {
        List<double[]> expected = one.rows(SumNames.rows(block));
        List<double[]> actual = many.rows(SumNames.rows(block));
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < expected.size(); i++) {
          assertClose(actual.get(i), expected.get(i), Tolerance.SUMS);
        }
      }
      default ->
          assertClose(
              one.mean(SumNames.diagonal(block), 1),
              many.mean(SumNames.diagonal(block), 1),
              Tolerance.SUMS);
    }
    assertClose(
        one.mean(SumNames.coarseInputs(block), 1),
        many.mean(SumNames.coarseInputs(block), 1),
        Tolerance.SUMS);
  }

  @Test
  void rowsAreOfAsManyExamplesAsThereIsRoomFor() {
    Problem problem = Problem.random(3, Networks.convolution(), COUNT);
    BlockForms forms =
        new BlockForms(
            BlockForm.ROWS, Coupling.NONE, WeightSharing.KFC, BlockForm.EXACT, false, 45);
    Sums sums = sums(problem, theta(problem), FisherType.SAMPLED, forms, false);
    List<ParameterBlock> blocks = problem.network().weightBlocks();
    assertThat(sums.rows(SumNames.rows(blocks.get(0)))).hasSize(2); // 20 positions
    assertThat(sums.rows(SumNames.rows(blocks.get(1)))).hasSize(11); // 4 positions
    assertThat(sums.rows(SumNames.rows(blocks.get(2)))).hasSize(COUNT);
  }

  @Test
  void formsThatDoNotGoTogetherAreRefused() {
    assertThatThrownBy(
            () ->
                BlockForms.sharing(WeightSharing.REDUCE)
                    .withWeights(BlockForm.TRACES, Coupling.NONE))
        .hasMessageContaining("curvature.weight-sharing = reduce");
    assertThatThrownBy(() -> BlockForms.DEFAULT.withWeights(BlockForm.EXACT, Coupling.NONE))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
