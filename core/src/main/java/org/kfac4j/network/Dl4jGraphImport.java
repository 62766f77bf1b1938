package org.kfac4j.network;

import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.graph.PreprocessorVertex;
import org.deeplearning4j.nn.conf.preprocessor.FeedForwardToCnnPreProcessor;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.util.GraphIndices;
import org.jspecify.annotations.Nullable;
import org.kfac4j.network.Network.Penalty;

/**
 * Reads a DL4J graph with one input and one output as a {@link Network}: its layers with {@link
 * Dl4jLayers}, element-wise sums, differences and means as {@link SumLayer}, merging as {@link
 * MergeLayer}; in DL4J's order, because its flat parameters are in that order. What {@link
 * Dl4jImport} says of refusals holds here.
 */
final class Dl4jGraphImport {
  /** Exact classes, beside layers: DL4J has subclasses that compute something else. */
  private static final Set<Class<?>> VERTICES =
      Set.of(ElementWiseVertex.class, MergeVertex.class, PreprocessorVertex.class);

  private final ComputationGraphConfiguration configuration;
  private final Refusal refusal;
  private final NetworkBuilder network = new NetworkBuilder();
  private final Map<String, Integer> values = new HashMap<>();

  private Dl4jGraphImport(ComputationGraphConfiguration configuration, Refusal refusal) {
    this.configuration = configuration;
    this.refusal = refusal;
  }

  /**
   * @param name where the configuration is from, as messages begin
   * @param input what the network takes, for configurations that do not say it; null if unknown
   * @throws org.kfac4j.InvalidInputException naming the vertex, the setting and its value if
   *     something is not supported
   */
  static Network network(
      ComputationGraphConfiguration configuration, String name, @Nullable Shape input) {
    return new Dl4jGraphImport(configuration, new Refusal(name)).read(input);
  }

  private Network read(@Nullable Shape given) {
    List<String> inputs = configuration.getNetworkInputs();
    List<String> outputs = configuration.getNetworkOutputs();
    refusal.unless(inputs != null && inputs.size() == 1, "networkInputs", inputs);
    refusal.unless(outputs != null && outputs.size() == 1, "networkOutputs", outputs);
    Dl4jImport.checkBackprop(configuration.getBackpropType(), configuration.getDataType(), refusal);
    checkTypes();
    Shape shape = given == null ? inputShape(inputs.get(0)) : given;
    if (shape != null) {
      network.setInput(shape);
    }
    for (String vertex : order()) {
      if (vertex.equals(inputs.get(0))) {
        values.put(vertex, 0);
        continue;
      }
      Refusal here = refusal.at(Refusal.oneLine(vertex));
      here.require(!network.hasEnded(), "the output %s does not depend on it", outputs.get(0));
      GraphVertex described = configuration.getVertices().get(vertex);
      if (described == null) {
        throw here.unsupported("vertex", null);
      }
      List<Integer> from =
          configuration.getVertexInputs().getOrDefault(vertex, List.of()).stream()
              .map(each -> values.getOrDefault(each, -1))
              .toList();
      here.require(!from.isEmpty() && from.stream().allMatch(each -> each >= 0), "it has no input");
      values.put(vertex, add(Refusal.oneLine(vertex), described, from, here));
    }
    return network.build(refusal);
  }

  /** Before anything else, because other complaints about an unsupported graph are consequences. */
  private void checkTypes() {
    configuration
        .getVertices()
        .forEach(
            (name, vertex) -> {
              Refusal here = refusal.at(Refusal.oneLine(name));
              if (vertex instanceof LayerVertex layer) {
                if (layer.getLayerConf() == null || layer.getLayerConf().getLayer() == null) {
                  throw here.unsupported("layer", null);
                }
                Class<?> type = layer.getLayerConf().getLayer().getClass();
                here.unless(Dl4jLayers.isSupported(type), "layer type", type.getSimpleName());
              } else {
                Class<?> type = vertex == null ? Object.class : vertex.getClass();
                here.unless(VERTICES.contains(type), "vertex type", type.getSimpleName());
              }
            });
  }

