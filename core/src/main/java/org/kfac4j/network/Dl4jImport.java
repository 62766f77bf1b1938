package org.kfac4j.network;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.deeplearning4j.nn.conf.BackpropType;
import org.deeplearning4j.nn.conf.GradientNormalization;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.dropout.Dropout;
import org.deeplearning4j.nn.conf.dropout.IDropout;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.BaseOutputLayer;
import org.deeplearning4j.nn.conf.layers.FeedForwardLayer;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.jspecify.annotations.Nullable;
import org.kfac4j.network.Network.Penalty;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.learning.regularization.L2Regularization;
import org.nd4j.linalg.learning.regularization.Regularization;
import org.nd4j.linalg.schedule.FixedSchedule;

/**
 * Reads a DL4J configuration as a {@link Network}. A DenseLayer becomes a {@link DenseLayer} and,
 * unless its activation is the identity, an {@link ActivationLayer} named "layer0 tanh";
 * OutputLayer and LossLayer end in a {@link Loss}; l2 becomes a {@link Penalty}, which is DL4J's
 * ½·l2·‖w‖².
 *
 * <p>Whatever would change what the network computes or minimises and has no counterpart here is
 * refused by name. Ignored on purpose: what kfac4j brings itself (updaters, learning rates,
 * optimisation algorithm, line search, step function, iteration counters), DL4J's memory settings
 * (workspaces, caches), and what has no effect in these layers (gain, time-distributed format,
 * tBPTT lengths without tBPTT, l2 of layers without parameters). Weight initialisation is {@link
 * Initializer}'s.
 */
public final class Dl4jImport {
  /** Exact classes: DL4J has subclasses that compute something else. */
  private static final Set<Class<?>> TYPES =
      Set.of(
          org.deeplearning4j.nn.conf.layers.DenseLayer.class,
          OutputLayer.class,
          LossLayer.class,
          org.deeplearning4j.nn.conf.layers.ActivationLayer.class);

  private final Refusal refusal;
  private final List<Layer> layers = new ArrayList<>();
  private final List<Penalty> penalties = new ArrayList<>();
  private int width;
  private long parameters;
  private @Nullable Loss loss;

  private Dl4jImport(Refusal refusal) {
    this.refusal = refusal;
  }

  /**
   * @param name where the configuration is from, as messages begin
   * @throws org.kfac4j.InvalidInputException naming the layer, the setting and its value if
   *     something is not supported
   */
  public static Network network(MultiLayerConfiguration configuration, String name) {
    Refusal refusal = new Refusal(name);
    refusal.require(
        configuration.getConfs() != null && !configuration.getConfs().isEmpty(),
        "the configuration has no layers");
    checkTypes(configuration.getConfs(), refusal);
    checkConfiguration(configuration, refusal);
    return new Dl4jImport(refusal).read(configuration.getConfs());
  }

  /**
   * Before anything else, because other complaints about an unsupported network are consequences.
   */
  private static void checkTypes(List<NeuralNetConfiguration> configurations, Refusal refusal) {
    for (int i = 0; i < configurations.size(); i++) {
      NeuralNetConfiguration configuration = configurations.get(i);
      if (configuration == null || configuration.getLayer() == null) {
        throw refusal.at("layer" + i).unsupported("layer", null);
      }
      Class<?> type = configuration.getLayer().getClass();
      refusal
          .at(name(configuration.getLayer(), i))
          .unless(TYPES.contains(type), "layer type", type.getSimpleName());
    }
  }

  private static String name(org.deeplearning4j.nn.conf.layers.Layer layer, int index) {
    return layer.getLayerName() == null ? "layer" + index : Refusal.oneLine(layer.getLayerName());
  }

  private static void checkConfiguration(MultiLayerConfiguration configuration, Refusal refusal) {
    Map<?, ?> preProcessors = configuration.getInputPreProcessors();
    refusal.unless(
        preProcessors == null || preProcessors.isEmpty(), "inputPreProcessors", preProcessors);
    BackpropType backprop = configuration.getBackpropType();
    refusal.unless(backprop == null || backprop == BackpropType.Standard, "backpropType", backprop);
    DataType type = configuration.getDataType();
    refusal.unless(type == DataType.FLOAT || type == DataType.DOUBLE, "dataType", type);
  }

  private Network read(List<NeuralNetConfiguration> configurations) {
    width = inputsOfFirstDense(configurations);
    for (int i = 0; i < configurations.size(); i++) {
      NeuralNetConfiguration configuration = configurations.get(i);
      org.deeplearning4j.nn.conf.layers.Layer layer = configuration.getLayer();
      String name = name(layer, i);
      Refusal here = refusal.at(name);
      here.require(loss == null, "nothing may follow the output layer");
      checkLayer(configuration, layer, here);
      add(name, layer, here);
    }
    if (loss == null) {
      throw refusal.invalid("the last layer must be an OutputLayer or a LossLayer");
    }
    refusal.require(parameters > 0, "no layer has weights");
    return new Network(layers, loss, penalties);
  }

