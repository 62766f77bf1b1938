package org.kfac4j.network;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.kfac4j.network.Activation.Function;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationCube;
import org.nd4j.linalg.activations.impl.ActivationELU;
import org.nd4j.linalg.activations.impl.ActivationGELU;
import org.nd4j.linalg.activations.impl.ActivationHardSigmoid;
import org.nd4j.linalg.activations.impl.ActivationHardTanH;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.activations.impl.ActivationLReLU;
import org.nd4j.linalg.activations.impl.ActivationMish;
import org.nd4j.linalg.activations.impl.ActivationRationalTanh;
import org.nd4j.linalg.activations.impl.ActivationReLU;
import org.nd4j.linalg.activations.impl.ActivationReLU6;
import org.nd4j.linalg.activations.impl.ActivationRectifiedTanh;
import org.nd4j.linalg.activations.impl.ActivationSELU;
import org.nd4j.linalg.activations.impl.ActivationSigmoid;
import org.nd4j.linalg.activations.impl.ActivationSoftPlus;
import org.nd4j.linalg.activations.impl.ActivationSoftSign;
import org.nd4j.linalg.activations.impl.ActivationSwish;
import org.nd4j.linalg.activations.impl.ActivationTanH;
import org.nd4j.linalg.activations.impl.ActivationThresholdedReLU;

/** DL4J's element-wise activations as {@link Activation}s. */
final class Dl4jActivations {
  private static final Map<Class<?>, Function> WITHOUT_PARAMETER =
      Map.ofEntries(
          Map.entry(ActivationIdentity.class, Function.IDENTITY),
          Map.entry(ActivationSigmoid.class, Function.SIGMOID),
          Map.entry(ActivationTanH.class, Function.TANH),
          Map.entry(ActivationReLU6.class, Function.RELU6),
          Map.entry(ActivationSELU.class, Function.SELU),
          Map.entry(ActivationSoftPlus.class, Function.SOFTPLUS),
          Map.entry(ActivationSoftSign.class, Function.SOFTSIGN),
          Map.entry(ActivationSwish.class, Function.SWISH),
          Map.entry(ActivationMish.class, Function.MISH),
          Map.entry(ActivationHardTanH.class, Function.HARDTANH),
          Map.entry(ActivationHardSigmoid.class, Function.HARDSIGMOID),
          Map.entry(ActivationRectifiedTanh.class, Function.RECTIFIEDTANH),
          Map.entry(ActivationRationalTanh.class, Function.RATIONALTANH),
          Map.entry(ActivationCube.class, Function.CUBE));

  private Dl4jActivations() {}

  /**
   * @throws org.kfac4j.InvalidInputException if it is not element-wise and deterministic (softmax,
   *     rrelu), is DL4J's precise GELU, or a ReLU with a combination of cap, threshold and slope
   *     that has no counterpart
   */
  static Activation of(@Nullable IActivation activation, Refusal refusal) {
    if (activation == null) {
      throw refusal.unsupported("activation", "none");
    }
    Function function = WITHOUT_PARAMETER.get(activation.getClass());
    if (function != null) {
      return Activation.of(function);
    }
    // Exact classes: a subclass may compute anything.
    if (activation.getClass() == ActivationReLU.class) {
      return relu((ActivationReLU) activation, refusal);
    }
    if (activation.getClass() == ActivationLReLU.class) {
      return with(
          Function.LEAKYRELU, ((ActivationLReLU) activation).getAlpha(), activation, refusal);
    }
    if (activation.getClass() == ActivationELU.class) {
      return with(Function.ELU, ((ActivationELU) activation).getAlpha(), activation, refusal);
    }
    if (activation.getClass() == ActivationThresholdedReLU.class) {
      return with(
          Function.THRESHOLDEDRELU,
          ((ActivationThresholdedReLU) activation).getTheta(),
          activation,
          refusal);
    }
    if (activation.getClass() == ActivationGELU.class
        && !((ActivationGELU) activation).isPrecise()) {
      return Activation.of(Function.GELU);
    }
    throw refusal.unsupported("activation", activation);
  }

  /** DL4J's ReLU has an optional cap, threshold and slope below it; null means without. */
  private static Activation relu(ActivationReLU relu, Refusal refusal) {
    double threshold = relu.getThreshold() == null ? 0 : relu.getThreshold();
    double slope = relu.getNegativeSlope() == null ? 0 : relu.getNegativeSlope();
    if (relu.getMax() == null) {
      if (threshold == 0 && slope == 0) {
        return Activation.of(Function.RELU);
      }
      if (threshold == 0) {
        return with(Function.LEAKYRELU, slope, relu, refusal);
      }
      if (slope == 0) {
        return with(Function.THRESHOLDEDRELU, threshold, relu, refusal);
      }
    } else if (relu.getMax() == 6 && threshold == 0 && slope == 0) {
      return Activation.of(Function.RELU6);
    }
    throw refusal.unsupported(
        "activation",
        "relu(max="
            + relu.getMax()
            + ", threshold="
            + threshold
            + ", negativeSlope="
            + slope
            + ")");
  }

  private static Activation with(
      Function function, double parameter, IActivation activation, Refusal refusal) {
    refusal.unless(Double.isFinite(parameter), "activation", activation);
    return new Activation(function, parameter);
  }
}
