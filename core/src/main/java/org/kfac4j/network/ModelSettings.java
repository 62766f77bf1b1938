package org.kfac4j.network;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.kfac4j.InvalidInputException;
import org.kfac4j.Settings;
import org.kfac4j.data.Storage;

/**
 * The block {@code model} of the settings: a preset, a DL4J file, or a list of layers.
 *
 * @param preset a name in {@link Presets}, or empty
 * @param file URI of a DL4J configuration or saved model, or empty
 * @param layers widths from input to output, or empty
 * @param activation of the hidden layers of {@code layers}
 * @param linearCode width of the hidden layer of {@code layers} that is linear, 0 for none
 * @param loss of {@code layers}
 * @param init scheme of a preset's or layer list's initial weights; a file has its own, or the
 *     weights themselves
 * @param input [channels, rows, columns] of images, for a file that does not say it, or empty
 */
public record ModelSettings(
    String preset,
    String file,
    List<Integer> layers,
    String activation,
    int linearCode,
    String loss,
    String init,
    List<Integer> input) {

  /**
   * @throws InvalidInputException if not exactly one of preset, file and layers is set, a name is
   *     unknown, or layers are impossible
   */
  public ModelSettings {
    layers = List.copyOf(layers);
    input = List.copyOf(input);
    long set =
        Stream.of(!preset.isEmpty(), !file.isEmpty(), !layers.isEmpty())
            .filter(each -> each)
            .count();
    InvalidInputException.require(
        set == 1,
        "exactly one of model.preset, model.file and model.layers must be set, got \"%s\", \"%s\" and %s",
        preset,
        file,
        layers);
    Presets.checkActivation(activation);
    Presets.checkLoss(loss);
    Initializer.checkName(init);
    image(input);
  }

  /**
   * What images are by {@code model.input}; null if it is not set.
   *
   * @throws InvalidInputException if it breaks a rule
   */
  public static @Nullable Shape image(Config model) {
    return image(wholeNumbers(model, "input"));
  }

  private static @Nullable Shape image(List<Integer> input) {
    InvalidInputException.require(
        input.isEmpty() || (input.size() == 3 && input.stream().allMatch(each -> each >= 1)),
        "model.input must be [channels, rows, columns], got %s",
        input);
    return input.isEmpty() ? null : new Shape(input.get(1), input.get(2), input.get(0));
  }

  private static List<Integer> wholeNumbers(Config model, String key) {
    return model.getNumberList(key).stream().map(each -> whole("model." + key, each)).toList();
  }

  /**
   * The block {@code model} of the settings. Initial weights without a scheme are sparse for an
   * autoencoder (arXiv:1503.05671 §13), else Xavier's.
   *
   * @throws InvalidInputException if a value breaks a rule
   */
  public static ModelSettings from(Settings settings) {
    return from(settings.config("model"), defaultInit(settings));
  }

  /** The scheme of initial weights where the settings do not say it. */
  public static String defaultInit(Settings settings) {
    return settings.text("data.task").equals("autoencoder") ? "sparse" : "xavier";
  }

  /**
   * @param model the resolved block {@code model}
   * @param init the scheme of initial weights if it has none
   * @throws InvalidInputException if a value breaks a rule
   */
  static ModelSettings from(Config model, String init) {
    try {
      return new ModelSettings(
          model.getString("preset"),
          model.getString("file"),
          wholeNumbers(model, "layers"),
          model.getString("activation"),
          model.getInt("linear-code"),
          model.getString("loss"),
          model.getString("init").isEmpty() ? init : model.getString("init"),
          wholeNumbers(model, "input"));
    } catch (ConfigException e) {
      throw new InvalidInputException("model: " + Refusal.oneLine(e.getMessage()), e);
    }
  }

  private static int whole(String key, Number number) {
    InvalidInputException.require(
        number.doubleValue() == number.intValue(), "%s must be whole numbers, got %s", key, number);
    return number.intValue();
  }

  /**
   * The model with its initial weights: those in the file if it has any, else drawn from {@code
   * seed} by the scheme {@code init} or, for a file, by the schemes in it.
   *
   * @throws InvalidInputException if the model is unknown, damaged or not supported
   */
  public Dl4jModel.Loaded create(Storage storage, long seed) {
    if (!file.isEmpty()) {
      return fromFile(storage, seed);
    }
    Dl4jModel model =
        preset.isEmpty()
            ? Dl4jModel.of(Presets.layers(widths(), activation, linearCode, loss), "model.layers")
            : Presets.model(preset);
    return new Dl4jModel.Loaded(model, Initializer.initial(model, init, seed), false);
  }

  private Dl4jModel.Loaded fromFile(Storage storage, long seed) {
    try {
      return Dl4jModel.read(storage, file, seed, image(input));
    } catch (InvalidInputException e) {
      throw new InvalidInputException("model.file: " + e.getMessage(), e);
    }
  }

  private int[] widths() {
    return layers.stream().mapToInt(Integer::intValue).toArray();
  }
}
