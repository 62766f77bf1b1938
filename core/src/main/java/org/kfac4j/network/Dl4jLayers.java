package org.kfac4j.network;

import static java.util.Map.entry;

import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.conf.dropout.Dropout;
import org.deeplearning4j.nn.conf.dropout.IDropout;
import org.deeplearning4j.nn.conf.layers.BaseOutputLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.Convolution2D;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.deeplearning4j.nn.conf.layers.FeedForwardLayer;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PReLULayer;
import org.deeplearning4j.nn.conf.layers.Pooling2D;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.activations.impl.ActivationSigmoid;
import org.nd4j.linalg.activations.impl.ActivationSoftmax;
import org.nd4j.linalg.lossfunctions.impl.LossBinaryXENT;

/**
 * DL4J's layers, one by one, as layers of a network under construction: a layer type of DL4J is one
 * line in {@link #TABLE}.
 */
final class Dl4jLayers {
  /** Exact classes: DL4J has subclasses that compute something else. */
  private static final Map<Class<?>, Reader> TABLE =
      Map.ofEntries(
          entry(org.deeplearning4j.nn.conf.layers.ActivationLayer.class, Dl4jLayers::activation),
          entry(BatchNormalization.class, Dl4jLayers::batchNormalization),
          entry(org.deeplearning4j.nn.conf.layers.ConvolutionLayer.class, Dl4jLayers::convolution),
          entry(Convolution2D.class, Dl4jLayers::convolution),
          entry(org.deeplearning4j.nn.conf.layers.DenseLayer.class, Dl4jLayers::dense),
          entry(org.deeplearning4j.nn.conf.layers.DropoutLayer.class, Dl4jLayers::dropoutLayer),
          entry(
              org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer.class,
              Dl4jLayers::globalPooling),
          entry(DepthwiseConvolution2D.class, Dl4jLayers::convolution),
          entry(LossLayer.class, Dl4jLayers::loss),
          entry(OutputLayer.class, Dl4jLayers::output),
          entry(Pooling2D.class, Dl4jLayers::pooling),
          entry(PReLULayer.class, Dl4jLayers::parametricRelu),
          entry(SubsamplingLayer.class, Dl4jLayers::pooling),
          entry(org.deeplearning4j.nn.conf.layers.ZeroPaddingLayer.class, Dl4jLayers::zeroPadding));

  private Dl4jLayers() {}

  /** Adds what a layer computes and returns the value that comes out. */
  @FunctionalInterface
  private interface Reader {
    int add(
        NetworkBuilder network,
        String name,
        org.deeplearning4j.nn.conf.layers.Layer layer,
        int in,
        Refusal here);
  }

  static boolean isSupported(Class<?> type) {
    return TABLE.containsKey(type);
  }

  /**
   * Adds what {@code layer} computes of value {@code in}.
   *
   * @return the value that comes out
   * @throws org.kfac4j.InvalidInputException naming the setting and its value if something is not
   *     supported
   */
  static int add(
      NetworkBuilder network,
      String name,
      org.deeplearning4j.nn.conf.layers.Layer layer,
      int in,
      Refusal here) {
    Reader reader = TABLE.get(layer.getClass());
    if (reader == null) {
      throw here.unsupported("layer type", layer.getClass().getSimpleName());
    }
    here.unless(
        !network.isLogits(in) || (layer instanceof LossLayer && layer.getIDropout() == null),
        "activation before it",
        "softmax");
    return reader.add(network, name, layer, dropout(network, name, layer, in, here), here);
  }

  /** DL4J drops out what comes in. */
  private static int dropout(
      NetworkBuilder network,
      String name,
      org.deeplearning4j.nn.conf.layers.Layer layer,
      int in,
      Refusal here) {
    IDropout dropout = layer.getIDropout();
    if (dropout == null) {
      return in;
    }
    here.unless(dropout.getClass() == Dropout.class, "dropout", dropout);
    Dropout plain = (Dropout) dropout;
    here.unless(plain.getPSchedule() == null, "dropout", plain.getPSchedule());
    double keep = plain.getP();
    here.unless(keep > 0 && keep <= 1, "dropout", "Dropout(" + keep + ")");
    Shape shape = network.shape(in);
    if (shape == null && layer instanceof FeedForwardLayer dense && dense.getNIn() >= 1) {
      shape = Shape.vector(size("nIn", dense.getNIn(), here));
      network.setInput(shape);
    }
    if (shape == null) {
      throw here.invalid("no layer says how many inputs there are");
    }
    String called =
        layer instanceof org.deeplearning4j.nn.conf.layers.DropoutLayer ? name : name + " dropout";
    return network.add(new DropoutLayer(called, shape, keep), in);
  }

