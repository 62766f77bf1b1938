package org.kfac4j.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.kfac4j.optimizer.Preconditioners;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;

/**
 * A preconditioner that does not go with a network or with other settings is refused in one line,
 * before anything of the user's is touched.
 */
class FamilyErrorsTest {
  @TempDir Path temporary;
  private Path out;
  private Path conf;

  @BeforeEach
  void prepare() throws IOException {
    out = Files.createDirectory(temporary.resolve("out"));
    Files.writeString(out.resolve("notes.txt"), "the user's own");
    IdxFolder data = IdxFolder.write(temporary.resolve("data"), 40, 20, 2, 3);
    conf =
        Files.writeString(
            temporary.resolve("a.conf"),
            """
            model { layers = [6, 5, 10], activation = tanh, loss = mcxent, init = xavier }
            data { source = idx, path = "%s", task = classifier, classes = 10 }
            training { iterations = 3, batch-size = 10 }
            output { dir = "%s", overwrite = true }
            """
                .formatted(data.path(), out));
  }

  private Jobs.Ended train(String... settings) {
    return Jobs.train(
        conf,
        Arrays.stream(settings)
            .flatMap(setting -> Stream.of("--set", setting))
            .toArray(String[]::new));
  }

  private void assertRefused(String[] settings, String... fragments) throws IOException {
    Map<String, String> before = RunResults.tree(out);
    Jobs.Ended ended = train(settings);
    assertThat(ended.code()).as(ended.err()).isEqualTo(Job.BAD_INPUT);
    assertThat(ended.err().lines()).hasSize(1);
    assertThat(ended.err()).startsWith("error: ").contains(fragments).doesNotContain("Exception");
    assertThat(RunResults.tree(out)).isEqualTo(before).containsOnlyKeys("", "notes.txt");
  }

  private static OutputLayer output() {
    return new OutputLayer.Builder(new LossMCXENT())
        .nOut(10)
        .activation(Activation.SOFTMAX)
        .build();
  }

  private static String convolution() {
    return new NeuralNetConfiguration.Builder()
        .list()
        .layer(new ConvolutionLayer.Builder(2, 2).name("maps").nOut(3).build())
        .layer(output())
        .setInputType(InputType.convolutionalFlat(2, 3, 1))
        .build()
        .toJson();
  }

  private static DenseLayer dense() {
    return new DenseLayer.Builder().nOut(4).activation(Activation.TANH).build();
  }

  private static String graph() {
    return new NeuralNetConfiguration.Builder()
        .graphBuilder()
        .addInputs("in")
        .addLayer("first", dense(), "in")
        .addLayer("second", dense(), "first")
        .addVertex("sum", new ElementWiseVertex(ElementWiseVertex.Op.Add), "first", "second")
        .addLayer("out", output(), "sum")
        .setOutputs("out")
        .setInputTypes(InputType.feedForward(6))
        .build()
        .toJson();
  }

  private String[] withModel(String json, String... settings) throws IOException {
    Path file = Files.writeString(temporary.resolve("model.json"), json);
    return Stream.concat(
            Stream.of("model.layers=[]", "model.file=" + file), Arrays.stream(settings))
        .toArray(String[]::new);
  }

  @Test
  void theTridiagonalFormNeedsDenseLayers() throws IOException {
    assertRefused(
        withModel(convolution(), "optimizer.preconditioner=kfac-tridiagonal"),
        "optimizer.preconditioner = kfac-tridiagonal",
        "needs dense layers",
        "maps is a ConvolutionLayer");
  }

  @Test
  void theTridiagonalFormNeedsAChain() throws IOException {
    assertRefused(
        withModel(graph(), "optimizer.preconditioner=kfac-tridiagonal"),
        "optimizer.preconditioner = kfac-tridiagonal",
        "needs a chain of layers",
        "sum takes something else than the layer before it");
  }

  /** The same networks with K-FAC are fine. */
  @Test
  void whatTheTridiagonalFormRefusesIsNoTroubleForOthers() throws IOException {
    for (String json : List.of(convolution(), graph())) {
      Jobs.Ended ended = train(withModel(json, "optimizer.preconditioner=kfac"));
      assertThat(ended.code()).as(ended.err()).isZero();
    }
  }

  /** Those that the table has with factored damping alone. */
  static List<String> withoutEigenDamping() {
    List<String> names =
        Preconditioners.entries().stream()
            .filter(entry -> entry.endsWith(" factored"))
            .map(entry -> entry.replace(" factored", ""))
            .filter(name -> !Preconditioners.entries().contains(name + " eigen"))
            .toList();
    assertThat(names).containsExactlyInAnyOrder("cgfac", "kfac-tridiagonal");
    return names;
  }

