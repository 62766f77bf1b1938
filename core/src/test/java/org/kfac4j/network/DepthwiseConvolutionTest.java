package org.kfac4j.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.kfac4j.Dense.assertClose;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.kfac4j.Dense;
import org.kfac4j.Problem;
import org.kfac4j.Tolerance;
import org.kfac4j.curvature.FisherType;
import org.kfac4j.curvature.KroneckerFactors;
import org.kfac4j.curvature.Request;
import org.kfac4j.curvature.Sums;
import org.kfac4j.linalg.Precision;
import org.kfac4j.network.Network.ParameterBlock;

/**
 * Depthwise convolutions against a convolution of each channel by itself, and exact Fisher blocks.
 */
class DepthwiseConvolutionTest {
  private static final int COUNT = 3;

  static Stream<DepthwiseConvolutionLayer> layers() {
    return ConvolutionCurvatureTest.layers()
        .flatMap(
            layer ->
                Stream.of(1, 2)
                    .map(
                        multiplier ->
                            new DepthwiseConvolutionLayer(
                                "depthwise", layer.window(), multiplier, layer.hasBias())));
  }

  private static Window ofOneChannel(Window w) {
    return new Window(
        new Shape(w.in().height(), w.in().width(), 1),
        w.outHeight(),
        w.outWidth(),
        w.kernelHeight(),
        w.kernelWidth(),
        w.strideHeight(),
        w.strideWidth(),
        w.padTop(),
        w.padLeft(),
        w.dilationHeight(),
        w.dilationWidth());
  }

  /** The {@code width} channels from {@code from} on of every position of a map. */
  private static double[] channels(double[] map, int all, int from, int width) {
    double[] some = new double[map.length / all * width];
    for (int i = 0; i < some.length; i++) {
      some[i] = map[i / width * all + from + i % width];
    }
    return some;
  }

  @ParameterizedTest
  @MethodSource("layers")
  void everyChannelIsAConvolutionByItself(DepthwiseConvolutionLayer layer) {
    int channels = layer.window().in().channels();
    int m = layer.multiplier();
    LayerPart part = layer.parts().get(0);
    double[] x = Dense.normal(1, COUNT * layer.inputs());
    double[] moving = Dense.normal(2, COUNT * layer.inputs());
    double[] g = Dense.normal(3, COUNT * layer.outputs());
    List<double[]> weights = new ArrayList<>();
    List<double[]> moves = new ArrayList<>();
    for (int c = 0; c < channels; c++) {
      weights.add(Dense.normal(10 + c, part.size()));
      moves.add(Dense.normal(20 + c, part.size()));
    }
    try (LayerSetting all = new LayerSetting(layer, COUNT, Precision.DOUBLE)) {
      all.in.put(x, COUNT);
      all.tangentIn.put(moving, COUNT);
      all.gradientOut.put(g, COUNT);
      all.parameters(weights, moves);
      layer.forward(all.buffers, COUNT);
      layer.backward(all.buffers, COUNT);
      layer.tangent(all.buffers, COUNT);
      for (int c = 0; c < channels; c++) {
        ConvolutionLayer alone =
            new ConvolutionLayer("one", ofOneChannel(layer.window()), m, layer.hasBias());
        try (LayerSetting one = new LayerSetting(alone, COUNT, Precision.DOUBLE)) {
          one.in.put(channels(x, channels, c, 1), COUNT);
          one.tangentIn.put(channels(moving, channels, c, 1), COUNT);
          one.gradientOut.put(channels(g, channels * m, c * m, m), COUNT);
          one.parameters(List.of(weights.get(c)), List.of(moves.get(c)));
          alone.forward(one.buffers, COUNT);
          alone.backward(one.buffers, COUNT);
          alone.tangent(one.buffers, COUNT);
          assertSame(all, one, c);
        }
      }
    }
  }

  private static void assertSame(LayerSetting all, LayerSetting one, int c) {
    int channels = all.layer.inputShapes().get(0).channels();
    int width = all.layer.outputShape().channels();
    int m = width / channels;
    LayerPart part = all.layer.parts().get(0);
    assertClose(
        "out", channels(all.get(all.out), width, c * m, m), one.get(one.out), Tolerance.F64);
    assertClose(
        "back",
        channels(all.get(all.gradientIn), channels, c, 1),
        one.get(one.gradientIn),
        Tolerance.F64);
    assertClose(
        "tangent",
        channels(all.get(all.tangentOut), width, c * m, m),
        one.get(one.tangentOut),
        Tolerance.F64);
    assertClose("gradient", gradient(all, part).get(c), gradient(one, part).get(0), Tolerance.F64);
    for (WeightSharing sharing : WeightSharing.values()) {
      assertClose(
          "inputs " + sharing,
          inputs(all, part, sharing).get(c),
          inputs(one, part, sharing).get(0),
          Tolerance.F64);
      assertClose(
          "gradients " + sharing,
          gradients(all, part, sharing).get(c),
          gradients(one, part, sharing).get(0),
          Tolerance.F64);
    }
  }

  private static List<double[]> gradient(LayerSetting setting, LayerPart part) {
    return setting.sums(
        part.rows(),
        part.columns(),
        (buffers, sums) -> setting.weights().addGradient(buffers, COUNT, sums));
  }

  private static List<double[]> inputs(
      LayerSetting setting, LayerPart part, WeightSharing sharing) {
    return setting.sums(
        part.rows(),
        part.rows(),
        (buffers, sums) -> setting.weights().addInputMoments(buffers, COUNT, sharing, sums));
  }

  private static List<double[]> gradients(
      LayerSetting setting, LayerPart part, WeightSharing sharing) {
    return setting.sums(
        part.columns(),
        part.columns(),
        (buffers, sums) -> setting.weights().addGradientMoments(buffers, COUNT, sharing, sums));
  }

  /** Before a squared error neither positions nor channels share an output. */
  @ParameterizedTest
  @MethodSource("layers")
  void beforeASquaredErrorItsBlocksAreTheFisherMatrix(DepthwiseConvolutionLayer layer) {
    Network network =
        layer.outputShape().isVector()
            ? Network.of(new SquaredError(layer.outputs(), 0.5), layer)
            : Network.of(
                new SquaredError(layer.outputs(), 0.5),
                layer,
                new FlattenLayer("flatten", layer.outputShape()));
    Problem problem = Problem.random(3, network, COUNT);
    double[] theta = problem.theta(4, 1);
    double[][] fisher = ConvolutionCurvatureTest.fisher(problem, theta);
    Sums sums =
        problem.sums(
            theta,
            new Request.Gradient(
                problem.all(), new Request.Statistics(problem.all(), FisherType.EXACT, 1)));
    double[][] blocks = Dense.zeros(theta.length, theta.length);
    for (ParameterBlock block : network.blocks()) {
      double[][] own = Problem.block(KroneckerFactors.of(sums, block));
      for (int i = 0; i < own.length; i++) {
        System.arraycopy(own[i], 0, blocks[block.offset() + i], block.offset(), own.length);
      }
    }
    assertThat(network.blocks()).hasSize(layer.window().in().channels());
    assertClose(blocks, fisher, Tolerance.F64);
    assertThat(Arrays.stream(fisher).flatMapToDouble(Arrays::stream).max().orElse(0)).isPositive();
  }
}