  /** Nothing but its dropout, which {@link #add} has added. */
  private static int dropoutLayer(
      NetworkBuilder network,
      String name,
      org.deeplearning4j.nn.conf.layers.Layer layer,
      int in,
      Refusal here) {
    return in;
  }

  private static int dense(
      NetworkBuilder network,
      String name,
      org.deeplearning4j.nn.conf.layers.Layer layer,
      int in,
      Refusal here) {
    var dense = (org.deeplearning4j.nn.conf.layers.DenseLayer) layer;
    here.unless(!dense.hasLayerNorm(), "layerNorm", true);
    int out = addDense(network, name, dense, dense.hasBias(), in, here);
    return activate(network, name, dense.getActivationFn(), out, here);
  }

  private static int output(
      NetworkBuilder network,
      String name,
      org.deeplearning4j.nn.conf.layers.Layer layer,
      int in,
      Refusal here) {
    BaseOutputLayer output = (BaseOutputLayer) layer;
    int out = addDense(network, name, output, output.hasBias(), in, here);
    return end(
        network,
        name,
        Dl4jLosses.of(output.getLossFn(), output.getActivationFn(), (int) output.getNOut(), here),
        out);
  }

  private static int loss(
      NetworkBuilder network,
      String name,
      org.deeplearning4j.nn.conf.layers.Layer layer,
      int in,
      Refusal here) {
    LossLayer output = (LossLayer) layer;
    Shape shape = network.shape(in);
    if (shape == null) {
      throw here.invalid("no layer before it says how many outputs there are");
    }
    here.require(shape.isVector(), "a loss takes a vector, got a map of %s", shape);
    IActivation activation = output.getActivationFn();
    int from = in;
    if (activation instanceof ActivationIdentity) {
      // As in a model from Keras: the activation that belongs to the loss is the layer's before it.
      if (network.takeLogits(in)) {
        activation = new ActivationSoftmax();
      } else if (output.getLossFn() instanceof LossBinaryXENT) {
        from = network.without(Activation.Function.SIGMOID, in);
        activation = from == in ? activation : new ActivationSigmoid();
      }
    }
    return end(
        network, name, Dl4jLosses.of(output.getLossFn(), activation, shape.size(), here), from);
  }

  private static int end(NetworkBuilder network, String name, Dl4jLosses.Output output, int in) {
    int out =
        network.addActivation(name, output.activation(), in, Shape.vector(output.loss().outputs()));
    network.end(output.loss());
    return out;
  }

  private static int activation(
      NetworkBuilder network,
      String name,
      org.deeplearning4j.nn.conf.layers.Layer layer,
      int in,
      Refusal here) {
    var activation = (org.deeplearning4j.nn.conf.layers.ActivationLayer) layer;
    return activate(network, name, activation.getActivationFn(), in, here);
  }

  /** Adds an activation; a softmax is left for the loss that must follow. */
  private static int activate(
      NetworkBuilder network, String name, @Nullable IActivation function, int in, Refusal here) {
    Shape shape = network.shape(in);
    if (shape == null) {
      throw here.invalid("no layer says how many inputs there are");
    }
    if (function instanceof ActivationSoftmax && shape.isVector()) {
      network.setLogits(in, here);
      return in;
    }
    return network.addActivation(name, Dl4jActivations.of(function, here), in, shape);
  }