  @ParameterizedTest
  @MethodSource("withoutEigenDamping")
  void aFormOfDampingThatAPreconditionerHasNotIsRefused(String name) throws IOException {
    assertRefused(
        new String[] {"optimizer.preconditioner=" + name, "curvature.damping=eigen"},
        "optimizer.preconditioner = " + name + " needs curvature.damping = factored, got eigen");
  }

  @ParameterizedTest
  @ValueSource(strings = {"kfac", "tkfac", "two-level"})
  void eigenDampingHasNoGammaToSearchFor(String name) throws IOException {
    assertRefused(
        new String[] {
          "optimizer.preconditioner=" + name,
          "curvature.damping=eigen",
          "curvature.gamma-search=true"
        },
        "curvature.gamma-search = true",
        "there is no γ in");
  }

  static Stream<Arguments> wrong() {
    return Stream.of(
            List.of("curvature.damping=exact", "curvature.damping", "factored, eigen", "exact"),
            // Estimates of eigenvalues between inverses.
            List.of(
                "optimizer.preconditioner=ekfac curvature.scalings.period=0",
                "curvature.scalings.period",
                "at least 1",
                "0"),
            List.of(
                "optimizer.preconditioner=ekfac curvature.scalings.source=batch",
                "curvature.scalings.source",
                "examples, mean-gradient",
                "batch"),
            List.of(
                "optimizer.preconditioner=ekfac curvature.scalings.source=mean-gradient curvature.scalings.gradient-average=1",
                "curvature.scalings.gradient-average",
                "[0, 1)",
                "1.0"),
            List.of(
                "optimizer.preconditioner=ekfac curvature.scalings.source=mean-gradient curvature.scalings.period=21",
                "curvature.scalings.source = mean-gradient",
                "curvature.inverse-period",
                "20 and 21"),
            List.of(
                "optimizer.preconditioner=tekfac curvature.scalings.source=mean-gradient curvature.inverse-period=1",
                "curvature.scalings.source = mean-gradient",
                "curvature.inverse-period of at least 2",
                "1 and 1"),
            List.of(
                "optimizer.preconditioner=two-level curvature.gamma-period=30",
                "curvature.gamma-period",
                "curvature.inverse-period (20)",
                "30"),
            List.of(
                "optimizer.preconditioner=two-level curvature.two-level.weight=-1",
                "curvature.two-level.weight",
                "not negative",
                "-1.0"),
            List.of(
                "optimizer.preconditioner=two-level curvature.two-level.correction=residual curvature.two-level.weight=0.5",
                "curvature.two-level.weight",
                "correction = residual",
                "0.5"),
            List.of(
                "optimizer.preconditioner=two-level curvature.two-level.correction=both",
                "curvature.two-level.correction",
                "additive, residual",
                "both"),
            List.of(
                "optimizer.preconditioner=cgfac curvature.cg.iterations=0",
                "curvature.cg.iterations",
                "at least 1",
                "0"),
            List.of(
                "optimizer.preconditioner=cgfac curvature.cg.operator=gauss",
                "curvature.cg.operator",
                "kronecker, fisher",
                "gauss"),
            List.of(
                "optimizer.preconditioner=kfac-tridiagonal curvature.widest-factor=4 curvature.wide-factors=blocks",
                "curvature.widest-factor = 4",
                "needs whole factors",
                "blocks"),
            List.of(
                "optimizer.preconditioner=two-level curvature.widest-factor=4 curvature.wide-factors=diagonal",
                "curvature.widest-factor = 4",
                "needs whole factors",
                "diagonal"))
        .map(row -> Arguments.of(row.get(0), row.subList(1, row.size()).toArray(String[]::new)));
  }

  @ParameterizedTest
  @MethodSource("wrong")
  void whatDoesNotGoTogetherIsNamed(String settings, String[] fragments) throws IOException {
    assertRefused(settings.split(" "), fragments);
  }

  /** As often as a basis lasts is often enough. */
  @Test
  void meanGradientsMayBeAsRareAsInverses() {
    Jobs.Ended ended =
        train(
            "optimizer.preconditioner=ekfac",
            "curvature.scalings.source=mean-gradient",
            "curvature.scalings.period=2",
            "curvature.inverse-period=2",
            "training.iterations=5");
    assertThat(ended.code()).as(ended.err()).isZero();
  }
}
