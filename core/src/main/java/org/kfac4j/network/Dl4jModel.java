package org.kfac4j.network;

import java.io.IOException;
import java.io.OutputStream;
import java.io.Serializable;
import java.util.function.ToLongFunction;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.jspecify.annotations.Nullable;
import org.kfac4j.Check;
import org.kfac4j.InvalidInputException;
import org.kfac4j.data.Storage;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A DL4J configuration and the {@link Network} that it describes. What is written is the
 * configuration as it was read: l2 that a training run adds on its own account is not in it.
 *
 * @param json the MultiLayerConfiguration, or the ComputationGraphConfiguration if {@code graph}
 * @param graph which of the two it is
 * @param network what it computes and minimises
 */
public record Dl4jModel(String json, boolean graph, Network network) implements Serializable {

  /**
   * @param name where the configuration is from, as messages begin
   * @throws InvalidInputException if something in it is not supported
   */
  public static Dl4jModel of(MultiLayerConfiguration configuration, String name) {
    // By way of JSON, in which DL4J loses some settings of a network that has no weights yet.
    return of(MultiLayerConfiguration.fromJson(configuration.toJson()), name, null);
  }

  private static Dl4jModel of(
      MultiLayerConfiguration configuration, String name, @Nullable Shape input) {
    return new Dl4jModel(
        configuration.toJson(), false, Dl4jImport.network(configuration, name, input));
  }

  /**
   * @param name where the configuration is from, as messages begin
   * @throws InvalidInputException if something in it is not supported
   */
  public static Dl4jModel of(ComputationGraphConfiguration configuration, String name) {
    return of(ComputationGraphConfiguration.fromJson(configuration.toJson()), name, null);
  }

  private static Dl4jModel of(
      ComputationGraphConfiguration configuration, String name, @Nullable Shape input) {
    return new Dl4jModel(
        configuration.toJson(), true, Dl4jGraphImport.network(configuration, name, input));
  }

  /**
   * @param json a MultiLayerConfiguration or ComputationGraphConfiguration as DL4J writes it
   * @param name where it is from, as messages begin
   * @throws InvalidInputException if it is damaged, something else, or something in it is not
   *     supported
   */
  public static Dl4jModel fromJson(String json, String name) {
    return fromJson(json, name, null);
  }

  /**
   * A configuration with the weights that DL4J would start from, drawn from {@code seed}.
   *
   * @param json a MultiLayerConfiguration or ComputationGraphConfiguration as DL4J writes it
   * @param name where it is from, as messages begin
   * @param input what images are, for a configuration that does not say it; null if unknown
   * @throws InvalidInputException if it is damaged, something else, or something in it is not
   *     supported
   */
  public static Loaded initial(String json, String name, long seed, @Nullable Shape input) {
    Dl4jModel model = fromJson(json, name, input);
    return new Loaded(model, Initializer.configured(model, seed, name), false);
  }

  private static Dl4jModel fromJson(String json, String name, @Nullable Shape input) {
    Object configuration = Dl4jJson.read(json, new Refusal(name));
    return configuration instanceof ComputationGraphConfiguration graph
        ? of(graph, name, input)
        : of((MultiLayerConfiguration) configuration, name, input);
  }

  /**
   * Reads a model saved by DL4J (zip) or by Keras (HDF5), or a configuration of DL4J (JSON); with
   * JSON, the initial weights are those that DL4J would start from.
   *
   * @throws InvalidInputException if it is missing, damaged, something else, or something in it is
   *     not supported
   */
  public static Loaded read(Storage storage, String uri) {
    return read(storage, uri, Dl4jModel::seed, null);
  }

  /**
   * The same, with the initial weights of a JSON file drawn from {@code seed} instead of the seed
   * in the configuration.
   *
   * @param input what images are, for a configuration that does not say it; null if unknown
   * @throws InvalidInputException if it is missing, damaged, something else, or something in it is
   *     not supported
   */
  public static Loaded read(Storage storage, String uri, long seed, @Nullable Shape input) {
    return read(storage, uri, model -> seed, input);
  }

