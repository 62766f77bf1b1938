package org.kfac4j.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.kfac4j.Dense.assertClose;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.kfac4j.Dense;
import org.kfac4j.Problem;
import org.kfac4j.Tolerance;
import org.kfac4j.curvature.BlockForms;
import org.kfac4j.curvature.FisherType;
import org.kfac4j.curvature.KroneckerFactors;
import org.kfac4j.curvature.Request;
import org.kfac4j.curvature.SumNames;
import org.kfac4j.curvature.Sums;
import org.kfac4j.linalg.Accumulator;
import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Precision;

/**
 * Ω, Γ and gradients of convolutions against plain loops over positions, and A ⊗ G against the
 * exact Fisher matrix where it is exact: arXiv:1602.01407, arXiv:2311.00636.
 */
class ConvolutionCurvatureTest {
  /** A layer with inputs and output gradients for n examples. */
  private record Setting(ConvolutionLayer layer, double[] maps, double[] gradients, int n) {
    static Setting random(ConvolutionLayer layer, int n) {
      return new Setting(
          layer, Dense.normal(1, n * layer.inputs()), Dense.normal(2, n * layer.outputs()), n);
    }

    /** The patch of an example at position t, with the one at its end if there is a bias. */
    double[] patch(int example, int t) {
      Window w = layer.window();
      Shape in = w.in();
      double[] patch = new double[layer.parameterRows()];
      patch[patch.length - 1] = 1;
      for (int i = 0; i < w.kernelHeight(); i++) {
        for (int j = 0; j < w.kernelWidth(); j++) {
          int y = t / w.outWidth() * w.strideHeight() - w.padTop() + i * w.dilationHeight();
          int x = t % w.outWidth() * w.strideWidth() - w.padLeft() + j * w.dilationWidth();
          boolean inside = y >= 0 && y < in.height() && x >= 0 && x < in.width();
          for (int c = 0; c < in.channels(); c++) {
            patch[(i * w.kernelWidth() + j) * in.channels() + c] =
                inside ? maps[example * in.size() + (y * in.width() + x) * in.channels() + c] : 0;
          }
        }
      }
      return patch;
    }

    double[] gradient(int example, int t) {
      int from = example * layer.outputs() + t * layer.filters();
      return Arrays.copyOfRange(gradients, from, from + layer.filters());
    }

    /** Runs {@code work} with these inputs and gradients in buffers. */
    double[] with(int rows, int columns, Work work) {
      try (Rows in = Rows.activations(Precision.DOUBLE, n, layer.window().in());
          Rows out = Rows.activations(Precision.DOUBLE, n, layer.outputShape());
          Rows g = Rows.derivatives(Precision.DOUBLE, n, layer.outputShape());
          Scratch scratch = new Scratch(Precision.DOUBLE);
          Matrix result = Matrix.zeros(Precision.DOUBLE, rows, columns)) {
        in.put(maps, n);
        g.put(gradients, n);
        LayerBuffers buffers = new LayerBuffers(List.of(in), out, scratch);
        buffers.setGradientOut(g);
        Accumulator sum = new Accumulator(result);
        work.apply(buffers, sum);
        return sum.sum().toArray();
      }
    }

    double[][] inputMoment(WeightSharing sharing) {
      int r = layer.parameterRows();
      return symmetric(
          with(r, r, (buffers, sum) -> layer.addInputMoments(buffers, n, sharing, List.of(sum))),
          r);
    }

    double[][] gradientMoment(WeightSharing sharing) {
      int c = layer.parameterColumns();
      return symmetric(
          with(c, c, (buffers, sum) -> layer.addGradientMoments(buffers, n, sharing, List.of(sum))),
          c);
    }
  }

  @FunctionalInterface
  private interface Work {
    void apply(LayerBuffers buffers, Accumulator sum);
  }

  private static double[][] symmetric(double[] lower, int n) {
    double[][] a = Dense.matrix(lower, 0, n, n);
    for (int i = 0; i < n; i++) {
      for (int j = i + 1; j < n; j++) {
        a[i][j] = a[j][i];
      }
    }
    return a;
  }

  private static ConvolutionLayer layer(
      Shape in,
      boolean same,
      int[] kernel,
      int[] stride,
      int[] padding,
      int[] dilation,
      boolean bias) {
    Window window =
        same
            ? Window.same(in, kernel, stride, dilation)
            : Window.padded(in, kernel, stride, padding, dilation);
    return new ConvolutionLayer("conv", window, 4, bias);
  }

  static Stream<ConvolutionLayer> layers() {
    return layers(new Shape(6, 7, 3), new Shape(9, 8, 1));
  }

