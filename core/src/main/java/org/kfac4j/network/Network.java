package org.kfac4j.network;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.kfac4j.Check;
import org.kfac4j.linalg.Vectors;

/**
 * Layers with a loss at the end, over one flat parameter vector θ that holds each layer's parameter
 * matrix row by row, in order. Fixed structure; parameters are kept elsewhere.
 *
 * <p>Values are numbered: value 0 is the network's input, value i + 1 comes out of layer i. Each
 * layer takes earlier values; the last layer's output is the network's.
 *
 * @param input what value 0 is
 * @param layers in an order in which they can be computed
 * @param sources the values that each layer takes
 * @param loss of the last layer's outputs
 * @param penalties one for each layer
 */
public record Network(
    Shape input,
    List<Layer> layers,
    List<List<Integer>> sources,
    Loss loss,
    List<Penalty> penalties)
    implements Serializable {
  public Network {
    Check.that(!layers.isEmpty(), "a network needs at least one layer");
    Check.that(
        penalties.size() == layers.size() && sources.size() == layers.size(),
        "%d penalties and %d sources for %d layers",
        penalties.size(),
        sources.size(),
        layers.size());
    for (int i = 0; i < layers.size(); i++) {
      check(input, layers, i, sources.get(i));
    }
    Layer last = layers.get(layers.size() - 1);
    Check.that(
        last.outputShape().equals(Shape.vector(loss.outputs())),
        "layer %s has outputs of %s, the loss takes %d",
        last.name(),
        last.outputShape(),
        loss.outputs());
    layers = List.copyOf(layers);
    sources = sources.stream().map(List::copyOf).toList();
    penalties = List.copyOf(penalties);
  }

  private static void check(Shape input, List<Layer> layers, int i, List<Integer> sources) {
    Layer layer = layers.get(i);
    Check.that(
        sources.size() == layer.inputShapes().size(),
        "layer %s takes %d values, got %d",
        layer.name(),
        layer.inputShapes().size(),
        sources.size());
    for (int k = 0; k < sources.size(); k++) {
      int source = sources.get(k);
      Check.that(
          source >= 0 && source <= i, "layer %s takes value %d, a later one", layer.name(), source);
      Shape comes = source == 0 ? input : layers.get(source - 1).outputShape();
      Check.that(
          comes.equals(layer.inputShapes().get(k)),
          "layer %s has inputs of %s, but %s before it has outputs of %s",
          layer.name(),
          layer.inputShapes().get(k),
          source == 0 ? "what comes" : layers.get(source - 1).name(),
          comes);
    }
  }

  /** A chain: each layer takes what the one before it gives. */
  public Network(List<Layer> layers, Loss loss, List<Penalty> penalties) {
    this(
        layers.isEmpty() ? Shape.vector(1) : layers.get(0).inputShapes().get(0),
        layers,
        IntStream.range(0, layers.size()).mapToObj(List::of).toList(),
        loss,
        penalties);
  }

  /** A network without l2. */
  public static Network of(Loss loss, Layer... layers) {
    return new Network(
        List.of(layers), loss, java.util.Collections.nCopies(layers.length, Penalty.NONE));
  }

  /** The same network with {@code eta} added to the coefficient η of every parameter. */
  public Network withMoreL2(double eta) {
    return new Network(
        input,
        layers,
        sources,
        loss,
        penalties.stream()
            .map(each -> new Penalty(each.weights() + eta, each.bias() + eta))
            .toList());
  }

  public int inputs() {
    return input.size();
  }

  /** What value {@code index} is. */
  public Shape value(int index) {
    return index == 0 ? input : layers.get(index - 1).outputShape();
  }

  /** How many times layers take value {@code index}. */
  public int consumers(int index) {
    return (int) sources.stream().flatMap(List::stream).filter(each -> each == index).count();
  }

  public int outputs() {
    return loss.outputs();
  }

  /** Length of θ. */
  public int parameterCount() {
    return layers.stream().mapToInt(Layer::parameterCount).reduce(0, Math::addExact);
  }

  /** The trained parameters, part by part in the order of θ. */
  public List<ParameterBlock> blocks() {
    return parts().stream().filter(ParameterBlock::isTrained).toList();
  }

  /** The trained blocks of layers of weights, in the order of θ. */
  public List<ParameterBlock> weightBlocks() {
    return blocks().stream()
        .filter(block -> block.shape().role() == ParameterRole.WEIGHTS)
        .toList();
  }

  /** The averages over examples that θ has beside what is trained. */
  public List<ParameterBlock> statistics() {
    return parts().stream().filter(block -> !block.isTrained()).toList();
  }

  /** Whether what an example makes of layers depends on which others share its block. */
  public boolean hasBatchStatistics() {
    return !statistics().isEmpty();
  }

  /** All parts of all layers in the order of θ. */
  public List<ParameterBlock> parts() {
    List<ParameterBlock> blocks = new ArrayList<>();
    int offset = 0;
    for (int i = 0; i < layers.size(); i++) {
      Layer layer = layers.get(i);
      List<LayerPart> parts = layer.parts();
      for (int k = 0; k < parts.size(); k++) {
        LayerPart part = parts.get(k);
        boolean alone = k == 0 && (parts.size() == 1 || parts.get(1).role() != part.role());
        blocks.add(
            new ParameterBlock(
                blocks.size(),
                i,
                k,
                alone ? layer.name() : layer.name() + "[" + k + "]",
                offset,
                part,
                penalties.get(i)));
        offset += part.size();
      }
    }
    return blocks;
  }

  /** The l2 term ½ Σ η θ². */
  public double penalty(double[] theta) {
    double[][] sum = new double[1][1];
    addDampedProducts(new double[blocks().size()], List.of(theta), null, sum, new double[1]);
    return 0.5 * sum[0][0];
  }

  /**
   * Adds Σ (λ + η) u_i u_j over all parameters, each with its block's λ and its own coefficient η,
   * to {@code products} for all pairs of vectors: uᵀ v in the metric that l2 and damping add to the
   * curvature; and Σ g u_i to {@code slopes}. One pass over the vectors for both.
   *
   * @param lambdas λ of each block
   * @param g null if no slopes are wanted
   */
  public void addDampedProducts(
      double[] lambdas,
      List<double[]> u,
      double @Nullable [] g,
      double[][] products,
      double[] slopes) {
    List<double[]> vectors = new ArrayList<>(u);
    if (g != null) {
      vectors.add(g);
    }
    List<ParameterBlock> blocks = blocks();
    for (int b = 0; b < blocks.size(); b++) {
      for (Range range : blocks.get(b).ranges()) {
        double factor = lambdas[b] + range.eta();
        if (factor == 0 && g == null) {
          continue;
        }
        double[][] gram = Vectors.gram(vectors, range.from(), range.to());
        for (int i = 0; i < u.size(); i++) {
          for (int j = 0; j < u.size(); j++) {
            products[i][j] += factor * gram[i][j];
          }
          slopes[i] += g == null ? 0 : gram[i][u.size()];
        }
      }
    }
  }

  /** gradient ← gradient + η θ. */
  public void addPenaltyGradient(double[] theta, double[] gradient) {
    addPenaltyGradient(theta, gradient, 1);
  }

  /** gradient ← gradient − η θ. */
  public void subtractPenaltyGradient(double[] theta, double[] gradient) {
    addPenaltyGradient(theta, gradient, -1);
  }

  private void addPenaltyGradient(double[] theta, double[] gradient, double sign) {
    for (ParameterBlock block : blocks()) {
      for (Range range : block.ranges()) {
        Vectors.forRanges(
            range.from(),
            range.to(),
            (from, to) -> {
              for (int i = from; i < to; i++) {
                gradient[i] += sign * range.eta * theta[i];
              }
            });
      }
    }
  }

  /**
   * Indices in θ with one coefficient η.
   *
   * @param from included
   * @param to excluded
   */
  public record Range(int from, int to, double eta) {
    /** gradient ← gradient + η θ for indices in [begin, end). */
    public void addPenaltyGradient(double[] theta, double[] gradient, int begin, int end) {
      if (eta == 0) {
        return;
      }
      for (int i = begin; i < end; i++) {
        gradient[i] += eta * theta[i];
      }
    }
  }

  /**
   * l2 coefficients η of one layer: the loss gains ½ η θ² for each parameter.
   *
   * @param weights η of the weights
   * @param bias η of the bias
   */
  public record Penalty(double weights, double bias) implements Serializable {
    public static final Penalty NONE = new Penalty(0, 0);

    public Penalty {
      Check.that(
          weights >= 0 && bias >= 0 && Double.isFinite(weights + bias),
          "l2 must be finite and not negative, got %s for weights and %s for the bias",
          weights,
          bias);
    }
  }

  /**
   * One part of a layer's parameters.
   *
   * @param index among all parts of the network
   * @param layer its index in the network
   * @param part which of the layer's parts it is
   * @param name what messages and tables call it
   * @param offset of its first number in θ
   */
  public record ParameterBlock(
      int index, int layer, int part, String name, int offset, LayerPart shape, Penalty penalty) {
    public int rows() {
      return shape.rows();
    }

    public int columns() {
      return shape.columns();
    }

    public boolean hasBias() {
      return shape.hasBias();
    }

    public boolean isTrained() {
      return shape.role() != ParameterRole.STATISTICS;
    }

    /** The weights and, if there is one, the bias. */
    public List<Range> ranges() {
      Range weights = new Range(offset, biasOffset(), penalty.weights());
      return hasBias()
          ? List.of(weights, new Range(biasOffset(), end(), penalty.bias()))
          : List.of(weights);
    }

    /** First index in θ after this block. */
    public int end() {
      return offset + shape.size();
    }

    /** Index in θ of the bias, {@link #end()} if there is none. */
    public int biasOffset() {
      return hasBias() ? end() - columns() : end();
    }
  }
}
