package org.kfac4j.optimizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.kfac4j.Dense.assertClose;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.kfac4j.Dense;
import org.kfac4j.LinearLayer;
import org.kfac4j.Networks;
import org.kfac4j.Problem;
import org.kfac4j.Snapshot;
import org.kfac4j.Tolerance;
import org.kfac4j.curvature.ExampleRows;
import org.kfac4j.curvature.FisherType;
import org.kfac4j.curvature.FullBlock;
import org.kfac4j.curvature.Request;
import org.kfac4j.curvature.SumNames;
import org.kfac4j.curvature.Sums;
import org.kfac4j.data.Batch;
import org.kfac4j.network.Activation;
import org.kfac4j.network.ActivationLayer;
import org.kfac4j.network.ConvolutionLayer;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.Shape;
import org.kfac4j.network.SoftmaxCrossEntropy;

/**
 * EKFAC and TEKFAC on every kind of layer against Fisher blocks in full: arXiv:1806.03884 §3 and
 * lemma 1, arXiv:2011.13609 eq. 3.1 to 3.4 and theorem 3.1.
 */
class EigenIdentitiesTest {
  private static final int COUNT = 13;
  private static final double STRENGTH = 0.05;
  private static final Scalings EXAMPLES = new Scalings(Scalings.Source.EXAMPLES, 1, 0);

  /** A preconditioner, and the factors that its basis comes from. */
  private record Form(Preconditioner preconditioner, Function<ExampleRows, FullBlock> full) {}

  private static final List<Form> FORMS =
      List.of(
          new Form(new EkfacPreconditioner(EXAMPLES), FullBlock::kfac),
          new Form(new TekfacPreconditioner(EXAMPLES), FullBlock::tkfac));

  /**
   * A block as a preconditioner has made it.
   *
   * @param full in the preconditioner's basis
   * @param eigenvalues the preconditioner's
   */
  private record Made(String name, FullBlock full, double[] eigenvalues) {}

  /** Of networks whose blocks are all of weights. */
  private static List<Made> made(Form form, Problem problem, double[] theta, FisherType fisher) {
    List<Made> made = new ArrayList<>();
    try (Inverted inverted = Inverted.of(form.preconditioner, problem, theta, fisher, STRENGTH)) {
      List<double[]> bases = inverted.inverse.bases();
      List<double[]> eigenvalues = eigenvalues(inverted);
      List<ParameterBlock> blocks = problem.network().weightBlocks();
      for (int i = 0; i < blocks.size(); i++) {
        ParameterBlock block = blocks.get(i);
        double[][] basis =
            Dense.kronecker(
                Dense.matrix(bases.get(2 * i), 0, block.rows(), block.rows()),
                Dense.matrix(bases.get(2 * i + 1), 0, block.columns(), block.columns()));
        FullBlock full = form.full.apply(ExampleRows.of(problem, theta, fisher, block));
        made.add(new Made(block.name(), full.in(basis), eigenvalues.get(i)));
      }
    }
    return made;
  }

  /** S of each block. */
  private static List<double[]> eigenvalues(Inverted inverted) {
    Snapshot saved = new Snapshot();
    inverted.inverse.save(saved);
    List<double[]> eigenvalues = new ArrayList<>();
    for (int i = 0; saved.contains("inverse " + i + " S"); i++) {
      eigenvalues.add(saved.doubles("inverse " + i + " S"));
    }
    return eigenvalues;
  }

  private static double[] part(double[] v, ParameterBlock block) {
    return Arrays.copyOfRange(v, block.offset(), block.end());
  }

  /** ‖F − Qᵀ diag(s + h e_i) Q‖² = ‖F − Qᵀ diag(s) Q‖² + h² for every i and h. */
  @ParameterizedTest
  @EnumSource(FisherType.class)
  void everyOtherEigenvalueInTheBasisIsFartherFromTheFisherMatrix(FisherType fisher) {
    for (Network network : Networks.ofIndependentExamples().toList()) {
      Problem problem = Problem.random(3, network, COUNT);
      for (Form form : FORMS) {
        for (Made block : made(form, problem, problem.theta(5, 1), fisher)) {
          double[][] rest = Dense.minus(block.full.fisher(), block.full.matrix(block.eigenvalues));
          double least = Dense.squares(rest);
          double rounding = Tolerance.F64 * Dense.squares(block.full.fisher());
          double h = 0.1 * Arrays.stream(block.eigenvalues).max().orElseThrow();
          for (double[] q : block.full.basis()) {
            for (double step : new double[] {h, -h}) {
              double error =
                  Dense.squares(Dense.minus(rest, Dense.scaled(step, Dense.outer(q, q))));
              assertThat(error).as(block.name).isGreaterThan(least);
              assertThat(error - least).as(block.name).isCloseTo(h * h, within(rounding));
            }
          }
        }
      }
    }
  }

