package org.kfac4j.network;

import static java.util.Map.entry;
import static java.util.Objects.requireNonNull;

import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.kfac4j.InvalidInputException;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.lossfunctions.ILossFunction;
import org.nd4j.linalg.lossfunctions.impl.LossBinaryXENT;
import org.nd4j.linalg.lossfunctions.impl.LossL2;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;
import org.nd4j.linalg.lossfunctions.impl.LossMSE;

/** Configurations by name, and of a list of layer widths. */
public final class Presets {
  private static final Map<String, Function<String, Dl4jModel>> TABLE =
      Map.ofEntries(
          entry("cifar-cnn", name -> Dl4jModel.of(ImagePresets.cifarCnn(), name)),
          entry(
              "curves-autoencoder",
              name ->
                  Dl4jModel.of(
                      layers(mirrored(784, 400, 200, 100, 50, 25, 6), "sigmoid", 6, "xent"), name)),
          entry(
              "mnist-autoencoder",
              name ->
                  Dl4jModel.of(
                      layers(mirrored(784, 1000, 500, 250, 30), "tanh", 30, "xent"), name)),
          entry(
              "mnist-classifier",
              name ->
                  Dl4jModel.of(layers(new int[] {784, 300, 100, 10}, "tanh", 0, "mcxent"), name)),
          entry("resnet20", name -> Dl4jModel.of(ImagePresets.resnet(3, true), name)),
          entry("resnet20-plain", name -> Dl4jModel.of(ImagePresets.resnet(3, false), name)),
          entry("resnet32", name -> Dl4jModel.of(ImagePresets.resnet(5, true), name)),
          entry("resnet32-plain", name -> Dl4jModel.of(ImagePresets.resnet(5, false), name)),
          entry("resnet56", name -> Dl4jModel.of(ImagePresets.resnet(9, true), name)),
          entry("vgg16", name -> Dl4jModel.of(ImagePresets.vgg16(false), name)),
          entry("vgg16-normalized", name -> Dl4jModel.of(ImagePresets.vgg16(true), name)));

  /**
   * What the output layer does. DL4J clips the probabilities of XENT, which hides the loss of
   * confident pixels from its scores; in single precision 1e-7 is about the least with 1 − ε below
   * 1.
   */
  private static final Map<String, Output> LOSSES =
      Map.of(
          "xent", new Output(Activation.SIGMOID, () -> new LossBinaryXENT(1e-7)),
          "mcxent", new Output(Activation.SOFTMAX, LossMCXENT::new),
          "mse", new Output(Activation.IDENTITY, LossMSE::new),
          "l2", new Output(Activation.IDENTITY, LossL2::new));

  private Presets() {}

  private record Output(Activation activation, Supplier<ILossFunction> loss) {}

  /**
   * @throws InvalidInputException if there is no such preset
   */
  public static Dl4jModel model(String preset) {
    Function<String, Dl4jModel> found = TABLE.get(preset);
    if (found == null) {
      throw unknown("model.preset", preset, TABLE);
    }
    return found.apply("model.preset = " + preset);
  }

  /**
   * Fully connected layers.
   *
   * @param widths from input to output
   * @param activation of the hidden layers, by DL4J's name
   * @param linearCode width of the one hidden layer that is left linear, 0 for none
   * @param loss xent, mcxent, mse or l2; with the sigmoid, softmax or identity that belongs to it
   * @throws InvalidInputException if there are fewer than two widths, one is below 1, there is no
   *     such activation or loss, or not exactly one hidden layer of width {@code linearCode}
   */
  public static MultiLayerConfiguration layers(
      int[] widths, String activation, int linearCode, String loss) {
    checkWidths(widths, linearCode);
    checkActivation(activation);
    checkLoss(loss);
    Output output = requireNonNull(LOSSES.get(loss.toLowerCase(Locale.ROOT)));
    Activation hidden = Activation.valueOf(activation.toUpperCase(Locale.ROOT));
    // DL4J's default seed is the time of day, and the configuration goes into the saved model.
    NeuralNetConfiguration.ListBuilder list =
        new NeuralNetConfiguration.Builder().seed(1).dataType(DataType.FLOAT).list();
    for (int i = 1; i < widths.length - 1; i++) {
      list.layer(
          new org.deeplearning4j.nn.conf.layers.DenseLayer.Builder()
              .nIn(widths[i - 1])
              .nOut(widths[i])
              .activation(widths[i] == linearCode ? Activation.IDENTITY : hidden)
              .build());
    }
    list.layer(
        new OutputLayer.Builder(output.loss().get())
            .nIn(widths[widths.length - 2])
            .nOut(widths[widths.length - 1])
            .activation(output.activation())
            .build());
    return list.build();
  }

  private static void checkWidths(int[] widths, int linearCode) {
    InvalidInputException.require(
        widths.length >= 2,
        "model.layers needs at least an input and an output width, got %s",
        Arrays.toString(widths));
    InvalidInputException.require(
        Arrays.stream(widths).allMatch(width -> width >= 1),
        "model.layers must be at least 1 each, got %s",
        Arrays.toString(widths));
    long codes =
        Arrays.stream(widths, 1, widths.length - 1).filter(width -> width == linearCode).count();
    InvalidInputException.require(
        linearCode == 0 || codes == 1,
        "model.linear-code must be 0 or the width of exactly one hidden layer of model.layers, got %d with %s",
        linearCode,
        Arrays.toString(widths));
  }

  /**
   * @throws InvalidInputException if there is no such element-wise activation
   */
  static void checkActivation(String name) {
    Map<String, ?> known =
        Arrays.stream(org.kfac4j.network.Activation.Function.values())
            .collect(Collectors.toMap(each -> each.name().toLowerCase(Locale.ROOT), each -> each));
    if (!known.containsKey(name.toLowerCase(Locale.ROOT))) {
      throw unknown("model.activation", name, known);
    }
  }

  /**
   * @throws InvalidInputException if there is no such loss
   */
  static void checkLoss(String name) {
    if (!LOSSES.containsKey(name.toLowerCase(Locale.ROOT))) {
      throw unknown("model.loss", name, LOSSES);
    }
  }

  private static InvalidInputException unknown(String key, String value, Map<String, ?> known) {
    return new InvalidInputException(
        key
            + " must be one of "
            + String.join(", ", new TreeMap<>(known).keySet())
            + ", got "
            + value);
  }

  /** {@code encoder} from input to code, and back. */
  private static int[] mirrored(int... encoder) {
    int last = encoder.length - 1;
    return IntStream.rangeClosed(0, 2 * last)
        .map(i -> encoder[Math.min(i, 2 * last - i)])
        .toArray();
  }
}