  /** What images come in as, if a layer that takes the input says it. */
  private @Nullable Shape inputShape(String input) {
    for (Map.Entry<String, GraphVertex> each : configuration.getVertices().entrySet()) {
      if (each.getValue() instanceof LayerVertex layer
          && layer.getPreProcessor() instanceof FeedForwardToCnnPreProcessor images
          && configuration
              .getVertexInputs()
              .getOrDefault(each.getKey(), List.of())
              .contains(input)) {
        return Dl4jPreProcessors.shape(images, refusal.at(Refusal.oneLine(each.getKey())));
      }
    }
    return null;
  }

  private List<String> order() {
    try {
      GraphIndices indices = new ComputationGraph(configuration).calculateIndices();
      return java.util.Arrays.stream(indices.getTopologicalSortOrder())
          .mapToObj(i -> indices.getIdxToName().get(i))
          .toList();
    } catch (RuntimeException e) {
      throw refusal.invalid("DL4J cannot order this graph", e);
    }
  }

  private int add(String name, GraphVertex vertex, List<Integer> from, Refusal here) {
    here.unless(
        vertex instanceof LayerVertex || from.stream().noneMatch(network::isLogits),
        "activation before it",
        "softmax");
    if (vertex instanceof LayerVertex layer) {
      here.require(from.size() == 1, "a layer takes one value, got %d", from.size());
      return addLayer(name, layer, from.get(0), here);
    }
    if (vertex.getClass() == PreprocessorVertex.class) {
      InputPreProcessor processor = ((PreprocessorVertex) vertex).getPreProcessor();
      return Dl4jPreProcessors.add(network, name, processor, from.get(0), here);
    }
    List<Shape> shapes = from.stream().map(network::shape).toList();
    here.require(
        shapes.stream().allMatch(shape -> shape != null),
        "no layer before it says how large the input is; set model.input = [channels, rows, columns]");
    if (vertex.getClass() == MergeVertex.class) {
      MergeVertex merge = (MergeVertex) vertex;
      Shape first = shapes.get(0);
      int axis = merge.getMergeAxis();
      here.unless(
          first.isVector()
              ? axis == 1 || axis == -1
              : network.hasChannelsLast() ? axis == 3 || axis == -1 : axis == 1,
          "mergeAxis",
          axis);
      here.require(
          shapes.stream()
              .allMatch(each -> each.height() == first.height() && each.width() == first.width()),
          "maps of %s do not merge",
          shapes);
      return from.size() == 1
          ? from.get(0)
          : network.add(new MergeLayer(name, shapes), Penalty.NONE, from);
    }
    if (vertex.getClass() == ElementWiseVertex.class) {
      here.require(
          shapes.stream().allMatch(shapes.get(0)::equals), "values of %s do not add up", shapes);
      List<Double> coefficients =
          coefficients(((ElementWiseVertex) vertex).getOp(), from.size(), here);
      return network.add(new SumLayer(name, shapes.get(0), coefficients), Penalty.NONE, from);
    }
    throw new IllegalStateException(name + ": " + vertex.getClass() + " is in no branch");
  }

  private int addLayer(String name, LayerVertex vertex, int from, Refusal here) {
    NeuralNetConfiguration layer = vertex.getLayerConf();
    Dl4jImport.checkLayer(layer, here);
    int in = from;
    if (vertex.getPreProcessor() != null) {
      in = Dl4jPreProcessors.add(network, name, vertex.getPreProcessor(), in, here);
    }
    return Dl4jLayers.add(network, name, layer.getLayer(), in, here);
  }

  private static List<Double> coefficients(
      ElementWiseVertex.@Nullable Op op, int inputs, Refusal here) {
    if (op == ElementWiseVertex.Op.Add) {
      return Collections.nCopies(inputs, 1.0);
    }
    if (op == ElementWiseVertex.Op.Average) {
      return Collections.nCopies(inputs, 1.0 / inputs);
    }
    if (op == ElementWiseVertex.Op.Subtract && inputs == 2) {
      return List.of(1.0, -1.0);
    }
    throw here.unsupported("op", op);
  }
}