  /** ‖F − A ⊗ G‖² − ‖F − Q S Qᵀ‖² = ‖S − s_A s_Gᵀ‖², and the same with δ Φ ⊗ Ψ and Θ. */
  @ParameterizedTest
  @EnumSource(FisherType.class)
  void errorsOfTheProductGoDownByTheDifferenceOfEigenvalues(FisherType fisher) {
    for (Network network : Networks.ofIndependentExamples().toList()) {
      Problem problem = Problem.random(3, network, COUNT);
      for (Form form : FORMS) {
        for (Made block : made(form, problem, problem.theta(5, 1), fisher)) {
          FullBlock full = block.full;
          assertClose(full.matrix(full.products()), full.product(), Tolerance.F64);
          double before = Dense.squares(Dense.minus(full.fisher(), full.product()));
          double after = full.error(block.eigenvalues);
          double[] difference = Dense.minus(block.eigenvalues, full.products());
          assertThat(before - after)
              .as(block.name)
              .isCloseTo(
                  Dense.dot(difference, difference),
                  within(Tolerance.F64 * Dense.squares(full.fisher())));
          assertThat(after).as(block.name).isLessThan(before);
        }
      }
    }
  }

  /** With eigenvectors and eigenvalues found apart from the preconditioner's. */
  @ParameterizedTest
  @EnumSource(FisherType.class)
  void applyingSolvesWithTheDampedMatrix(FisherType fisher) {
    for (Network network : Networks.ofIndependentExamples().toList()) {
      Problem problem = Problem.random(3, network, COUNT);
      double[] theta = problem.theta(5, 1);
      double[] v = Dense.normal(8, network.parameterCount());
      for (Form form : FORMS) {
        double[] applied = apply(form.preconditioner, problem, theta, fisher, v);
        for (ParameterBlock block : network.weightBlocks()) {
          FullBlock full = form.full.apply(ExampleRows.of(problem, theta, fisher, block));
          double[][] damped = Dense.shifted(full.matrix(full.best()), STRENGTH);
          assertClose(
              block.name(),
              part(applied, block),
              Dense.solve(damped, part(v, block)),
              Tolerance.F64);
        }
      }
    }
  }

  private static double[] apply(
      Preconditioner preconditioner,
      Problem problem,
      double[] theta,
      FisherType fisher,
      double[] v) {
    try (Inverted inverted = Inverted.of(preconditioner, problem, theta, fisher, STRENGTH)) {
      return inverted.apply(v);
    }
  }

  /** S = s_A s_Gᵀ, and the map is K-FAC's in the eigenbasis and the inverse of F + λ I. */
  private static void assertIsKfac(Problem problem, double[] theta, FisherType fisher) {
    double[] v = Dense.normal(8, problem.network().parameterCount());
    double[] kfac = apply(new EigenPreconditioner(), problem, theta, fisher, v);
    for (Form form : FORMS) {
      for (Made block : made(form, problem, theta, fisher)) {
        assertClose(block.name, block.eigenvalues, block.full.products(), Tolerance.F64);
      }
      double[] applied = apply(form.preconditioner, problem, theta, fisher, v);
      assertClose(applied, kfac, Tolerance.F64);
      for (ParameterBlock block : problem.network().weightBlocks()) {
        double[][] f = ExampleRows.of(problem, theta, fisher, block).fisher();
        assertClose(
            block.name(),
            part(applied, block),
            Dense.solve(Dense.shifted(f, STRENGTH), part(v, block)),
            Tolerance.F64);
      }
    }
  }

  /** Convolutions whose kernels are as large as their maps. */
  private static Network onePosition() {
    ConvolutionLayer first =
        new ConvolutionLayer("conv1", Networks.window(new Shape(3, 3, 2), 3, 1, 0), 4, true);
    Shape map = first.outputShape();
    return Network.of(
        new SoftmaxCrossEntropy(3),
        first,
        new ActivationLayer("act1", map, Activation.of(Activation.Function.TANH)),
        new ConvolutionLayer("conv2", Networks.window(map, 1, 1, 0), 3, false));
  }

