package org.kfac4j.network;

import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.jspecify.annotations.Nullable;
import org.kfac4j.network.Network.Penalty;

/** A {@link Network} in the making: layers are added in an order in which they can be computed. */
final class NetworkBuilder {
  private @Nullable Shape input;
  private @Nullable CNN2DFormat format;

  /** A value that is logits of a softmax which the loss after it must take in; −1 for none. */
  private int logits = -1;

  private final List<Layer> layers = new ArrayList<>();
  private final List<List<Integer>> sources = new ArrayList<>();
  private final List<Penalty> penalties = new ArrayList<>();
  private @Nullable Loss loss;
  private long parameters;

  /** Sets what value 0 is. */
  void setInput(Shape shape) {
    input = shape;
  }

  /**
   * Checks that all layers have one format of maps. It says how DL4J's arrays are laid out, which
   * matters here only for the order of a vector that is made of a map.
   *
   * @param of a layer's; null for DL4J's default
   */
  void checkFormat(@Nullable CNN2DFormat of, Refusal here) {
    CNN2DFormat given = of == null ? CNN2DFormat.NCHW : of;
    here.require(
        format == null || format == given,
        "its dataFormat is %s, that of a layer before it %s",
        given,
        String.valueOf(format));
    format = given;
  }

  /** Whether maps are NHWC in DL4J. */
  boolean hasChannelsLast() {
    return format == CNN2DFormat.NHWC;
  }

  /** Says that {@code value} goes through a softmax before anything else. */
  void setLogits(int value, Refusal here) {
    here.require(logits < 0, "a second softmax before a loss is not supported");
    logits = value;
  }

  /** Whether {@code value} is logits. */
  boolean isLogits(int value) {
    return logits == value;
  }

  /** Whether {@code value} is logits, which a loss is about to take. */
  boolean takeLogits(int value) {
    boolean taken = logits == value;
    logits = taken ? -1 : logits;
    return taken;
  }

  /**
   * If {@code value} comes out of an activation of that function: takes the activation away.
   *
   * @return the value before it, or {@code value}
   */
  int without(Activation.Function function, int value) {
    boolean last = value == layers.size() && value > 0;
    if (last
        && layers.get(value - 1) instanceof ActivationLayer activation
        && activation.activation().function() == function) {
      int before = sources.get(value - 1).get(0);
      layers.remove(value - 1);
      sources.remove(value - 1);
      penalties.remove(value - 1);
      return before;
    }
    return value;
  }

  /** What a value is; null for value 0 as long as nobody has said it. */
  @Nullable Shape shape(int value) {
    return value == 0 ? input : layers.get(value - 1).outputShape();
  }

  /**
   * Adds a layer.
   *
   * @return the number of the value that comes out of it
   */
  int add(Layer layer, Penalty penalty, List<Integer> from) {
    if (from.contains(logits)) {
      throw new IllegalArgumentException("a softmax is taken in by a loss only");
    }
    layers.add(layer);
    sources.add(List.copyOf(from));
    penalties.add(penalty);
    parameters += layer.parameterCount();
    return layers.size();
  }

  int add(Layer layer, int from) {
    return add(layer, Penalty.NONE, List.of(from));
  }

  /** Adds an activation, unless it is the identity. */
  int addActivation(String name, Activation activation, int from, Shape shape) {
    return activation.isIdentity()
        ? from
        : add(new ActivationLayer(name + " " + activation, shape, activation), from);
  }

  void end(Loss with) {
    loss = with;
  }

  boolean hasEnded() {
    return loss != null;
  }

  Network build(Refusal refusal) {
    refusal.require(logits < 0, "a softmax that no loss follows is not supported");
    Loss end = loss;
    Shape first = input;
    if (end == null || first == null) {
      throw refusal.invalid("the last layer must be an OutputLayer or a LossLayer");
    }
    refusal.require(parameters > 0, "no layer has weights");
    refusal.require(parameters <= Integer.MAX_VALUE - 8, "more than 2^31 weights");
    return new Network(first, layers, sources, end, penalties);
  }
}
