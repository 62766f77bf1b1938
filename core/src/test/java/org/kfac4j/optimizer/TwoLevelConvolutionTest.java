package org.kfac4j.optimizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.kfac4j.Dense.assertClose;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.kfac4j.Dense;
import org.kfac4j.Networks;
import org.kfac4j.Problem;
import org.kfac4j.Settings;
import org.kfac4j.Tolerance;
import org.kfac4j.curvature.ExampleRows;
import org.kfac4j.curvature.FisherType;
import org.kfac4j.network.Activation;
import org.kfac4j.network.Activation.Function;
import org.kfac4j.network.ActivationLayer;
import org.kfac4j.network.ConvolutionLayer;
import org.kfac4j.network.DenseLayer;
import org.kfac4j.network.DepthwiseConvolutionLayer;
import org.kfac4j.network.FlattenLayer;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.Shape;
import org.kfac4j.network.SoftmaxCrossEntropy;
import org.kfac4j.network.SquaredError;
import org.kfac4j.network.WeightSharing;
import org.kfac4j.optimizer.TwoLevelPreconditioner.Correction;

/** The coarse correction of layers with several positions against matrices in full. */
class TwoLevelConvolutionTest {
  private static final double STRENGTH = 0.05;
  private static final int COUNT = 20;

  /** What two-level K-FAC is made of. */
  private record Case(
      String kind, Network network, FisherType fisher, WeightSharing sharing, String damping) {
    private double[] apply(String preconditioner, String correction, double[] v) {
      Settings settings =
          Settings.load(
              "two-level",
              "",
              List.of(
                  "optimizer.preconditioner=" + preconditioner,
                  "curvature.two-level.correction=" + correction,
                  "curvature.damping=" + damping,
                  "curvature.weight-sharing=" + sharing.name().toLowerCase(Locale.ROOT),
                  "curvature.fisher=" + fisher.name().toLowerCase(Locale.ROOT)));
      Kfac kfac = (Kfac) Optimizers.create(settings, Machines.DOUBLE);
      Problem problem = problem();
      try (Inverted inverted = Inverted.of(kfac, problem, problem.theta(5, 1), STRENGTH)) {
        return inverted.apply(v);
      }
    }

    double[] kfac(double[] v) {
      return apply("kfac", "additive", v);
    }

    double[] twoLevel(Correction correction, double[] v) {
      return apply("two-level", correction.name().toLowerCase(Locale.ROOT), v);
    }

    Problem problem() {
      return Problem.random(3, network, COUNT);
    }

    /** Random numbers where weights of layers are, zeros elsewhere. */
    double[] vector() {
      double[] v = new double[network.parameterCount()];
      for (ParameterBlock block : network.weightBlocks()) {
        double[] part = Dense.normal(block.index(), block.shape().size());
        System.arraycopy(part, 0, v, block.offset(), part.length);
      }
      return v;
    }

    @Override
    public String toString() {
      return String.join(" ", kind, fisher.name(), sharing.name(), damping);
    }
  }

  static Stream<Case> cases() {
    List<Case> cases = new ArrayList<>();
    for (String kind : List.of("convolution", "depthwise", "residual")) {
      Network network =
          withSquaredError(
              switch (kind) {
                case "convolution" -> Networks.convolution();
                case "depthwise" -> Networks.depthwise();
                default -> Networks.residual();
              });
      for (FisherType fisher : FisherType.values()) {
        cases.add(new Case(kind, network, fisher, WeightSharing.KFC, "factored"));
      }
      cases.add(new Case(kind, network, FisherType.SAMPLED, WeightSharing.KFC, "eigen"));
      cases.add(new Case(kind, network, FisherType.SAMPLED, WeightSharing.EXPAND, "factored"));
      cases.add(new Case(kind, network, FisherType.SAMPLED, WeightSharing.REDUCE, "factored"));
    }
    return cases.stream();
  }

  /** Of softmax, g would add up to zero and the last layer have no part in the coarse problem. */
  private static Network withSquaredError(Network network) {
    return new Network(
        network.input(),
        network.layers(),
        network.sources(),
        new SquaredError(network.outputs(), 0.5),
        network.penalties());
  }

