package org.kfac4j;

import java.util.List;
import java.util.stream.Stream;
import org.kfac4j.network.Activation;
import org.kfac4j.network.Activation.Function;
import org.kfac4j.network.ActivationLayer;
import org.kfac4j.network.BatchNormalizationLayer;
import org.kfac4j.network.ConvolutionLayer;
import org.kfac4j.network.DenseLayer;
import org.kfac4j.network.DepthwiseConvolutionLayer;
import org.kfac4j.network.FlattenLayer;
import org.kfac4j.network.Layer;
import org.kfac4j.network.Network;
import org.kfac4j.network.Shape;
import org.kfac4j.network.SoftmaxCrossEntropy;
import org.kfac4j.network.SumLayer;
import org.kfac4j.network.Window;

/** One small network of each kind that curvature has to cope with. */
public final class Networks {
  private Networks() {}

  /** A window with padding on all sides. */
  public static Window window(Shape in, int kernel, int stride, int padding) {
    return Window.padded(
        in,
        new int[] {kernel, kernel},
        new int[] {stride, stride},
        new int[] {padding, padding},
        new int[] {1, 1});
  }

  private static ActivationLayer tanh(String name, Shape shape) {
    return new ActivationLayer(name, shape, Activation.of(Function.TANH));
  }

  /** Dense layers in a chain. */
  public static Network dense() {
    return Problem.network(new SoftmaxCrossEntropy(3), Function.TANH, true, 4, 5, 4, 3);
  }

  /** Convolutions with and without bias and stride, then a dense layer. */
  public static Network convolution() {
    Shape in = new Shape(5, 4, 2);
    ConvolutionLayer first = new ConvolutionLayer("conv1", window(in, 3, 1, 1), 3, true);
    ConvolutionLayer second =
        new ConvolutionLayer("conv2", window(first.outputShape(), 2, 2, 0), 2, false);
    return Network.of(
        new SoftmaxCrossEntropy(3),
        first,
        tanh("act1", first.outputShape()),
        second,
        new FlattenLayer("flat", second.outputShape()),
        new DenseLayer("out", second.outputs(), 3, true));
  }

  /** A convolution channel by channel, then a dense layer. */
  public static Network depthwise() {
    Shape in = new Shape(4, 4, 2);
    DepthwiseConvolutionLayer first =
        new DepthwiseConvolutionLayer("depthwise", window(in, 2, 1, 0), 2, true);
    return Network.of(
        new SoftmaxCrossEntropy(3),
        first,
        tanh("act", first.outputShape()),
        new FlattenLayer("flat", first.outputShape()),
        new DenseLayer("out", first.outputs(), 3, true));
  }

  /** A graph: a residual block of convolutions with batch normalisation, then a dense layer. */
  public static Network residual() {
    Shape in = new Shape(4, 4, 2);
    ConvolutionLayer first = new ConvolutionLayer("conv1", window(in, 3, 1, 1), 3, false);
    Shape map = first.outputShape();
    List<Layer> layers =
        List.of(
            first,
            new BatchNormalizationLayer("norm", map, 0.9, 1e-3, true, false),
            tanh("act", map),
            new ConvolutionLayer("conv2", window(map, 3, 1, 1), 3, true),
            new SumLayer("add", map, List.of(1.0, 1.0)),
            new FlattenLayer("flat", map),
            new DenseLayer("out", map.size(), 3, true));
    return new Network(
        in,
        layers,
        List.of(
            List.of(0), List.of(1), List.of(2), List.of(3), List.of(3, 4), List.of(5), List.of(6)),
        new SoftmaxCrossEntropy(3),
        java.util.Collections.nCopies(layers.size(), Network.Penalty.NONE));
  }

  /** Those whose examples have nothing to do with each other. */
  public static Stream<Network> ofIndependentExamples() {
    return Stream.of(dense(), convolution(), depthwise());
  }

  /** All. */
  public static Stream<Network> all() {
    return Stream.concat(ofIndependentExamples(), Stream.of(residual()));
  }
}
