package org.kfac4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.assertj.core.api.AbstractStringAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SettingsTest {
  private enum Rule {
    LEVENBERG_MARQUARDT,
    FIXED,
    EXPONENTIAL
  }

  @Test
  void defaultsHoldWhereNothingElseIsSaid() {
    Settings settings = load("");
    assertThat(settings.positiveInt("training.batch-size")).isEqualTo(1000);
    assertThat(settings.positive("optimizer.l2")).isEqualTo(1e-5);
    assertThat(settings.flag("training.restore-best")).isTrue();
    assertThat(settings.text("optimizer.name")).isEqualTo("kfac");
    assertThat(settings.optionalText("model.preset")).isEmpty();
    assertThat(settings.optionalNumber("training.target")).isEmpty();
    assertThat(settings.positiveInts("model.layers")).isEmpty();
    assertThat(settings.nonNegative("optimizer.adam.beta2")).isEqualTo(0.999);
  }

  @Test
  void numbersAreAListOfFiniteOnes() {
    assertThat(load("").numbers("data.channel-mean")).isEmpty();
    assertThat(load("data.channel-mean = [1, -0.5, 2e-3]").numbers("data.channel-mean"))
        .containsExactly(1.0, -0.5, 0.002);
    assertThatThrownBy(() -> load("data.channel-mean = [1, red]").numbers("data.channel-mean"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("data.channel-mean must be a list of finite numbers");
  }

  @Test
  void commandLineWinsOverFileWinsOverDefaults() {
    String file = "training { iterations = 5, seed = 7 }";
    Settings settings =
        Settings.load("x.conf", file, List.of("training.iterations=3", "training.iterations = 4"));
    assertThat(settings.positiveInt("training.iterations")).isEqualTo(4);
    assertThat(settings.longValue("training.seed")).isEqualTo(7);
    assertThat(settings.positiveInt("training.batch-size")).isEqualTo(1000);
  }

  @Test
  void commandLineNeedsNeitherQuotesNorBrackets() {
    List<String> overrides =
        List.of(
            "data.path=hdfs://host:8020/a//b",
            "model.layers=784, 10",
            "training.target=0.95",
            "model.file=\"m.zip\"");
    Settings settings = Settings.load("x.conf", "", overrides);
    assertThat(settings.text("data.path")).isEqualTo("hdfs://host:8020/a//b");
    assertThat(settings.positiveInts("model.layers")).containsExactly(784, 10);
    assertThat(settings.optionalNumber("training.target")).hasValue(0.95);
    assertThat(settings.optionalText("model.file")).contains("m.zip");
    assertThat(Settings.load("x", "", List.of("model.layers=[3]")).positiveInts("model.layers"))
        .containsExactly(3);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "training.batchsize = 3 | training.batchsize; did you mean training.batch-size?",
        "training { batchSize = 3 } | training.batchSize; did you mean training.batch-size?",
        "batch-size = 3 | batch-size; did you mean training.batch-size?",
        "trainng { batch-size = 3 } | trainng; did you mean training?",
        "optimiser.name = sgd | optimiser; did you mean optimizer?",
        "momentum { value = 1 } | momentum; did you mean optimizer.momentum?",
        "damping = 1 | damping; did you mean curvature.damping or optimizer.damping?",
        "optimizer.epsilon = 1 | optimizer.epsilon; did you mean optimizer.adam.epsilon or optimizer.lamb.epsilon?",
        "frobnicate = 1 | frobnicate; --print-config shows all keys",
        "training.\"a.b\" = 1 | training.\"a.b\"; --print-config shows all keys",
      })
  void unknownKeysAreRefusedWithTheNearestKnownOne(String hocon, String rest) {
    assertRefused(hocon).isEqualTo("conf/x.conf: unknown key " + rest);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "training.iterations = many | training.iterations must be an integer, got \"many\"",
        "training.iterations = 1.5 | training.iterations must be an integer, got 1.5",
        "training.iterations = null | training.iterations must be an integer, got null",
        "training.iterations = 1e30 | training.iterations must be an integer, got 1e30",
        "training.iterations { a = 1 } | training.iterations must be an integer, got a block",
        "optimizer.l2 = [1] | optimizer.l2 must be a finite number, got [1]",
        "optimizer.l2 = NaN | optimizer.l2 must be a finite number, got \"NaN\"",
        "optimizer.l2 = 1e999 | optimizer.l2 must be a finite number, got 1e999",
        "optimizer.l2 = -Infinity | optimizer.l2 must be a finite number, got \"-Infinity\"",
        "training.restore-best = 1 | training.restore-best must be true or false, got 1",
        "model.layers = 784 | model.layers must be a list, got 784",
        "model.preset = [a] | model.preset must be a string, got [\"a\"]",
        "optimizer.adam = 1 | optimizer.adam is a block with beta1, beta2, epsilon, got 1",
      })
  void valuesOfAnotherTypeAreRefused(String hocon, String message) {
    assertRefused(hocon).isEqualTo("conf/x.conf: " + message);
  }

  @Test
  void textThatReadsAsANumberWillDo() {
    Settings settings =
        load(
            "training { iterations = \"12\", batch-size = 1e3, restore-best = \"no\" }, optimizer.l2 = .5");
    assertThat(settings.positiveInt("training.iterations")).isEqualTo(12);
    assertThat(settings.positiveInt("training.batch-size")).isEqualTo(1000);
    assertThat(settings.flag("training.restore-best")).isFalse();
    assertThat(settings.positive("optimizer.l2")).isEqualTo(0.5);
  }

  @Test
  void valuesThatBreakAGettersRuleAreRefused() {
    Settings settings =
        load(
            "training { batch-size = 0, averaging = 1.5, iterations = 3000000000 }, optimizer.l2 = -1, model.layers = [784, 0]");
    assertMessage(
        () -> settings.positiveInt("training.batch-size"),
        "training.batch-size must be at least 1, got 0");
    assertThat(settings.nonNegativeInt("training.batch-size")).isZero();
    assertMessage(
        () -> settings.positiveInt("training.iterations"),
        "training.iterations must be at most 2147483647, got 3000000000");
    assertMessage(() -> settings.positive("optimizer.l2"), "optimizer.l2 must be positive, got -1");
    assertMessage(
        () -> settings.nonNegative("optimizer.l2"), "optimizer.l2 must be at least 0, got -1");
    assertMessage(
        () -> settings.between("training.averaging", 0, 1, true, false),
        "training.averaging must be in [0, 1), got 1.5");
    assertMessage(
        () -> settings.positiveInts("model.layers"),
        "model.layers must be a list of integers of at least 1, got [784,0]");
  }

  @Test
  void endsOfARangeBelongToItAsTold() {
    Settings settings = load("training.averaging = 1");
    assertThat(settings.between("training.averaging", 0, 1, true, true)).isEqualTo(1);
    assertThatThrownBy(() -> settings.between("training.averaging", 0, 1, true, false))
        .isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> settings.between("training.averaging", 1, 2, false, true))
        .isInstanceOf(InvalidInputException.class);
  }

  @Test
  void choicesAreConstantsInKebabCase() {
    assertThat(load("").choice("optimizer.damping.rule", Rule.class))
        .isEqualTo(Rule.LEVENBERG_MARQUARDT);
    Settings wrong = load("optimizer.damping.rule = levenberg-marquart, optimizer.name = x");
    assertMessage(
        () -> wrong.choice("optimizer.damping.rule", Rule.class),
        "optimizer.damping.rule must be one of levenberg-marquardt, fixed, exponential, got \"levenberg-marquart\";"
            + " did you mean levenberg-marquardt?");
    assertMessage(
        () -> wrong.choice("optimizer.name", List.of("kfac", "sgd")),
        "optimizer.name must be one of kfac, sgd, got \"x\"");
  }

  @Test
  void aTargetThatIsNoNumberIsRefused() {
    Settings settings = load("training.target = soon");
    assertMessage(
        () -> settings.optionalNumber("training.target"),
        "training.target must be a finite number or empty, got \"soon\"");
  }

  @Test
  void syntaxErrorsNameTheLine() {
    assertRefused("training {\n  iterations = [1,\n  b = }")
        .startsWith("conf/x.conf: line 3: ")
        .doesNotContain("\n");
    assertRefused("training {\n  iterations = 1\n").startsWith("conf/x.conf: line 3: ");
    assertRefused("data.path = hdfs://host/x")
        .isEqualTo(
            "conf/x.conf: line 1: Expecting end of input or a comma, got ':'; text with special characters needs double quotes");
    assertRefused("training.iterations = ${nothing.here}")
        .isEqualTo(
            "conf/x.conf: line 1: Could not resolve substitution to a value: ${nothing.here}");
    assertRefused("include \"other.conf\"")
        .isEqualTo("conf/x.conf: a conf file stands alone, got include \"other.conf\"");
    assertRefused("include file(\"other.conf\")").contains("stands alone");
  }

  @ParameterizedTest
  @ValueSource(strings = {"training.iterations", "=3", "", " = "})
  void malformedOverridesAreRefused(String override) {
    assertThatThrownBy(() -> Settings.load("x.conf", "", List.of(override)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage(
            "--set " + override + ": must be key=value, for example training.iterations=100");
  }

  @Test
  void overridesAreCheckedLikeTheFile() {
    assertOverrideRefused(
        "training.batchsize=3",
        "unknown key training.batchsize; did you mean training.batch-size?");
    assertOverrideRefused(
        "training.iterations=many", "training.iterations must be an integer, got \"many\"");
    assertOverrideRefused(
        "training.iterations=", "training.iterations must be an integer, got \"\"");
    assertOverrideRefused(
        "optimizer.adam=1",
        "optimizer.adam is a block with beta1, beta2, epsilon; name one of them");
    assertOverrideRefused(
        "model.layers=[1",
        "line 1: List should have ended with ] or had a comma, instead had token: end of file");
  }

  @Test
  void anOverrideDoesNotHideAMistakeInTheFile() {
    assertThatThrownBy(
            () -> Settings.load("x.conf", "training = 5", List.of("training.iterations=3")))
        .hasMessageStartingWith("x.conf: training is a block with iterations, batch-size");
  }

  @Test
  void settingsMayReferToOneAnother() {
    Settings settings =
        Settings.load(
            "x.conf",
            "training.evaluate-every = ${training.iterations}",
            List.of("training.iterations=8"));
    assertThat(settings.positiveInt("training.evaluate-every")).isEqualTo(8);
  }

  @Test
  void whatIsRenderedIsTheDefaultsFileWithTheseValues() {
    String hocon =
        "data.path = \"hdfs://a/b\", model.layers = [3, 2], optimizer { name = sgd, adam.beta2 = 0.5 }, training.target = 0.5";
    Settings settings = Settings.load("x.conf", hocon, List.of("training.iterations=7"));
    String text = settings.render();
    assertThat(text)
        .contains(
            "  path = \"hdfs://a/b\"\n",
            "  layers = [3,2]\n",
            "  name = sgd\n",
            "  iterations = 7\n",
            "  target = \"0.5\"\n")
        .contains(
            "  adam { beta1 = 0.9, beta2 = 0.5, epsilon = 1e-8 }\n",
            "  batch-size = 1000\n",
            "# Activation of the hidden");
    assertThat(Settings.load("again", text, List.of()).flat()).isEqualTo(settings.flat());
    assertThat(Settings.load("again", load("").render(), List.of()).flat())
        .isEqualTo(load("").flat());
  }

  @Test
  void flatSettingsAreSortedText() {
    Map<String, String> flat = load("model.layers = [3, 2], optimizer.l2 = 2e-5").flat();
    assertThat(flat)
        .containsEntry("model.layers", "[3,2]")
        .containsEntry("optimizer.l2", "2e-5")
        .containsEntry("model.preset", "");
    assertThat(flat.keySet().stream()).isSorted().contains("optimizer.learning-rate.initial");
  }

  @Test
  void blocksAreAvailableAsWhole() {
    assertThat(load("optimizer.adam.beta1 = 0.8").config("optimizer").getDouble("adam.beta1"))
        .isEqualTo(0.8);
  }

  @Test
  void askingForASettingThatDoesNotExistIsABug() {
    assertThatThrownBy(() -> load("").positiveInt("training.nonsense"))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> load("").flag("training.seed"))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static Settings load(String hocon) {
    return Settings.load("conf/x.conf", hocon, List.of());
  }

  private static AbstractStringAssert<?> assertRefused(String hocon) {
    InvalidInputException e =
        org.assertj.core.api.Assertions.catchThrowableOfType(
            InvalidInputException.class, () -> load(hocon));
    assertThat(e).as(hocon).isNotNull();
    return assertThat(e.getMessage());
  }

  private static void assertMessage(
      org.assertj.core.api.ThrowableAssert.ThrowingCallable call, String message) {
    assertThatThrownBy(call).isInstanceOf(InvalidInputException.class).hasMessage(message);
  }

  private static void assertOverrideRefused(String override, String message) {
    assertMessage(
        () -> Settings.load("x.conf", "", List.of(override)), "--set " + override + ": " + message);
  }
}
