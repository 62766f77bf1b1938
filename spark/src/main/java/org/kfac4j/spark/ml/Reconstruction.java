package org.kfac4j.spark.ml;

import java.util.List;
import java.util.stream.Collectors;
import org.apache.spark.ml.attribute.AttributeGroup;
import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.sql.types.Metadata;
import org.apache.spark.sql.types.StructField;
import org.kfac4j.InvalidInputException;
import org.kfac4j.network.ActivationLayer;
import org.kfac4j.network.Layer;
import org.kfac4j.network.Loss;
import org.kfac4j.network.Network;

/** An autoencoder's columns. */
final class Reconstruction {
  private Reconstruction() {}

  /** What the network makes of the features. */
  record Features(StructField field, int value, Loss loss) implements KfacModel.Output {
    @Override
    public String parameter() {
      return "reconstructionCol";
    }

    @Override
    public Object cell(double[] values, float[] features, int row) {
      return Vectors.dense(predicted(values, row, loss));
    }
  }

  /** ‖reconstruction − features‖². */
  record Distance(StructField field, int value, Loss loss) implements KfacModel.Output {
    @Override
    public String parameter() {
      return "errorCol";
    }

    @Override
    public Object cell(double[] values, float[] features, int row) {
      double[] predicted = predicted(values, row, loss);
      double error = 0;
      for (int i = 0; i < predicted.length; i++) {
        double difference = predicted[i] - features[row * predicted.length + i];
        error += difference * difference;
      }
      return error;
    }
  }

  /** What comes out of the layer of the code. */
  record Code(StructField field, int value, int size) implements KfacModel.Output {
    @Override
    public String parameter() {
      return "encodingCol";
    }

    @Override
    public Object cell(double[] values, float[] features, int row) {
      return Vectors.dense(KfacModel.row(values, row, size));
    }
  }

  private static double[] predicted(double[] values, int row, Loss loss) {
    double[] z = KfacModel.row(values, row, loss.outputs());
    loss.predict(z, 1);
    return z;
  }

  static List<KfacModel.Output> outputs(
      Network network, String reconstruction, String encoding, String error, String layer) {
    int last = network.layers().size();
    int code = encodingValue(network, layer);
    int size = network.value(code).size();
    Loss loss = network.loss();
    return List.of(
        new Features(vectors(reconstruction, network.outputs()), last, loss),
        new Code(vectors(encoding, size), code, size),
        new Distance(Softmax.number(error, Metadata.empty()), last, loss));
  }

  private static StructField vectors(String name, int size) {
    return Softmax.vectors(
        name, name.isEmpty() ? Metadata.empty() : new AttributeGroup(name, size).toMetadata());
  }

  /**
   * Which value of the network is the code: that of the layer of that name, or else the narrowest,
   * after its activation.
   *
   * @throws InvalidInputException if there is no such layer
   */
  static int encodingValue(Network network, String layer) {
    List<Layer> layers = network.layers();
    int found = -1;
    for (int i = 0; i < layers.size() - 1; i++) {
      boolean taken =
          layer.isEmpty()
              ? found < 0
                  || network.value(i + 1).size() < network.value(found).size()
                  || (found == i && network.value(i + 1).size() == network.value(found).size())
              : layers.get(i).name().equals(layer);
      found = taken ? i + 1 : found;
    }
    InvalidInputException.require(
        found >= 0,
        "encodingLayer: there is no hidden layer %s, only %s",
        layer,
        layers.subList(0, Math.max(0, layers.size() - 1)).stream()
            .map(Layer::name)
            .collect(Collectors.joining(", ")));
    return layer.isEmpty() ? found : activated(network, found);
  }

  /** After the activation that belongs to the layer. */
  private static int activated(Network network, int value) {
    List<Layer> layers = network.layers();
    String name = layers.get(value - 1).name();
    if (layers.get(value) instanceof ActivationLayer next
        && network.sources().get(value).equals(List.of(value))) {
      if (next.name().startsWith(name + " ")) {
        return value + 1;
      }
      InvalidInputException.require(
          !next.worksInPlace(),
          "encodingLayer: %s is not kept apart from its activation %s; name that",
          name,
          next.name());
    }
    return value;
  }
}