  /** F̃ of the layers of weights as {@link TwoLevelMap} defines it, and R₀. */
  private record Whole(Case of, List<ParameterBlock> blocks, List<ExampleRows> rows) {
    static Whole of(Case each) {
      Problem problem = each.problem();
      List<ParameterBlock> blocks = each.network.weightBlocks();
      return new Whole(
          each,
          blocks,
          blocks.stream()
              .map(block -> ExampleRows.of(problem, problem.theta(5, 1), each.fisher, block))
              .toList());
    }

    /** E[ā_i ā_jᵀ] of means over positions. */
    private double[][] inputs(int i, int j) {
      double[][] sum = Dense.zeros(blocks.get(i).rows(), blocks.get(j).rows());
      for (int n = 0; n < COUNT; n++) {
        double[][] a = rows.get(i).examples().get(n).inputs();
        double[][] b = rows.get(j).examples().get(n).inputs();
        double scale = 1.0 / (COUNT * a.length * b.length);
        double[][] product = Dense.outer(ExampleRows.total(a), ExampleRows.total(b));
        sum = Dense.plus(sum, Dense.scaled(scale, product));
      }
      return sum;
    }

    /** E[g_i g_jᵀ] of sums over positions. */
    private double[][] gradients(int i, int j) {
      double[][] sum = Dense.zeros(blocks.get(i).columns(), blocks.get(j).columns());
      for (int n = 0; n < COUNT; n++) {
        List<double[][]> a = rows.get(i).examples().get(n).gradients();
        List<double[][]> b = rows.get(j).examples().get(n).gradients();
        for (int pass = 0; pass < a.size(); pass++) {
          double[][] product =
              Dense.outer(ExampleRows.total(a.get(pass)), ExampleRows.total(b.get(pass)));
          sum = Dense.plus(sum, Dense.scaled(1.0 / COUNT, product));
        }
      }
      return sum;
    }

    /** s, which is 1 by itself where A and G are made of the same means and sums. */
    private double scale(int i) {
      if (of.sharing == WeightSharing.REDUCE
          || of.network.layers().get(blocks.get(i).layer()) instanceof DenseLayer) {
        return 1;
      }
      double fine =
          Dense.sum(rows.get(i).inputMoment(of.sharing))
              * Dense.sum(rows.get(i).gradientMoment(of.sharing));
      return Math.sqrt(fine / (Dense.sum(inputs(i, i)) * Dense.sum(gradients(i, i))));
    }

    private double[][] diagonalBlock(int i) {
      double[][] a = rows.get(i).inputMoment(of.sharing);
      double[][] g = rows.get(i).gradientMoment(of.sharing);
      return of.damping.equals("factored")
          ? FactoredDamping.of(a, g, STRENGTH)
          : Dense.shifted(Dense.kronecker(a, g), STRENGTH);
    }

    double[][] matrix() {
      int n = of.network.parameterCount();
      double[][] matrix = Dense.zeros(n, n);
      for (int i = 0; i < blocks.size(); i++) {
        for (int j = 0; j < blocks.size(); j++) {
          double[][] block =
              i == j
                  ? diagonalBlock(i)
                  : Dense.scaled(
                      scale(i) * scale(j), Dense.kronecker(inputs(i, j), gradients(i, j)));
          for (int k = 0; k < block.length; k++) {
            double[] row = matrix[blocks.get(i).offset() + k];
            System.arraycopy(block[k], 0, row, blocks.get(j).offset(), block[k].length);
          }
        }
      }
      return matrix;
    }

    double[][] restriction() {
      double[][] r = Dense.zeros(blocks.size(), of.network.parameterCount());
      for (int i = 0; i < r.length; i++) {
        Arrays.fill(r[i], blocks.get(i).offset(), blocks.get(i).end(), 1);
      }
      return r;
    }

    double[][] coarse() {
      double[][] r = restriction();
      return Dense.times(r, Dense.times(matrix(), Dense.transposed(r)));
    }