  private static Loaded read(
      Storage storage, String uri, ToLongFunction<Dl4jModel> seed, @Nullable Shape input) {
    KerasFile keras = new KerasFile(storage, uri, new Refusal(uri));
    if (keras.isKeras()) {
      KerasFile.Imported imported = keras.read();
      Dl4jModel model = fromJson(imported.json(), uri, input == null ? imported.input() : input);
      return saved(model, imported.parameters(), uri);
    }
    Dl4jFile file = new Dl4jFile(storage, uri, new Refusal(uri));
    Dl4jModel model = fromJson(file.json(), uri, input);
    if (!file.isZip()) {
      return new Loaded(model, Initializer.configured(model, seed.applyAsLong(model), uri), false);
    }
    return saved(model, file.coefficients(model.network().parameterCount()), uri);
  }

  private static Loaded saved(Dl4jModel model, double[] parameters, String uri) {
    double[] theta = Dl4jWeights.fromDl4j(model.network(), parameters);
    for (double weight : theta) {
      InvalidInputException.require(Double.isFinite(weight), "%s: a weight is %s", uri, weight);
    }
    try {
      model.dl4j(theta);
    } catch (RuntimeException e) {
      throw new Refusal(uri).invalid("DL4J cannot make a network of this configuration", e);
    }
    return new Loaded(model, theta, true);
  }

  /** A fresh copy of the configuration, of a chain of layers. */
  public MultiLayerConfiguration configuration() {
    Check.that(!graph, "the configuration is a graph");
    return MultiLayerConfiguration.fromJson(json);
  }

  /** A fresh copy of the configuration, of a graph. */
  public ComputationGraphConfiguration graphConfiguration() {
    Check.that(graph, "the configuration is a chain of layers");
    return ComputationGraphConfiguration.fromJson(json);
  }

  /** The type of weights that a DL4J network of this configuration has. */
  public DataType dataType() {
    return graph
        ? graphConfiguration().getDefaultConfiguration().getDataType()
        : configuration().getDataType();
  }

  /** The seed in the configuration. */
  private long seed() {
    return graph
        ? graphConfiguration().getDefaultConfiguration().getSeed()
        : configuration().getConf(0).getSeed();
  }

  /**
   * θ of a DL4J network with this configuration.
   *
   * @throws IllegalArgumentException if it has another number of parameters
   */
  public double[] weights(Model trained) {
    return Dl4jWeights.fromDl4j(network, trained.params().toDoubleVector());
  }

  /**
   * A DL4J network with the weights θ, in the configuration's data type.
   *
   * @throws IllegalArgumentException if θ does not have the network's number of parameters
   */
  public MultiLayerNetwork network(double[] theta) {
    MultiLayerConfiguration configuration = configuration();
    MultiLayerNetwork result = new MultiLayerNetwork(configuration);
    result.init(parameters(theta, configuration.getDataType()), false);
    return result;
  }

  /**
   * A DL4J graph with the weights θ, in the configuration's data type.
   *
   * @throws IllegalArgumentException if θ does not have the network's number of parameters
   */
  public ComputationGraph graph(double[] theta) {
    ComputationGraphConfiguration configuration = graphConfiguration();
    ComputationGraph result = new ComputationGraph(configuration);
    result.init(parameters(theta, configuration.getDataType()), false);
    return result;
  }

  private Model dl4j(double[] theta) {
    return graph ? graph(theta) : network(theta);
  }

  private INDArray parameters(double[] theta, DataType type) {
    double[] parameters = Dl4jWeights.toDl4j(network, theta);
    INDArray row = Nd4j.createUninitialized(type, 1, parameters.length);
    if (type == DataType.DOUBLE) {
      row.data().setData(parameters);
    } else {
      row.data().setData(toFloats(parameters));
    }
    return row;
  }

  private static float[] toFloats(double[] values) {
    float[] floats = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      floats[i] = (float) values[i];
    }
    return floats;
  }

  /** Writes a zip that DL4J loads, without updater state. Leaves {@code out} open. */
  public void write(double[] theta, OutputStream out) throws IOException {
    ModelSerializer.writeModel(dl4j(theta), out, false);
  }

  /**
   * A model with weights to start from.
   *
   * @param theta the weights
   * @param saved whether they were saved with the model rather than drawn
   */
  public record Loaded(Dl4jModel model, double[] theta, boolean saved) {}
}