  /** With so many channels Ω is made another way. */
  static Stream<ConvolutionLayer> layersWithManyChannels() {
    return layers(new Shape(8, 7, 17));
  }

  private static Stream<ConvolutionLayer> layers(Shape... shapes) {
    int[] one = {1, 1};
    int[] none = {0, 0};
    return Stream.of(shapes)
        .flatMap(
            in ->
                Stream.of(
                    layer(in, false, new int[] {3, 3}, one, none, one, true),
                    layer(in, false, new int[] {3, 3}, one, new int[] {1, 1}, one, true),
                    layer(in, false, new int[] {5, 4}, one, new int[] {2, 3}, one, true),
                    layer(in, true, new int[] {3, 3}, one, none, one, true),
                    layer(in, true, new int[] {4, 2}, one, none, one, true),
                    layer(in, true, new int[] {3, 3}, one, none, one, false),
                    layer(in, false, new int[] {3, 2}, new int[] {2, 3}, none, one, true),
                    layer(in, true, new int[] {3, 3}, new int[] {2, 2}, none, one, true),
                    layer(
                        in, false, new int[] {2, 3}, one, new int[] {1, 2}, new int[] {2, 2}, true),
                    layer(
                        in,
                        true,
                        new int[] {2, 2},
                        new int[] {2, 1},
                        none,
                        new int[] {3, 1},
                        false),
                    layer(in, false, new int[] {6, 7}, one, none, one, true),
                    layer(in, false, one, one, none, one, true)));
  }

  /** Enough examples for several pieces of the patch matrix. */
  @ParameterizedTest
  @MethodSource({"layers", "layersWithManyChannels"})
  void momentsAndGradientsAreThoseOfALoopOverPositions(ConvolutionLayer layer) {
    Setting setting = Setting.random(layer, layer.window().in().channels() > 3 ? 4 : 60);
    int t = layer.window().positions();
    int r = layer.parameterRows();
    int c = layer.parameterColumns();
    double[][] omega = Dense.zeros(r, r);
    double[][] gamma = Dense.zeros(c, c);
    double[][] omegaReduced = Dense.zeros(r, r);
    double[][] gammaReduced = Dense.zeros(c, c);
    double[][] gradient = Dense.zeros(r, c);
    for (int example = 0; example < setting.n(); example++) {
      double[] patches = new double[r];
      double[] gs = new double[c];
      for (int p = 0; p < t; p++) {
        double[] patch = setting.patch(example, p);
        double[] g = setting.gradient(example, p);
        omega = Dense.plus(omega, Dense.outer(patch, patch));
        gamma = Dense.plus(gamma, Dense.outer(g, g));
        gradient = Dense.plus(gradient, Dense.outer(patch, g));
        patches = Dense.plus(patches, patch);
        gs = Dense.plus(gs, g);
      }
      omegaReduced = Dense.plus(omegaReduced, Dense.outer(patches, patches));
      gammaReduced = Dense.plus(gammaReduced, Dense.outer(gs, gs));
    }
    assertClose(
        setting.with(r, c, (buffers, sum) -> layer.addGradient(buffers, setting.n(), List.of(sum))),
        Dense.flat(gradient),
        Tolerance.F64);
    assertClose(setting.inputMoment(WeightSharing.KFC), omega, Tolerance.F64);
    assertClose(
        setting.gradientMoment(WeightSharing.KFC), Dense.scaled(1.0 / t, gamma), Tolerance.F64);
    assertClose(
        setting.inputMoment(WeightSharing.EXPAND), Dense.scaled(1.0 / t, omega), Tolerance.F64);
    assertClose(setting.gradientMoment(WeightSharing.EXPAND), gamma, Tolerance.F64);
    assertClose(
        setting.inputMoment(WeightSharing.REDUCE),
        Dense.scaled(1.0 / t / t, omegaReduced),
        Tolerance.F64);
    assertClose(setting.gradientMoment(WeightSharing.REDUCE), gammaReduced, Tolerance.F64);
    if (layer.hasBias()) {
      // The corner of Ω counts positions.
      assertClose(omega[r - 1][r - 1], (double) t * setting.n(), Tolerance.F64);
    }
  }