    /** What damping adds to the coarse matrix's diagonal. */
    double[][] coarseDamping() {
      double[] added = new double[blocks.size()];
      for (int i = 0; i < added.length; i++) {
        added[i] =
            Dense.sum(diagonalBlock(i))
                - Dense.sum(rows.get(i).inputMoment(of.sharing))
                    * Dense.sum(rows.get(i).gradientMoment(of.sharing));
      }
      return Dense.diagonal(added);
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void theAdditiveFormAddsTheCoarseSolution(Case each) {
    Whole whole = Whole.of(each);
    double[][] r = whole.restriction();
    double[] v = each.vector();
    double[] kfac = each.kfac(v);
    double[] correction =
        Dense.times(Dense.transposed(r), Dense.solve(whole.coarse(), Dense.times(r, v)));
    double[] u = each.twoLevel(Correction.ADDITIVE, v);
    assertClose(u, Dense.plus(kfac, correction), Tolerance.F64);
    assertThat(Dense.dot(u, v)).isPositive();
    assertThat(Dense.norm(correction)).isGreaterThan(1e-3 * Dense.norm(kfac));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void theResidualFormIsTheBestOverTheCoarseSpace(Case each) {
    Whole whole = Whole.of(each);
    double[][] f = whole.matrix();
    double[][] r = whole.restriction();
    double[][] coarse = whole.coarse();
    double[] v = each.vector();
    double[] first = each.kfac(v);
    double[] second = each.twoLevel(Correction.RESIDUAL, v);
    double[] residual = Dense.times(r, Dense.minus(v, Dense.times(f, first)));
    double[] solved = Dense.solve(coarse, residual);
    assertClose(second, Dense.plus(first, Dense.times(Dense.transposed(r), solved)), Tolerance.F64);
    double[] left = Dense.times(r, Dense.minus(v, Dense.times(f, second)));
    assertThat(Dense.norm(left)).isLessThan(1e-9 * Dense.norm(residual));
    double predicted = 0.5 * Dense.dot(residual, solved);
    assertThat(predicted).isPositive();
    double gain = energy(f, v, first) - energy(f, v, second);
    // A difference of two energies.
    assertThat(gain).isCloseTo(predicted, within(1e-12 * Math.abs(energy(f, v, first))));
  }

  /** ½ uᵀ F u − vᵀ u. */
  private static double energy(double[][] f, double[] v, double[] u) {
    return 0.5 * Dense.dot(u, Dense.times(f, u)) - Dense.dot(v, u);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void theCoarseMatrixIsThatOfTheWholeSymmetricAndPositive(Case each) {
    Whole whole = Whole.of(each);
    // F_c⁻¹ is what unit gradients of one layer move the others by.
    double[][] r = whole.restriction();
    double[][] inverse = new double[r.length][r.length];
    for (int i = 0; i < r.length; i++) {
      double[] v = Dense.scaled(1 / Dense.dot(r[i], r[i]), r[i]);
      double[] moved = Dense.minus(each.twoLevel(Correction.ADDITIVE, v), each.kfac(v));
      for (int j = 0; j < r.length; j++) {
        inverse[j][i] = Dense.dot(r[j], moved) / Dense.dot(r[j], r[j]);
      }
    }
    assertClose(inverse, Dense.transposed(inverse), Tolerance.F64);
    double[][] actual = Dense.inverse(inverse);
    assertClose(actual, whole.coarse(), Tolerance.F64);
    // Positive without the damping too: a product of Gram matrices between two diagonal ones.
    assertThat(
            Arrays.stream(Dense.pivots(Dense.minus(actual, whole.coarseDamping())))
                .min()
                .orElseThrow())
        .isPositive();
  }

  @ParameterizedTest
  @EnumSource(Correction.class)
  void aConvolutionWithOnePositionIsADenseLayer(Correction correction) {
    Shape in = new Shape(2, 2, 2);
    ConvolutionLayer first = new ConvolutionLayer("first", Networks.window(in, 2, 1, 0), 3, true);
    ActivationLayer tanh =
        new ActivationLayer("tanh", first.outputShape(), Activation.of(Function.TANH));
    Network maps =
        Network.of(
            new SquaredError(3, 0.5),
            first,
            tanh,
            new FlattenLayer("flat", first.outputShape()),
            new DenseLayer("second", 3, 3, true));
    Network dense = Problem.network(new SquaredError(3, 0.5), Function.TANH, true, 8, 3, 3);
    Problem ofMaps = Problem.random(3, maps, COUNT);
    Problem ofDense =
        new Problem(dense, channelsLast(ofMaps.features(), in), null, ofMaps.targets());
    Preconditioner two = new TwoLevelPreconditioner(new KfacPreconditioner(), correction, 1);
    double[] v = Dense.normal(8, dense.parameterCount());
    for (FisherType fisher : FisherType.values()) {
      try (Inverted one = Inverted.of(two, ofMaps, ofMaps.theta(5, 1), fisher, STRENGTH);
          Inverted other = Inverted.of(two, ofDense, ofDense.theta(5, 1), fisher, STRENGTH)) {
        assertClose(one.apply(v), other.apply(v), Tolerance.F64);
      }
    }
  }

  /** Examples come channel by channel, and layers keep the channels of a position together. */
  private static float[] channelsLast(float[] features, Shape map) {
    float[] turned = new float[features.length];
    for (int i = 0; i < turned.length; i++) {
      int at = i % map.size();
      int position = at / map.channels();
      int channel = at % map.channels();
      turned[i] = features[i - at + channel * map.positions() + position];
    }
    return turned;
  }

  /** Every example has something in one channel only, so that F_c is diagonal. */
  @Test
  void blocksThatHaveNothingInCommonAreCorrectedOneByOne() {
    Network network = channels();
    Problem mixed = Problem.random(3, network, COUNT);
    float[] apart = mixed.features().clone();
    for (int i = 0; i < apart.length; i++) {
      int example = i / network.inputs();
      int channel = i % network.inputs() / network.input().positions();
      if (example % 2 == channel) {
        apart[i] = 0;
      }
    }
    Problem problem = new Problem(network, apart, mixed.labels(), null);
    double[] v = Dense.normal(8, network.parameterCount());
    for (FisherType fisher : FisherType.values()) {
      double[] kfac = apply(new KfacPreconditioner(), problem, fisher, v);
      double[] expected = kfac.clone();
      for (ParameterBlock block : network.weightBlocks()) {
        ExampleRows rows = ExampleRows.of(problem, problem.theta(5, 1), fisher, block);
        double[][] fine =
            FactoredDamping.of(
                rows.inputMoment(WeightSharing.KFC),
                rows.gradientMoment(WeightSharing.KFC),
                STRENGTH);
        double correction = Arrays.stream(v, block.offset(), block.end()).sum() / Dense.sum(fine);
        for (int i = block.offset(); i < block.end(); i++) {
          expected[i] += correction;
        }
      }
      assertClose(apply(Correction.ADDITIVE, problem, fisher, v), expected, Tolerance.F64);
      assertClose(apply(Correction.RESIDUAL, problem, fisher, v), kfac, Tolerance.F64);
      // Else there would be nothing to couple.
      assertThat(
              Dense.distance(
                  apply(Correction.RESIDUAL, mixed, fisher, v),
                  apply(new KfacPreconditioner(), mixed, fisher, v)))
          .isGreaterThan(1e-3);
    }
  }

  /** Two channels with filters of their own, each a block; softmax couples their gradients. */
  private static Network channels() {
    DepthwiseConvolutionLayer layer =
        new DepthwiseConvolutionLayer(
            "depthwise", Networks.window(new Shape(3, 3, 2), 2, 1, 0), 2, false);
    return Network.of(
        new SoftmaxCrossEntropy(layer.outputs()),
        layer,
        new FlattenLayer("flat", layer.outputShape()));
  }

  private static double[] apply(
      Correction correction, Problem problem, FisherType fisher, double[] v) {
    return apply(
        new TwoLevelPreconditioner(new KfacPreconditioner(), correction, 1), problem, fisher, v);
  }

  private static double[] apply(
      Preconditioner preconditioner, Problem problem, FisherType fisher, double[] v) {
    try (Inverted inverted =
        Inverted.of(preconditioner, problem, problem.theta(5, 1), fisher, STRENGTH)) {
      return inverted.apply(v);
    }
  }
}
