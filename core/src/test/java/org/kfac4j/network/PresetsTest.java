package org.kfac4j.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.kfac4j.InvalidInputException;
import org.kfac4j.network.Activation.Function;

/** Presets and layer lists. */
class PresetsTest {
  @Test
  void theCurvesAutoencoderIsThePapers() {
    Network network = network("curves-autoencoder");
    assertThat(widths(network))
        .containsExactly(784, 400, 200, 100, 50, 25, 6, 25, 50, 100, 200, 400, 784);
    assertThat(network.loss()).isEqualTo(new SigmoidCrossEntropy(784));
    assertHiddenActivations(network, Function.SIGMOID, 6);
  }

  @Test
  void theMnistAutoencoderIsThePapersWithTanh() {
    Network network = network("mnist-autoencoder");
    assertThat(widths(network)).containsExactly(784, 1000, 500, 250, 30, 250, 500, 1000, 784);
    assertThat(network.loss()).isEqualTo(new SigmoidCrossEntropy(784));
    assertHiddenActivations(network, Function.TANH, 30);
  }

  @Test
  void theMnistClassifierHasTwoHiddenLayers() {
    Network network = network("mnist-classifier");
    assertThat(widths(network)).containsExactly(784, 300, 100, 10);
    assertThat(network.loss()).isEqualTo(new SoftmaxCrossEntropy(10));
    assertHiddenActivations(network, Function.TANH, 0);
  }

  @Test
  void aPresetIsTheSameEveryTime() {
    assertThat(Presets.model("mnist-classifier").json())
        .isEqualTo(Presets.model("mnist-classifier").json());
  }

  /** Numbers of parameters by hand: (k² in + 1) out of each layer. */
  @ParameterizedTest
  @CsvSource({
    "cifar-cnn, 4, 89578",
    "vgg16, 16, 15245130",
    "vgg16-normalized, 29, 15257802",
    "resnet20, 43, 274042",
    "resnet32, 67, 469370",
    "resnet56, 115, 860026",
    "resnet20-plain, 22, 271690",
    "resnet32-plain, 34, 465674"
  })
  void imagePresetsHaveTheLayersOfTheirPapers(String preset, int layers, int parameters) {
    Network network = network(preset);
    assertThat(network.input()).isEqualTo(new Shape(32, 32, 3));
    assertThat(network.outputs()).isEqualTo(10);
    assertThat(network.blocks()).hasSize(layers);
    assertThat(network.parameterCount()).isEqualTo(parameters);
  }

  @ParameterizedTest
  @EnumSource(Function.class)
  void everyActivationCanBeNamed(Function function) {
    Network network =
        of(Presets.layers(new int[] {3, 4, 2}, function.name().toLowerCase(Locale.ROOT), 0, "mse"));
    assertThat(
            network.layers().stream()
                .filter(ActivationLayer.class::isInstance)
                .map(PresetsTest::function))
        .isEqualTo(function == Function.IDENTITY ? List.of() : List.of(function));
  }

  @ParameterizedTest
  @CsvSource({
    "xent, sigmoid cross-entropy (XENT)",
    "MCXENT, softmax cross-entropy (MCXENT)",
    "mse, squared error (MSE)",
    "l2, squared error (L2)"
  })
  void everyLossCanBeNamed(String loss, String name) {
    assertThat(of(Presets.layers(new int[] {3, 2}, "tanh", 0, loss)).loss().name()).isEqualTo(name);
  }

  @Test
  void unknownNamesAreRefusedWithTheKnownOnes() {
    assertRefused(
        () -> Presets.model("mnist"),
        "model.preset must be one of cifar-cnn, curves-autoencoder, mnist-autoencoder, mnist-classifier, "
            + "resnet20, resnet20-plain, resnet32, resnet32-plain, resnet56, vgg16, vgg16-normalized, got mnist");
    assertRefused(
        () -> Presets.layers(new int[] {3, 2}, "tanh", 0, "hinge"),
        "model.loss must be one of l2, mcxent, mse, xent, got hinge");
    assertThatThrownBy(() -> Presets.layers(new int[] {3, 2}, "softmax", 0, "mse"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith("model.activation must be one of cube, elu, ")
        .hasMessageEndingWith(", got softmax");
  }

  @Test
  void impossibleWidthsAreRefused() {
    assertRefused(
        () -> Presets.layers(new int[] {3}, "tanh", 0, "mse"),
        "model.layers needs at least an input and an output width, got [3]");
    assertRefused(
        () -> Presets.layers(new int[] {3, 0, 2}, "tanh", 0, "mse"),
        "model.layers must be at least 1 each, got [3, 0, 2]");
    for (int[] widths : new int[][] {{3, 4, 2}, {3, 5, 5, 2}, {5, 4, 5}}) {
      assertThatThrownBy(() -> Presets.layers(widths, "tanh", 5, "mse"))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageStartingWith(
              "model.linear-code must be 0 or the width of exactly one hidden layer");
    }
  }

  private static void assertRefused(
      org.assertj.core.api.ThrowableAssert.ThrowingCallable call, String message) {
    assertThatThrownBy(call).isInstanceOf(InvalidInputException.class).hasMessage(message);
  }

  private static Network network(String preset) {
    return Presets.model(preset).network();
  }

  private static Network of(org.deeplearning4j.nn.conf.MultiLayerConfiguration configuration) {
    return Dl4jImport.network(configuration, "test");
  }

  private static List<Integer> widths(Network network) {
    List<Integer> widths = new java.util.ArrayList<>(List.of(network.inputs()));
    network.layers().stream()
        .filter(DenseLayer.class::isInstance)
        .map(Layer::outputs)
        .forEach(widths::add);
    return widths;
  }

  /** Every dense layer but the last and the code is followed by {@code function}. */
  private static void assertHiddenActivations(Network network, Function function, int code) {
    for (int i = 0; i + 1 < network.layers().size(); i++) {
      if (network.layers().get(i) instanceof DenseLayer dense) {
        Layer next = network.layers().get(i + 1);
        if (dense.outputs() == code) {
          assertThat(next).isInstanceOf(DenseLayer.class);
        } else {
          assertThat(function(next)).isEqualTo(function);
        }
      }
    }
    assertThat(network.layers().get(network.layers().size() - 1)).isInstanceOf(DenseLayer.class);
  }

  private static Function function(Layer layer) {
    return ((ActivationLayer) layer).activation().function();
  }
}