  /** Spec §12.1: two examples, one channel of 3 × 3, kernel 2 × 2, two outputs. */
  @Test
  void theFixtureComesOut() {
    ConvolutionLayer layer =
        new ConvolutionLayer(
            "conv",
            Window.padded(
                new Shape(3, 3, 1),
                new int[] {2, 2},
                new int[] {1, 1},
                new int[] {0, 0},
                new int[] {1, 1}),
            2,
            true);
    Setting both =
        new Setting(
            layer,
            new double[] {1, 2, 0, 0, 1, 3, 2, 1, 0, 0, 1, 1, 1, 0, 2, 1, 1, 0},
            new double[] {1, 0, 0, 1, -1, 1, 2, -1, 0, 1, 1, 1, 1, -1, 0, 2},
            2);
    assertThat(both.inputMoment(WeightSharing.KFC))
        .isEqualTo(
            new double[][] {
              {8, 6, 4, 10, 6},
              {6, 20, 8, 5, 10},
              {4, 8, 9, 6, 7},
              {10, 5, 6, 16, 8},
              {6, 10, 7, 8, 8}
            });
    // 2 · Γ with Γ = [8 −3; −3 10] / 8.
    assertThat(both.gradientMoment(WeightSharing.KFC))
        .isEqualTo(new double[][] {{2, -0.75}, {-0.75, 2.5}});
    assertThat(Dense.scaled(16, both.inputMoment(WeightSharing.REDUCE)))
        .isEqualTo(
            new double[][] {
              {20, 32, 22, 26, 24},
              {32, 52, 36, 42, 40},
              {22, 36, 25, 29, 28},
              {26, 42, 29, 34, 32},
              {24, 40, 28, 32, 32}
            });
    assertThat(both.gradientMoment(WeightSharing.REDUCE))
        .isEqualTo(new double[][] {{8, 8}, {8, 10}});
    // DW₁ + DW₂, transposed.
    assertThat(
            Dense.matrix(
                both.with(5, 2, (buffers, sum) -> layer.addGradient(buffers, 2, List.of(sum))),
                0,
                5,
                2))
        .isEqualTo(new double[][] {{5, 1}, {8, 4}, {1, 4}, {3, 5}, {4, 4}});
    // tr Ω tr Γ.
    double[][] omega = Dense.scaled(0.5, both.inputMoment(WeightSharing.KFC));
    double[][] gamma = Dense.scaled(0.5, both.gradientMoment(WeightSharing.KFC));
    assertThat(Dense.trace(omega) * Dense.trace(gamma)).isEqualTo(68.625);
  }

  /** Blocks of examples may come one after the other, and to one sum or another. */
  @ParameterizedTest
  @MethodSource({"layers", "layersWithManyChannels"})
  void momentsOfBlocksAddUp(ConvolutionLayer layer) {
    int r = layer.parameterRows();
    Setting setting = Setting.random(layer, 4);
    double[] once =
        setting.with(
            r,
            r,
            (buffers, sum) -> layer.addInputMoments(buffers, 4, WeightSharing.KFC, List.of(sum)));
    double[] parts =
        setting.with(
            r,
            r,
            (buffers, sum) -> {
              try (Matrix room = Matrix.zeros(Precision.DOUBLE, r, r)) {
                Accumulator other = new Accumulator(room);
                layer.addInputMoments(buffers, 1, WeightSharing.KFC, List.of(other));
                layer.addInputMoments(buffers, 3, WeightSharing.KFC, List.of(sum));
                layer.addInputMoments(buffers, 4, WeightSharing.KFC, List.of(sum));
                layer.addInputMoments(buffers, 1, WeightSharing.KFC, List.of(sum));
                // What another sum has got shows in that one only.
                assertThat(other.sum().toArray()[0]).isLessThanOrEqualTo(sum.sum().toArray()[0]);
                sum.clear();
                layer.addInputMoments(buffers, 2, WeightSharing.KFC, List.of(sum));
                layer.addInputMoments(buffers, 2, WeightSharing.KFC, List.of(sum));
              }
            });
    double[] two =
        setting.with(
            r,
            r,
            (buffers, sum) -> layer.addInputMoments(buffers, 2, WeightSharing.KFC, List.of(sum)));
    assertClose("twice", lower(parts, r), Dense.scaled(2, lower(two, r)), Tolerance.F64);
    assertThat(Dense.distance(lower(once, r), lower(two, r))).isPositive();
  }

  private static double[] lower(double[] square, int n) {
    double[] lower = square.clone();
    for (int i = 0; i < lower.length; i++) {
      lower[i] = i % n > i / n ? 0 : lower[i];
    }
    return lower;
  }

  private static KroneckerFactors factors(Problem problem, double[] theta, WeightSharing sharing) {
    Sums sums =
        problem.sums(
            theta,
            new Request.Gradient(
                problem.all(),
                new Request.Statistics(
                    problem.all(), FisherType.EXACT, 1, BlockForms.sharing(sharing))));
    Network.ParameterBlock block = problem.network().blocks().get(0);
    return KroneckerFactors.of(sums, block);
  }