  /** What the network takes: only layers with weights say how many inputs they have. */
  private static int inputsOfFirstDense(List<NeuralNetConfiguration> configurations) {
    for (NeuralNetConfiguration each : configurations) {
      if (each.getLayer() instanceof FeedForwardLayer layer && !(layer instanceof LossLayer)) {
        return (int) Math.max(0, Math.min(layer.getNIn(), Integer.MAX_VALUE));
      }
    }
    return 0;
  }

  private void add(String name, org.deeplearning4j.nn.conf.layers.Layer layer, Refusal here) {
    Class<?> type = layer.getClass();
    if (type == org.deeplearning4j.nn.conf.layers.DenseLayer.class) {
      var dense = (org.deeplearning4j.nn.conf.layers.DenseLayer) layer;
      here.unless(!dense.hasLayerNorm(), "layerNorm", true);
      addDense(name, dense, dense.hasBias(), here);
      addActivation(name, Dl4jActivations.of(dense.getActivationFn(), here));
    } else if (type == OutputLayer.class) {
      BaseOutputLayer output = (BaseOutputLayer) layer;
      addDense(name, output, output.hasBias(), here);
      end(name, Dl4jLosses.of(output.getLossFn(), output.getActivationFn(), width, here));
    } else if (type == LossLayer.class) {
      LossLayer output = (LossLayer) layer;
      here.require(width > 0, "no layer before it says how many outputs there are");
      end(name, Dl4jLosses.of(output.getLossFn(), output.getActivationFn(), width, here));
    } else {
      var activation = (org.deeplearning4j.nn.conf.layers.ActivationLayer) layer;
      here.require(width > 0, "no layer says how many inputs there are");
      addActivation(name, Dl4jActivations.of(activation.getActivationFn(), here));
    }
  }

  private void addDense(String name, FeedForwardLayer layer, boolean hasBias, Refusal here) {
    long in = layer.getNIn();
    long out = layer.getNOut();
    here.require(in >= 1 && in < Integer.MAX_VALUE, "nIn must be in [1, 2^31), got %d", in);
    here.require(out >= 1 && out < Integer.MAX_VALUE, "nOut must be in [1, 2^31), got %d", out);
    here.require(in == width, "nIn is %d, but %d outputs come in", in, width);
    parameters += (in + (hasBias ? 1 : 0)) * out;
    here.require(parameters <= Integer.MAX_VALUE - 8, "more than 2^31 weights");
    layers.add(new DenseLayer(name, (int) in, (int) out, hasBias));
    double bias = l2(layer.getRegularizationBias(), "regularizationBias", here);
    penalties.add(
        new Penalty(l2(layer.getRegularization(), "regularization", here), hasBias ? bias : 0));
    width = (int) out;
  }

  private void addActivation(String name, Activation activation) {
    if (!activation.isIdentity()) {
      layers.add(new ActivationLayer(name + " " + activation, width, activation));
      penalties.add(Penalty.NONE);
    }
  }

  private void end(String name, Dl4jLosses.Output output) {
    addActivation(name, output.activation());
    loss = output.loss();
  }

  private static void checkLayer(
      NeuralNetConfiguration configuration,
      org.deeplearning4j.nn.conf.layers.Layer layer,
      Refusal here) {
    here.unless(configuration.isMiniBatch(), "miniBatch", false);
    here.unless(configuration.isMinimize(), "minimize", false);
    here.unless(layer.getIDropout() == null, "dropout", dropout(layer.getIDropout()));
    here.unless(
        layer.getConstraints() == null || layer.getConstraints().isEmpty(),
        "constraints",
        layer.getConstraints());
    if (layer instanceof BaseLayer base) {
      here.unless(base.getWeightNoise() == null, "weightNoise", base.getWeightNoise());
      GradientNormalization normalization = base.getGradientNormalization();
      here.unless(
          normalization == null || normalization == GradientNormalization.None,
          "gradientNormalization",
          normalization);
    }
  }

  private static String dropout(@Nullable IDropout dropout) {
    return dropout instanceof Dropout plain
        ? "Dropout(" + plain.getP() + ")"
        : String.valueOf(dropout);
  }

  /** η of ½ η ‖w‖²; the sum if there are several. */
  private static double l2(
      @Nullable List<Regularization> regularizations, String setting, Refusal here) {
    double eta = 0;
    for (Regularization each :
        regularizations == null ? List.<Regularization>of() : regularizations) {
      here.unless(each instanceof L2Regularization, setting, each);
      L2Regularization l2 = (L2Regularization) each;
      here.unless(l2.getL2() instanceof FixedSchedule, setting, each);
      eta += l2.getL2().valueAt(0, 0);
    }
    here.unless(eta >= 0 && Double.isFinite(eta), setting, regularizations);
    return eta;
  }
}
