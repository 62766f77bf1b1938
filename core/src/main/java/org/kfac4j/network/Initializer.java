package org.kfac4j.network;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
import org.deeplearning4j.nn.conf.layers.FeedForwardLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.weights.WeightInit;
import org.kfac4j.InvalidInputException;
import org.kfac4j.data.Hashing;
import org.kfac4j.data.KeyedPermutation;
import org.kfac4j.network.Network.ParameterBlock;

/** Initial weights. The same model, scheme and seed give the same weights. */
public final class Initializer {
  /** Martens 2010's sparse initialisation, which the K-FAC paper uses. */
  public static final String SPARSE = "sparse";

  private static final int INCOMING = 15;

  private Initializer() {}

  /**
   * Initial θ by a scheme's name: {@code sparse}, or one of DL4J's weight initialisations in any
   * case, with the configuration's initial biases.
   *
   * @throws InvalidInputException if there is no such scheme, or it does not fit the model ({@code
   *     identity} needs square layers)
   */
  public static double[] initial(Dl4jModel model, String scheme, long seed) {
    requireRoom(model.network());
    checkName(scheme);
    if (scheme.equalsIgnoreCase(SPARSE)) {
      boolean onlyWeights =
          model.network().parts().stream()
              .allMatch(part -> part.shape().role() == ParameterRole.WEIGHTS);
      return sparse(
          model.network(),
          seed,
          onlyWeights
              ? new double[model.network().parameterCount()]
              : initial(model, WeightInit.XAVIER.name(), seed));
    }
    List<NeuralNetConfiguration> layers = new ArrayList<>();
    Callable<Model> drawn = drawn(model, layers);
    for (NeuralNetConfiguration each : layers) {
      // Others with parameters, such as PReLU, begin as they say themselves.
      if (each.getLayer() instanceof FeedForwardLayer layer) {
        layer.setWeightInitFn(scheme(scheme).getWeightInitFunction());
      }
    }
    return byDl4j(model, layers, drawn, seed, "model.init = " + scheme);
  }

  /**
   * Initial θ by the scheme that each layer has in its configuration.
   *
   * @param name where the configuration is from, as messages begin
   * @throws InvalidInputException if a layer has no scheme, or one that does not fit
   */
  public static double[] configured(Dl4jModel model, long seed, String name) {
    requireRoom(model.network());
    List<NeuralNetConfiguration> layers = new ArrayList<>();
    Callable<Model> drawn = drawn(model, layers);
    return byDl4j(model, layers, drawn, seed, name);
  }

  /**
   * What makes a DL4J network of a fresh copy of the configuration.
   *
   * @param layers gets the copy's layers
   */
  private static Callable<Model> drawn(Dl4jModel model, List<NeuralNetConfiguration> layers) {
    if (model.graph()) {
      ComputationGraphConfiguration configuration = model.graphConfiguration();
      layers.add(configuration.getDefaultConfiguration());
      configuration.getVertices().values().stream()
          .filter(LayerVertex.class::isInstance)
          .forEach(vertex -> layers.add(((LayerVertex) vertex).getLayerConf()));
      return () -> {
        ComputationGraph graph = new ComputationGraph(configuration);
        graph.init();
        return graph;
      };
    }
    MultiLayerConfiguration configuration = model.configuration();
    layers.addAll(configuration.getConfs());
    return () -> {
      MultiLayerNetwork chain = new MultiLayerNetwork(configuration);
      chain.init();
      return chain;
    };
  }

  /**
   * {@value #INCOMING} incoming N(0, 1) weights per unit from random inputs, all if there are
   * fewer; zero bias.
   *
   * @param others what parameters other than weights and biases begin with, laid out as θ
   */
  public static double[] sparse(Network network, long seed, double[] others) {
    double[] theta = others.clone();
    for (ParameterBlock block : network.blocks()) {
      if (block.shape().role() != ParameterRole.WEIGHTS) {
        continue;
      }
      Arrays.fill(theta, block.offset(), block.end(), 0);
      int inputs = block.hasBias() ? block.rows() - 1 : block.rows();
      for (int unit = 0; unit < block.columns(); unit++) {
        long key = Hashing.key(seed, block.layer(), block.part() * block.columns() + unit);
        KeyedPermutation order = new KeyedPermutation(inputs, Hashing.mix(key));
        for (int k = 0; k < Math.min(INCOMING, inputs); k++) {
          int input = (int) order.apply(k);
          theta[block.offset() + input * block.columns() + unit] = Hashing.normal(key, k);
        }
      }
    }
    return theta;
  }

  /**
   * @throws InvalidInputException if there is no such scheme
   */
  static void checkName(String scheme) {
    List<String> known =
        Stream.concat(
                Stream.of(SPARSE),
                Arrays.stream(WeightInit.values())
                    .filter(each -> each != WeightInit.DISTRIBUTION) // needs a distribution
                    .map(each -> each.name().toLowerCase(Locale.ROOT)))
            .collect(Collectors.toList());
    InvalidInputException.require(
        known.contains(scheme.toLowerCase(Locale.ROOT)),
        "model.init must be one of %s, got %s",
        String.join(", ", known),
        scheme);
  }

  private static WeightInit scheme(String name) {
    return WeightInit.valueOf(name.toUpperCase(Locale.ROOT));
  }

  /**
   * DL4J seeds the calling thread's generator of random numbers, so it gets a thread of its own.
   */
  private static double[] byDl4j(
      Dl4jModel model,
      List<NeuralNetConfiguration> layers,
      Callable<Model> drawn,
      long seed,
      String name) {
    layers.forEach(each -> each.setSeed(seed));
    FutureTask<double[]> task = new FutureTask<>(() -> model.weights(drawn.call()));
    Thread thread = new Thread(task, "weight-initialisation");
    thread.setDaemon(true);
    thread.start();
    double[] theta = get(task, name);
    InvalidInputException.require(
        Arrays.stream(theta).allMatch(Double::isFinite),
        "%s: an initial weight is not finite",
        name);
    return theta;
  }

  private static double[] get(FutureTask<double[]> task, String name) {
    try {
      return task.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof Error error) {
        throw error;
      }
      throw new Refusal(name).invalid("DL4J cannot initialise the weights", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while weights were initialised", e);
    }
  }

  /** Vectors of parameters that the driver has at least, whatever the optimizer. */
  private static final long VECTORS = 4;

  /**
   * Makes sure that weights can be made at all.
   *
   * @throws InvalidInputException saying what they take and what there is
   */
  private static void requireRoom(Network network) {
    long mib = 1 << 20;
    long needed = VECTORS * Double.BYTES * network.parameterCount() / mib;
    long heap = Runtime.getRuntime().maxMemory() / mib;
    InvalidInputException.require(
        needed <= heap,
        "the model has %,d parameters, of which the driver keeps %d vectors at least: it needs %,d MiB of memory but has %,d: --driver-memory %dg",
        network.parameterCount(),
        VECTORS,
        needed,
        heap,
        3 * needed / 1024 + 1);
  }
}