  /** The exact Fisher matrix from forward products with unit vectors. */
  static double[][] fisher(Problem problem, double[] theta) {
    int n = theta.length;
    Sums sums = problem.sums(theta, new Request.Products(problem.all(), n), Dense.identity(n));
    double[][] fisher = new double[n][n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        fisher[i][j] = sums.scalar(SumNames.product(i, j)) / problem.count();
      }
    }
    return fisher;
  }

  private static double error(Problem problem, double[] theta, WeightSharing sharing) {
    double[][] fisher = fisher(problem, theta);
    return Math.sqrt(
        Dense.squares(Dense.minus(Problem.block(factors(problem, theta, sharing)), fisher))
            / Dense.squares(fisher));
  }

  /** Derivatives at different positions are uncorrelated: they do not even share an output. */
  @ParameterizedTest
  @MethodSource("layers")
  void aConvolutionBeforeASquaredErrorHasOmegaTimesGammaAsItsFisherMatrix(ConvolutionLayer layer) {
    Network network =
        Network.of(
            new SquaredError(layer.outputs(), 0.5),
            layer,
            new FlattenLayer("flatten", layer.outputShape()));
    if (layer.outputShape().isVector()) {
      network = Network.of(new SquaredError(layer.outputs(), 0.5), layer);
    }
    Problem problem = Problem.random(3, network, 6);
    double[] theta = problem.theta(4, 1);
    assertThat(error(problem, theta, WeightSharing.KFC)).isLessThan(Tolerance.F64);
    assertThat(error(problem, theta, WeightSharing.EXPAND)).isLessThan(Tolerance.F64);
    assertThat(factors(problem, theta, WeightSharing.KFC).gradients())
        .containsExactly(
            Dense.packed(Dense.identity(4)), org.assertj.core.api.Assertions.within(1e-12));
    if (layer.window().positions() > 1) {
      assertThat(error(problem, theta, WeightSharing.REDUCE)).isGreaterThan(0.1);
    }
  }

  @Test
  void reduceIsExactWhereANetworkAveragesOverPositionsAndExpandIsNot() {
    ConvolutionLayer layer = layers().toList().get(1);
    Network network =
        Network.of(
            new SquaredError(3, 0.5),
            layer,
            new GlobalPoolingLayer("mean", GlobalPoolingLayer.Kind.AVERAGE, layer.outputShape()),
            new DenseLayer("dense", 4, 3, false));
    Problem problem = Problem.random(3, network, 6);
    double[] theta = problem.theta(4, 1);
    Network.ParameterBlock block = network.blocks().get(0);
    double[][] fisher = Problem.block(fisher(problem, theta), block);
    double[][] reduced = Problem.block(factors(problem, theta, WeightSharing.REDUCE));
    double[][] expanded = Problem.block(factors(problem, theta, WeightSharing.EXPAND));
    assertClose(reduced, fisher, Tolerance.F64);
    assertThat(Dense.squares(Dense.minus(expanded, fisher)))
        .isGreaterThan(0.25 * Dense.squares(fisher));
  }

  /** T = 1: a convolution is a fully connected layer of its patch. */
  @Test
  void aKernelAsLargeAsTheMapIsADenseLayer() {
    Shape in = new Shape(3, 2, 2);
    ConvolutionLayer layer =
        layer(
            in,
            false,
            new int[] {3, 2},
            new int[] {1, 1},
            new int[] {0, 0},
            new int[] {1, 1},
            true);
    Loss loss = new SoftmaxCrossEntropy(4);
    Network convolution = Network.of(loss, layer);
    Network dense = Network.of(loss, new DenseLayer("dense", 12, 4, true));
    Problem images = Problem.random(3, convolution, 9);
    // What the convolution sees: channels together.
    float[] features = new float[images.features().length];
    for (int i = 0; i < features.length; i++) {
      int at = i % 12;
      features[i / 12 * 12 + at % 6 * 2 + at / 6] = images.features()[i];
    }
    Problem vectors = new Problem(dense, features, images.labels(), images.targets());
    double[] theta = images.theta(4, 1);
    for (WeightSharing sharing : WeightSharing.values()) {
      assertClose(
          Problem.block(factors(images, theta, sharing)),
          Problem.block(factors(vectors, theta, sharing)),
          Tolerance.F64);
    }
    assertClose(fisher(images, theta), fisher(vectors, theta), Tolerance.F64);
  }
}