  @ParameterizedTest
  @EnumSource(FisherType.class)
  void ofOneExampleItIsKfacInTheEigenbasis(FisherType fisher) {
    for (Network network : List.of(Networks.dense(), onePosition())) {
      Problem problem = Problem.random(3, network, 1);
      assertIsKfac(problem, problem.theta(5, 1), fisher);
    }
  }

  @Test
  void ofIndependentInputsAndGradientsItIsKfacInTheEigenbasis() {
    for (Problem problem : List.of(LinearLayer.denseProduct(), LinearLayer.convolutionProduct())) {
      double[] zero = new double[problem.network().parameterCount()];
      assertIsKfac(problem, zero, FisherType.EMPIRICAL);
    }
  }

  /** Positions are correlated, which A ⊗ G does not know; nor is it F of many examples. */
  @Test
  void otherwiseItIsNot() {
    Problem positions = Problem.random(3, Networks.convolution(), 1);
    Problem examples = Problem.random(3, Networks.dense(), COUNT);
    for (Problem problem : List.of(positions, examples)) {
      for (Form form : FORMS) {
        Made first = made(form, problem, problem.theta(5, 1), FisherType.EMPIRICAL).get(0);
        assertThat(Dense.distance(first.eigenvalues, first.full.products())).isGreaterThan(0.01);
      }
    }
  }

  /** EKFAC-ra: S ← ε S + (1 − ε) N (U_Aᵀ M U_G)∘², M the mean gradient of N examples. */
  @Test
  void theMeanGradientOfOneExampleMakesTheEigenvaluesOfTheExample() {
    for (Network network : Networks.ofIndependentExamples().toList()) {
      Problem problem = Problem.random(3, network, COUNT);
      double[] theta = problem.theta(5, 1);
      for (Form form : FORMS) {
        Kfac settings = Inverted.settings(form.preconditioner, FisherType.EMPIRICAL);
        List<Made> blocks = made(form, problem, theta, FisherType.EMPIRICAL);
        try (Inverted byExample = Inverted.of(settings, problem, theta, STRENGTH);
            Inverted byGradient = Inverted.of(settings, problem, theta, STRENGTH)) {
          int place = 4;
          Sums sums = ofOne(settings, problem, theta, place, byExample.inverse.bases());
          double[] gradient = sums.mean(SumNames.GRADIENT, 1);
          byExample.inverse.rescale(sums, 0);
          byGradient.inverse.rescale(gradient, 1, 0);
          assertProjected(problem, theta, place, blocks, eigenvalues(byExample), 1);
          assertProjected(problem, theta, place, blocks, eigenvalues(byGradient), 1);
          // As the mean of ten examples, with a past.
          byGradient.inverse.rescale(gradient, 10, 0.75);
          assertProjected(problem, theta, place, blocks, eigenvalues(byGradient), 0.75 + 0.25 * 10);
        }
      }
    }
  }

  /** The gradient of the example at a place, and its squared projections. */
  private static Sums ofOne(
      Kfac settings, Problem problem, double[] theta, int place, List<double[]> bases) {
    Batch one = new Batch(problem.count(), problem.all().seed(), place, 1);
    Request.Statistics scalings =
        new Request.Statistics(
            one, FisherType.EMPIRICAL, Inverted.SEED, settings.forms(), false, true);
    return problem.sums(theta, new Request.Gradient(one, scalings), bases.toArray(double[][]::new));
  }

  /** S = factor (Q u)∘² with u the gradient of one example. */
  private static void assertProjected(
      Problem problem,
      double[] theta,
      int place,
      List<Made> blocks,
      List<double[]> eigenvalues,
      double factor) {
    List<ParameterBlock> weights = problem.network().weightBlocks();
    for (int i = 0; i < weights.size(); i++) {
      ExampleRows rows = ExampleRows.of(problem, theta, FisherType.EMPIRICAL, weights.get(i));
      double[] u = Dense.flat(rows.examples().get(place).gradient(0));
      double[] projected = Dense.times(blocks.get(i).full.basis(), u);
      double[] expected = Arrays.stream(projected).map(x -> factor * x * x).toArray();
      assertClose(weights.get(i).name(), eigenvalues.get(i), expected, Tolerance.F64);
    }
  }
}