  private static int addDense(
      NetworkBuilder network,
      String name,
      FeedForwardLayer layer,
      boolean hasBias,
      int in,
      Refusal here) {
    int width = size("nIn", layer.getNIn(), here);
    int out = size("nOut", layer.getNOut(), here);
    Shape shape = network.shape(in);
    if (shape == null) {
      shape = Shape.vector(width);
      network.setInput(shape);
    }
    here.require(shape.isVector(), "a dense layer takes a vector, got a map of %s", shape);
    here.require(shape.size() == width, "nIn is %d, but %s outputs come in", width, shape);
    here.require((width + 1L) * out <= Integer.MAX_VALUE - 8, "more than 2^31 weights");
    return network.add(
        new DenseLayer(name, width, out, hasBias),
        Dl4jRegularization.penalty(layer, hasBias, here),
        List.of(in));
  }

  private static int convolution(
      NetworkBuilder network,
      String name,
      org.deeplearning4j.nn.conf.layers.Layer layer,
      int in,
      Refusal here) {
    var convolution = (org.deeplearning4j.nn.conf.layers.ConvolutionLayer) layer;
    Shape map = map(network, in, here);
    network.checkFormat(convolution.getCnn2dDataFormat(), here);
    int channels = size("nIn", convolution.getNIn(), here);
    int filters = size("nOut", convolution.getNOut(), here);
    here.require(channels == map.channels(), "nIn is %d, but a map of %s comes in", channels, map);
    Window window =
        Dl4jWindows.of(
            map,
            convolution.getConvolutionMode(),
            convolution.getKernelSize(),
            convolution.getStride(),
            convolution.getPadding(),
            convolution.getDilation(),
            here);
    here.require(
        ((long) window.elements() * channels + 1) * filters <= Integer.MAX_VALUE - 8,
        "more than 2^31 weights");
    boolean hasBias = convolution.hasBias();
    Layer linear;
    if (convolution instanceof DepthwiseConvolution2D depthwise) {
      int multiplier = size("depthMultiplier", depthwise.getDepthMultiplier(), here);
      here.require(
          filters == channels * multiplier,
          "nOut is %d, but %d channels have %d filters each",
          filters,
          channels,
          multiplier);
      linear = new DepthwiseConvolutionLayer(name, window, multiplier, hasBias);
    } else {
      linear = new ConvolutionLayer(name, window, filters, hasBias);
    }
    int out =
        network.add(linear, Dl4jRegularization.penalty(convolution, hasBias, here), List.of(in));
    return network.addActivation(
        name, Dl4jActivations.of(convolution.getActivationFn(), here), out, window.out(filters));
  }

  private static int batchNormalization(
      NetworkBuilder network,
      String name,
      org.deeplearning4j.nn.conf.layers.Layer layer,
      int in,
      Refusal here) {
    BatchNormalization normalization = (BatchNormalization) layer;
    int channels = size("nOut", normalization.getNOut(), here);
    Shape shape = network.shape(in);
    if (shape == null) {
      shape = Shape.vector(channels);
      network.setInput(shape);
    }
    if (!shape.isVector()) {
      network.checkFormat(normalization.getCnn2DFormat(), here);
    }
    here.require(
        channels == shape.channels(), "nOut is %d, but a map of %s comes in", channels, shape);
    here.unless(normalization.isMinibatch(), "minibatch", false);
    boolean locked = normalization.isLockGammaBeta();
    here.unless(!locked || normalization.getGamma() == 1, "gamma", normalization.getGamma());
    here.unless(!locked || normalization.getBeta() == 0, "beta", normalization.getBeta());
    double decay = normalization.getDecay();
    here.unless(0 <= decay && decay <= 1, "decay", decay);
    double epsilon = normalization.getEps();
    here.unless(epsilon > 0 && Double.isFinite(epsilon), "eps", epsilon);
    return network.add(
        new BatchNormalizationLayer(
            name, shape, decay, epsilon, !locked, normalization.isUseLogStd()),
        in);
  }

