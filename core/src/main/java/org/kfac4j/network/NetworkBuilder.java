package org.kfac4j.network;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.kfac4j.network.Network.Penalty;

/** A {@link Network} in the making: layers are added in an order in which they can be computed. */
final class NetworkBuilder {
  private @Nullable Shape input;
  private final List<Layer> layers = new ArrayList<>();
  private final List<List<Integer>> sources = new ArrayList<>();
  private final List<Penalty> penalties = new ArrayList<>();
  private @Nullable Loss loss;
  private long parameters;

  /** Sets what value 0 is. */
  void setInput(Shape shape) {
    input = shape;
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
