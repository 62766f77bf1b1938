package org.kfac4j.network;

import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.conf.BackpropType;
import org.deeplearning4j.nn.conf.GradientNormalization;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.FeedForwardLayer;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.preprocessor.FeedForwardToCnnPreProcessor;
import org.jspecify.annotations.Nullable;
import org.kfac4j.network.Network.Penalty;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Reads a DL4J configuration as a {@link Network}, layer by layer with {@link Dl4jLayers}. A
 * DenseLayer becomes a {@link DenseLayer} and, unless its activation is the identity, an {@link
 * ActivationLayer} named "layer0 tanh"; OutputLayer and LossLayer end in a {@link Loss}; l2 becomes
 * a {@link Penalty}, which is DL4J's ½·l2·‖w‖².
 *
 * <p>Whatever would change what the network computes or minimises and has no counterpart here is
 * refused by name. Ignored on purpose: what kfac4j brings itself (updaters, learning rates,
 * optimisation algorithm, line search, step function, iteration counters), DL4J's memory settings
 * (workspaces, caches), how it calls cuDNN, and what has no effect in these layers (gain,
 * time-distributed format, tBPTT lengths without tBPTT, l2 of layers without parameters). Weight
 * initialisation is {@link Initializer}'s.
 */
public final class Dl4jImport {
  private Dl4jImport() {}

  /**
   * @param name where the configuration is from, as messages begin
   * @throws org.kfac4j.InvalidInputException naming the layer, the setting and its value if
   *     something is not supported
   */
  public static Network network(MultiLayerConfiguration configuration, String name) {
    return network(configuration, name, null);
  }

  /**
   * @param input what the network takes, for configurations that do not say it; null if unknown
   * @throws org.kfac4j.InvalidInputException naming the layer, the setting and its value if
   *     something is not supported
   */
  public static Network network(
      MultiLayerConfiguration configuration, String name, @Nullable Shape input) {
    Refusal refusal = new Refusal(name);
    List<NeuralNetConfiguration> layers = configuration.getConfs();
    refusal.require(layers != null && !layers.isEmpty(), "the configuration has no layers");
    checkTypes(layers, refusal);
    checkBackprop(configuration.getBackpropType(), configuration.getDataType(), refusal);
    NetworkBuilder network = new NetworkBuilder();
    int value = 0;
    Map<Integer, InputPreProcessor> processors = configuration.getInputPreProcessors();
    if (processors != null && processors.get(0) instanceof FeedForwardToCnnPreProcessor images) {
      network.setInput(Dl4jPreProcessors.shape(images, refusal));
    } else if (input != null) {
      network.setInput(input);
    } else {
      setInputOfFirstDense(network, layers);
    }
    for (int i = 0; i < layers.size(); i++) {
      String layer = name(layers.get(i).getLayer(), i);
      Refusal here = refusal.at(layer);
      here.require(!network.hasEnded(), "nothing may follow the output layer");
      if (processors != null && processors.get(i) != null) {
        value = Dl4jPreProcessors.add(network, layer, processors.get(i), value, here);
      }
      checkLayer(layers.get(i), here);
      value = Dl4jLayers.add(network, layer, layers.get(i).getLayer(), value, here);
    }
    return network.build(refusal);
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
          .unless(Dl4jLayers.isSupported(type), "layer type", type.getSimpleName());
    }
  }

  private static String name(org.deeplearning4j.nn.conf.layers.Layer layer, int index) {
    return layer.getLayerName() == null ? "layer" + index : Refusal.oneLine(layer.getLayerName());
  }

  static void checkBackprop(
      @Nullable BackpropType backprop, @Nullable DataType type, Refusal refusal) {
    refusal.unless(backprop == null || backprop == BackpropType.Standard, "backpropType", backprop);
    refusal.unless(type == DataType.FLOAT || type == DataType.DOUBLE, "dataType", type);
  }

  /** What the network takes: in a dense network only layers with weights say how many inputs. */
  private static void setInputOfFirstDense(
      NetworkBuilder network, List<NeuralNetConfiguration> configurations) {
    for (NeuralNetConfiguration each : configurations) {
      if (each.getLayer() instanceof FeedForwardLayer layer && !(layer instanceof LossLayer)) {
        if (!(layer instanceof org.deeplearning4j.nn.conf.layers.ConvolutionLayer)
            && layer.getNIn() >= 1
            && layer.getNIn() < Integer.MAX_VALUE) {
          network.setInput(Shape.vector((int) layer.getNIn()));
        }
        return;
      }
    }
  }

  /** What any layer may have and no network here has. */
  static void checkLayer(NeuralNetConfiguration configuration, Refusal here) {
    org.deeplearning4j.nn.conf.layers.Layer layer = configuration.getLayer();
    here.unless(configuration.isMiniBatch(), "miniBatch", false);
    here.unless(configuration.isMinimize(), "minimize", false);
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
}