  /** One slope for each channel or, of a vector, for each number. */
  private static int parametricRelu(
      NetworkBuilder network,
      String name,
      org.deeplearning4j.nn.conf.layers.Layer layer,
      int in,
      Refusal here) {
    PReLULayer relu = (PReLULayer) layer;
    Shape shape = network.shape(in);
    if (shape == null) {
      throw here.invalid("no layer says how many inputs there are");
    }
    long[] axes = relu.getSharedAxes() == null ? new long[0] : relu.getSharedAxes();
    long[] expected =
        shape.isVector()
            ? new long[0]
            : network.hasChannelsLast() ? new long[] {1, 2} : new long[] {2, 3};
    here.unless(
        java.util.Arrays.equals(axes, expected), "sharedAxes", java.util.Arrays.toString(axes));
    long slopes = 1;
    for (int i = 0; relu.getInputShape() != null && i < relu.getInputShape().length; i++) {
      int axis = i + 1;
      boolean shared = java.util.Arrays.stream(axes).anyMatch(each -> each == axis);
      slopes *= shared ? 1 : relu.getInputShape()[i];
    }
    here.require(
        slopes == shape.channels(), "inputShape gives %d slopes, but %s comes in", slopes, shape);
    return network.add(
        new ParametricReluLayer(name, shape),
        Dl4jRegularization.penalty(relu, false, here),
        List.of(in));
  }

  private static int pooling(
      NetworkBuilder network,
      String name,
      org.deeplearning4j.nn.conf.layers.Layer layer,
      int in,
      Refusal here) {
    SubsamplingLayer pooling = (SubsamplingLayer) layer;
    Shape map = map(network, in, here);
    network.checkFormat(pooling.getCnn2dDataFormat(), here);
    PoolingType type = pooling.getPoolingType();
    here.unless(type == PoolingType.MAX || type == PoolingType.AVG, "poolingType", type);
    here.unless(!pooling.isAvgPoolIncludePadInDivisor(), "avgPoolIncludePadInDivisor", true);
    Window window =
        Dl4jWindows.of(
            map,
            pooling.getConvolutionMode(),
            pooling.getKernelSize(),
            pooling.getStride(),
            pooling.getPadding(),
            pooling.getDilation(),
            here);
    PoolingLayer.Kind kind =
        type == PoolingType.MAX ? PoolingLayer.Kind.MAX : PoolingLayer.Kind.AVERAGE;
    return network.add(new PoolingLayer(name, kind, window), in);
  }

  private static int globalPooling(
      NetworkBuilder network,
      String name,
      org.deeplearning4j.nn.conf.layers.Layer layer,
      int in,
      Refusal here) {
    var pooling = (org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer) layer;
    Shape map = map(network, in, here);
    here.unless(pooling.isCollapseDimensions(), "collapseDimensions", false);
    int[] dimensions = pooling.getPoolingDimensions();
    here.unless(
        java.util.Arrays.equals(
            dimensions == null ? new int[] {2, 3} : dimensions,
            network.hasChannelsLast() ? new int[] {1, 2} : new int[] {2, 3}),
        "poolingDimensions",
        java.util.Arrays.toString(dimensions));
    GlobalPoolingLayer.Kind kind =
        switch (pooling.getPoolingType()) {
          case MAX -> GlobalPoolingLayer.Kind.MAX;
          case AVG -> GlobalPoolingLayer.Kind.AVERAGE;
          case SUM -> GlobalPoolingLayer.Kind.SUM;
          default -> throw here.unsupported("poolingType", pooling.getPoolingType());
        };
    return network.add(new GlobalPoolingLayer(name, kind, map), in);
  }

  private static int zeroPadding(
      NetworkBuilder network,
      String name,
      org.deeplearning4j.nn.conf.layers.Layer layer,
      int in,
      Refusal here) {
    var padding = (org.deeplearning4j.nn.conf.layers.ZeroPaddingLayer) layer;
    network.checkFormat(padding.getDataFormat(), here);
    int[] sides = padding.getPadding();
    here.unless(
        sides.length == 4 && java.util.Arrays.stream(sides).allMatch(side -> side >= 0),
        "padding",
        java.util.Arrays.toString(sides));
    return network.add(
        new ZeroPaddingLayer(name, map(network, in, here), sides[0], sides[1], sides[2], sides[3]),
        in);
  }

  private static Shape map(NetworkBuilder network, int in, Refusal here) {
    Shape map = network.shape(in);
    if (map == null) {
      throw here.invalid(
          "the configuration does not say how large images are; set model.input = [channels, rows, columns]");
    }
    return map;
  }

  private static int size(String setting, long value, Refusal here) {
    here.require(
        value >= 1 && value < Integer.MAX_VALUE, "%s must be in [1, 2^31), got %d", setting, value);
    return (int) value;
  }
}
