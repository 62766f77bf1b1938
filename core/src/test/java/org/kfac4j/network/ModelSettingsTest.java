package org.kfac4j.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.kfac4j.InvalidInputException;
import org.kfac4j.data.LocalStorage;

/** The block {@code model} of the settings. */
class ModelSettingsTest {
  private static final LocalStorage STORAGE = new LocalStorage();

  @TempDir Path folder;

  @Test
  void aPresetStartsFromTheSparseWeightsOfTheDefaults() {
    Dl4jModel.Loaded loaded = settings("preset = mnist-classifier").create(STORAGE, 3);
    assertThat(loaded.model()).isEqualTo(Presets.model("mnist-classifier"));
    assertThat(loaded.theta())
        .isEqualTo(
            Initializer.sparse(
                loaded.model().network(),
                3,
                new double[loaded.model().network().parameterCount()]));
    assertThat(loaded.saved()).isFalse();
  }

  @Test
  void layersAreBuiltAsTheSettingsSay() {
    Dl4jModel.Loaded loaded =
        settings(
                "layers = [8, 4, 2, 4, 8], activation = relu, linear-code = 2, loss = mse, init = relu")
            .create(STORAGE, 3);
    Dl4jModel expected =
        Dl4jModel.of(Presets.layers(new int[] {8, 4, 2, 4, 8}, "relu", 2, "mse"), "test");
    assertThat(loaded.model()).isEqualTo(expected);
    assertThat(loaded.theta()).isEqualTo(Initializer.initial(expected, "relu", 3));
  }

  @Test
  void aFileBringsItsWeightsOrItsScheme() throws IOException {
    Dl4jModel.Loaded made = settings("layers = [8, 4, 2]").create(STORAGE, 3);
    Path zip = folder.resolve("model.zip");
    try (var out = Files.newOutputStream(zip)) {
      made.model().write(made.theta(), out);
    }
    Dl4jModel.Loaded fromZip = settings("file = \"" + zip + "\"").create(STORAGE, 4);
    assertThat(fromZip.saved()).isTrue();
    assertThat(fromZip.theta()).isEqualTo(toFloatAndBack(made.theta()));

    Path json = folder.resolve("model.json");
    Files.writeString(json, made.model().json());
    Dl4jModel.Loaded fromJson = settings("file = \"" + json + "\"").create(STORAGE, 4);
    assertThat(fromJson.theta()).isEqualTo(Initializer.configured(made.model(), 4, "test"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "loss = mse | exactly one of model.preset, model.file and model.layers must be set, got \"\", \"\" and []",
        "preset = a, file = b | exactly one of model.preset, model.file and model.layers must be set, got \"a\", \"b\" and []",
        "preset = a, layers = [1, 2] | exactly one of model.preset, model.file and model.layers must be set",
        "layers = [784] | model.layers needs at least an input and an output width, got [784]",
        "layers = [784, -1] | model.layers must be at least 1 each, got [784, -1]",
        "layers = [784, 2.5] | model.layers must be whole numbers, got 2.5",
        "layers = many | model: ",
        "preset = mnist | model.preset must be one of cifar-cnn, ",
        "preset = mnist-classifier, init = magic | model.init must be one of sparse, ",
        "layers = [3, 2], activation = sine | model.activation must be one of cube, ",
        "layers = [3, 2], loss = hinge | model.loss must be one of l2, mcxent, mse, xent, got hinge",
        "layers = [3, 2], linear-code = 7 | model.linear-code must be 0 or the width of exactly one hidden layer",
        "file = /absent.zip | model.file: /absent.zip: there is no such file"
      })
  void mistakesAreNamedInOneLine(String block, String message) {
    assertThatThrownBy(() -> settings(block).create(STORAGE, 1))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith(message)
        .hasMessageNotContaining("\n");
  }

  private static ModelSettings settings(String block) {
    Config defaults = ConfigFactory.parseResources("kfac4j-defaults.conf");
    return ModelSettings.from(
        ConfigFactory.parseString("model { " + block + " }")
            .withFallback(defaults)
            .resolve()
            .getConfig("model"),
        "sparse");
  }

  private static double[] toFloatAndBack(double[] values) {
    double[] rounded = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      rounded[i] = (float) values[i];
    }
    return rounded;
  }
}
