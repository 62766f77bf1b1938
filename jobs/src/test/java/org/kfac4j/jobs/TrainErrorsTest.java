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
import org.deeplearning4j.nn.conf.graph.L2NormalizeVertex;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;

/**
 * What is wrong is said in one line that names the thing, the rule and the value; nothing of the
 * user's is touched.
 */
class TrainErrorsTest {
  private static final int ROWS = 2;
  private static final int COLUMNS = 3;
  private static final int TRAIN = 40;
  private static final int TEST = 20;

  @TempDir Path temporary;
  private Path out;
  private IdxFolder data;
  private Path conf;

  @BeforeEach
  void prepare() throws IOException {
    out = Files.createDirectory(temporary.resolve("out"));
    Files.writeString(out.resolve("notes.txt"), "the user's own");
    data = IdxFolder.write(temporary.resolve("data"), TRAIN, TEST, ROWS, COLUMNS);
    conf =
        Files.writeString(
            temporary.resolve("a.conf"),
            """
            model { layers = [6, 5, 10], activation = tanh, loss = mcxent, init = xavier }
            data { source = idx, path = "%s", task = classifier, classes = 10 }
            training { iterations = 3, batch-size = 10 }
            output { dir = "%s" }
            """
                .formatted(data.path(), out));
  }

  private static String[] settings(String... settings) {
    return Arrays.stream(settings)
        .flatMap(setting -> Stream.of("--set", setting))
        .toArray(String[]::new);
  }

  private void assertRefused(Jobs.Ended ended, Map<String, String> before, String... fragments)
      throws IOException {
    assertThat(ended.code()).as(ended.err()).isEqualTo(Job.BAD_INPUT);
    assertThat(ended.err().lines()).hasSize(1);
    assertThat(ended.err()).startsWith("error: ").contains(fragments).doesNotContain("Exception");
    assertThat(RunResults.tree(out)).isEqualTo(before);
  }

  private void assertRefused(Jobs.Ended ended, String... fragments) throws IOException {
    assertThat(RunResults.tree(out)).containsOnlyKeys("", "notes.txt");
    assertRefused(ended, RunResults.tree(out), fragments);
  }

  @Test
  void theUnchangedConfFileIsFine() throws IOException {
    Jobs.Ended ended = Jobs.train(conf);
    assertThat(ended.code()).as(ended.err()).isZero();
    assertThat(out.resolve("model.zip")).exists();
    assertThat(Files.readString(out.resolve("notes.txt"))).isEqualTo("the user's own");
  }

  static Stream<Arguments> wrongSettings() {
    return Stream.of(
            List.of(
                "training.iteration=3", "training.iteration", "did you mean training.iterations"),
            List.of("optimizer.dampng.initial=3", "optimizer.dampng", "optimizer.damping"),
            List.of("training.iterations=many", "training.iterations", "an integer", "many"),
            List.of("training.iterations=0", "training.iterations", "at least 1", "0"),
            List.of("optimizer.damping.initial=-1", "optimizer.damping.initial", "positive", "-1"),
            List.of("optimizer.damping.initial=1e9", "damping", "1.0E8", "1.0E9"),
            List.of("optimizer.damping.decay=1", "damping decay", "(0, 1)", "1.0"),
            List.of("optimizer.name=adamm", "optimizer.name", "adam", "adamm"),
            List.of(
                "optimizer.preconditioner=shampoo", "optimizer.preconditioner", "kfac", "shampoo"),
            List.of("optimizer.step=large", "optimizer.step", "exact, scheduled", "large"),
            List.of("optimizer.step=scheduled", "levenberg-marquardt", "optimizer.step = exact"),
            List.of("optimizer.l2=-1e-5", "optimizer.l2", "at least 0", "-1e-5"),
            List.of(
                "curvature.gamma-period=30",
                "curvature.gamma-period",
                "curvature.inverse-period",
                "20",
                "30"),
            List.of("curvature.relative-damping.enabled=yes please", "curvature.relative-damping"),
            List.of("curvature.rows=0", "curvature.rows", "at least 1", "0"),
            List.of("curvature.window=0", "curvature.window", "at least 1", "0"),
            List.of(
                "curvature.statistics-fraction=1.5",
                "curvature.statistics-fraction",
                "(0, 1]",
                "1.5"),
            List.of("curvature.products-fraction=0", "products-fraction", "(0, 1]", "0.0"),
            List.of("curvature.average=1", "curvature.average", "[0, 1)", "1.0"),
            List.of(
                "curvature.fisher=true", "curvature.fisher", "sampled, exact, empirical", "true"),
            List.of("training.batch-size=41", "training.batch-size", "40", "41"),
            List.of("training.averaging=1", "training.averaging", "[0, 1)", "1"),
            List.of("training.divergence-factor=1", "training.divergence-factor", "above 1", "1.0"),
            List.of("training.target=good", "training.target", "a finite number", "good"),
            List.of("training.precision=half", "training.precision", "float, double", "half"),
            List.of("training.block-rows=0", "training.block-rows", "at least 1", "0"),
            List.of(
                "training.batch-normalization-rows=0",
                "training.batch-normalization-rows",
                "at least 1",
                "0"),
            List.of(
                "curvature.average-epochs=-1", "curvature.average-epochs", "not negative", "-1.0"),
            List.of("curvature.scales=kronecker", "curvature.scales", "exact, diagonal"),
            List.of("curvature.strict=yes please", "curvature.strict", "true", "yes please"),
            List.of("training.checkpoints-kept=0", "training.checkpoints-kept", "at least 1", "0"),
            List.of("model.layers=[]", "exactly one of model.preset, model.file and model.layers"),
            List.of("model.preset=curves-autoencoder", "exactly one of", "curves-autoencoder"),
            List.of("model.layers=[6,0,10]", "model.layers", "at least 1", "[6, 0, 10]"),
            List.of("model.activation=tan", "model.activation", "tanh", "got tan"),
            List.of("model.loss=hinge", "model.loss", "mcxent", "hinge"),
            List.of("model.init=zeros", "model.init", "zeros"),
            List.of("model.input=[3,32]", "model.input", "[channels, rows, columns]", "[3, 32]"),
            List.of("model.input=[3,32,0.5]", "model.input", "whole numbers", "0.5"),
            List.of("model.layers=[7,5,10]", "the model has 7 inputs", "6 features"),
            List.of("model.layers=[6,5,9]", "the model has 9 outputs", "10 classes"),
            List.of("data.source=imagenet", "data.source", "curves", "imagenet"),
            List.of("data.task=regression", "data.task", "autoencoder, classifier", "regression"),
            List.of("data.path=", "data.path", "missing"),
            List.of("data.path=/nowhere/at all", "data.path", "/nowhere/at all/train-images"),
            List.of("data.classes=9", "label", "example 9", "0..8", "got 9"),
            List.of("data.classes=1", "data.classes", "at least 2", "1"),
            List.of("data.augment.flip=true", "data.augment.image", "[channels, rows, columns]"),
            List.of("data.channel-mean=[0.5]", "data.channel-std", "each channel", "1 and 0"),
            List.of("data.train-size=41", "data.train-size", "40", "41"),
            List.of("data.partitions=-1", "data.partitions", "at least 0", "-1"),
            List.of("output=here", "output", "block", "dir"),
            List.of("training.seed", "--set training.seed", "key=value"))
        .map(row -> Arguments.of(row.get(0), row.subList(1, row.size()).toArray(String[]::new)));
  }

  @ParameterizedTest
  @MethodSource("wrongSettings")
  void aWrongSettingIsNamedWithItsRule(String setting, String[] fragments) throws IOException {
    assertRefused(Jobs.train(conf, settings(setting)), fragments);
  }

  @Test
  void imagesOfAnotherSizeThanTheNetworksAreNamed() throws IOException {
    assertRefused(
        Jobs.train(conf, settings("model.layers=[]", "model.preset=resnet20-plain")),
        "the model has 3072 inputs",
        "6 features");
  }

  @Test
  void whenStrictALayerWithADiagonalOnlyIsNamed() throws IOException {
    String json =
        new NeuralNetConfiguration.Builder()
            .list()
            .layer(new BatchNormalization.Builder().name("norm").nIn(6).nOut(6).build())
            .layer(
                new OutputLayer.Builder(new LossMCXENT())
                    .nIn(6)
                    .nOut(10)
                    .activation(Activation.SOFTMAX)
                    .build())
            .build()
            .toJson();
    Path file = Files.writeString(temporary.resolve("norm.json"), json);
    assertRefused(
        Jobs.train(
            conf,
            settings(
                "model.layers=[]",
                "model.file=" + file,
                "curvature.scales=diagonal",
                "curvature.strict=true")),
        "curvature.strict = true",
        "layer norm",
        "diagonal");
  }

  @Test
  void aKerasFileThatIsCutShortIsNamed() throws IOException {
    Path whole = Path.of("..", "core", "src", "test", "resources", "keras", "chain.h5");
    byte[] half = Arrays.copyOf(Files.readAllBytes(whole), 9000);
    Path file = Files.write(temporary.resolve("half.h5"), half);
    assertRefused(
        Jobs.train(conf, settings("model.layers=[]", "model.file=" + file)), "half.h5", "damaged");
  }

  @Test
  void aVertexThatIsNotSupportedIsNamed() throws IOException {
    String graph =
        new NeuralNetConfiguration.Builder()
            .graphBuilder()
            .addInputs("in")
            .addVertex("norm", new L2NormalizeVertex(), "in")
            .addLayer(
                "out",
                new OutputLayer.Builder(new LossMCXENT())
                    .nIn(6)
                    .nOut(10)
                    .activation(Activation.SOFTMAX)
                    .build(),
                "norm")
            .setOutputs("out")
            .build()
            .toJson();
    Path file = Files.writeString(temporary.resolve("graph.json"), graph);
    assertRefused(
        Jobs.train(conf, settings("model.layers=[]", "model.file=" + file)),
        "graph.json",
        "layer norm",
        "vertex type = L2NormalizeVertex");
  }

  @Test
  void rulesOfGrowingBatchesAreChecked() throws IOException {
    assertRefused(
        Jobs.train(
            conf,
            settings("training.batch-growth=exponential", "training.batch-growth-iterations=1")),
        "training.batch-growth-iterations",
        "at least 2",
        "got 1");
  }

  static Stream<Arguments> wrongConfs() {
    return Stream.of(
        Arguments.of("training { iterations = 3", new String[] {"wrong.conf", "line"}),
        Arguments.of(
            "model { }\ntraining { batch-sise = 3 }",
            new String[] {"wrong.conf", "training.batch-sise", "training.batch-size"}),
        Arguments.of(
            "training.iterations = [3]", new String[] {"training.iterations", "an integer", "[3]"}),
        Arguments.of("optimizer = kfac", new String[] {"optimizer", "block"}),
        Arguments.of("include \"other.conf\"", new String[] {"include", "other.conf"}),
        Arguments.of("training.seed = ${NOT_SET}", new String[] {"wrong.conf", "NOT_SET"}));
  }

  @ParameterizedTest
  @MethodSource("wrongConfs")
  void aWrongConfFileIsNamedWithWhatIsWrong(String text, String[] fragments) throws IOException {
    Path wrong = Files.writeString(temporary.resolve("wrong.conf"), text);
    assertRefused(Jobs.train(wrong), fragments);
  }

  @Test
  void aMissingConfFileIsNamed() throws IOException {
    assertRefused(Jobs.train(temporary.resolve("no.conf")), "no such conf file", "no.conf");
    assertRefused(Jobs.train(temporary), "no such conf file", temporary.toString());
  }

  @Test
  void aConfFileIsNeeded() throws IOException {
    assertRefused(Jobs.run(new Train()), "a conf file is missing", "conf/");
  }

  @ParameterizedTest
  @ValueSource(strings = {"--resumee", "--set", "second.conf"})
  void whatTheCommandLineDoesNotKnowIsNamed(String argument) throws IOException {
    assertRefused(Jobs.train(conf, argument), argument, "--help");
  }

  @Test
  void aMissingMasterIsSaidAndNothingIsOverwritten() throws IOException {
    assertRefused(
        Jobs.runAsConfigured(new Train(), conf.toString()), "no Spark master", "--master");
    Map<String, String> run = runInFolder();
    Jobs.Ended ended =
        Jobs.runAsConfigured(new Train(), conf.toString(), "--set", "output.overwrite=true");
    assertRefused(ended, run, "no Spark master");
  }

  /** A finished run in the output folder. */
  private Map<String, String> runInFolder() throws IOException {
    assertThat(Jobs.train(conf, settings("training.checkpoint-every=1")).code()).isZero();
    return RunResults.tree(out);
  }

  @Test
  void aFolderThatCannotBeWrittenToIsNamedBeforeAnythingIsComputed() throws IOException {
    String inAFile = out.resolve("notes.txt/run").toString();
    assertRefused(
        Jobs.train(conf, "--set", "output.dir=" + inAFile), "output.dir", "written to", inAFile);
    assertRefused(
        Jobs.train(conf, "--set", "output.dir=nosuch://host/run"), "output.dir", "\"nosuch\"");
  }

  @Test
  void aFolderThatHoldsARunIsLeftAlone() throws IOException {
    Map<String, String> run = runInFolder();
    assertRefused(
        Jobs.train(conf),
        run,
        "output.dir",
        out.toString(),
        "already holds a run",
        "--resume",
        "output.overwrite=true");
  }

  @Test
  void aRunIsReplacedIfThatIsAskedForAndNothingElseIs() throws IOException {
    runInFolder();
    Jobs.Ended ended =
        Jobs.train(
            conf,
            settings(
                "output.overwrite=true", "training.iterations=2", "training.checkpoint-every=0"));
    assertThat(ended.code()).as(ended.err()).isZero();
    assertThat(new RunResults(out).metrics()).hasSize(2);
    assertThat(out.resolve("checkpoint")).doesNotExist();
    assertThat(out.resolve("notes.txt")).exists();
  }

  /** Not even the run that was to be overwritten is gone if the new one cannot start. */
  @Test
  void aRunIsNotReplacedByOneThatCannotReadItsData() throws IOException {
    Map<String, String> run = runInFolder();
    data.put(IdxFolder.TEST_IMAGES, IdxFolder.floatImages(TEST, ROWS, COLUMNS, 50, Float.NaN));
    assertRefused(
        Jobs.train(conf, settings("output.overwrite=true")),
        run,
        data.file(IdxFolder.TEST_IMAGES),
        "example 8",
        "NaN");
  }

  @Test
  void resumingNeedsACheckpointOfTheSameModelAndOptimizer() throws IOException {
    assertRefused(Jobs.train(conf, "--resume"), "--resume", out.toString(), "no intact checkpoint");
    Map<String, String> run = runInFolder();
    assertRefused(
        Jobs.train(conf, "--resume", "--set", "model.layers=[6,7,10]"),
        run,
        "--resume",
        "95",
        "129");
    assertRefused(
        Jobs.train(conf, "--resume", "--set", "model.activation=relu"), run, "--resume", "model");
    assertRefused(
        Jobs.train(conf, "--resume", "--set", "optimizer.name=adam"),
        run,
        "--resume",
        "optimizer.name",
        "kfac",
        "adam");
    assertRefused(
        Jobs.train(
            conf,
            "--resume",
            "--set",
            "curvature.damping=eigen",
            "--set",
            "curvature.gamma-search=false"),
        run,
        "--resume",
        "curvature.damping",
        "factored",
        "eigen");
    assertRefused(
        Jobs.train(conf, "--resume", "--set", "curvature.weight-sharing=reduce"),
        run,
        "--resume",
        "curvature.weight-sharing",
        "kfc",
        "reduce");
    assertRefused(
        Jobs.train(conf, "--resume", "--set", "curvature.widest-factor=1000"),
        run,
        "--resume",
        "curvature.widest-factor",
        "1000");
  }

  /** What does not go with what, of the preconditioners. */
  static Stream<Arguments> wrongCombinations() {
    return Stream.of(
            List.of(
                "curvature.damping=eigen curvature.gamma-search=true",
                "curvature.gamma-search",
                "Kronecker, eigen"),
            List.of(
                "optimizer.preconditioner=ekfac curvature.gamma-search=true",
                "curvature.gamma-search",
                "γ"),
            List.of(
                "optimizer.preconditioner=tkfac curvature.weight-sharing=reduce",
                "curvature.weight-sharing = reduce"),
            List.of(
                "optimizer.preconditioner=none curvature.relative-damping.enabled=true",
                "curvature.relative-damping.enabled"),
            List.of(
                "curvature.gamma-search=true curvature.relative-damping.enabled=true",
                "curvature.gamma-search",
                "curvature.relative-damping.enabled"),
            List.of(
                "optimizer.preconditioner=diagonal curvature.strict=true",
                "curvature.strict",
                "layer0"),
            List.of(
                "optimizer.preconditioner=cgfac curvature.cg.tolerance=2",
                "curvature.cg.tolerance",
                "2.0"),
            List.of(
                "optimizer.preconditioner=ekfac curvature.scalings.average=1",
                "curvature.scalings.average",
                "1.0"),
            List.of(
                "optimizer.preconditioner=tekfac curvature.scalings.period=0",
                "curvature.scalings.period",
                "at least 1",
                "0"),
            List.of("optimizer.name=lbfgs", "training.batch-size", "40", "10"))
        .map(each -> Arguments.of(each.get(0), each.subList(1, each.size())));
  }

  @ParameterizedTest
  @MethodSource("wrongCombinations")
  void whatDoesNotGoTogetherIsRefused(String combination, List<String> fragments)
      throws IOException {
    assertRefused(
        Jobs.train(conf, settings(combination.split(" "))), fragments.toArray(String[]::new));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        IdxFolder.TRAIN_IMAGES,
        IdxFolder.TRAIN_LABELS,
        IdxFolder.TEST_IMAGES,
        IdxFolder.TEST_LABELS
      })
  void aMissingOrTruncatedFileIsNamed(String name) throws IOException {
    byte[] whole = data.get(name);
    data.put(name, Arrays.copyOf(whole, whole.length - 1));
    assertRefused(
        Jobs.train(conf),
        data.file(name),
        "truncated",
        String.valueOf(whole.length),
        String.valueOf(whole.length - 1));
    data.put(name, Arrays.copyOf(whole, 3));
    assertRefused(Jobs.train(conf), data.file(name), "not an IDX file", "header");
    data.delete(name);
    assertRefused(Jobs.train(conf), "data.path", data.file(name), "no such file");
  }

  @Test
  void filesThatDoNotFitEachOtherAreNamed() throws IOException {
    data.put(IdxFolder.TRAIN_LABELS, IdxFolder.labels(TRAIN - 1, 10));
    assertRefused(
        Jobs.train(conf), "images and labels", "40", "39", data.file(IdxFolder.TRAIN_LABELS));
    data.put(IdxFolder.TRAIN_LABELS, IdxFolder.images(TRAIN, 1, 1, 3));
    assertRefused(Jobs.train(conf), data.file(IdxFolder.TRAIN_LABELS), "1 dimension", "40x1x1");
    data.put(IdxFolder.TRAIN_LABELS, IdxFolder.labels(TRAIN, 10));
    data.put(IdxFolder.TRAIN_IMAGES, IdxFolder.labels(TRAIN, 10));
    assertRefused(Jobs.train(conf), data.file(IdxFolder.TRAIN_IMAGES), "holds labels");
    data.put(IdxFolder.TRAIN_IMAGES, "nonsense".getBytes(java.nio.charset.StandardCharsets.UTF_8));
    assertRefused(Jobs.train(conf), data.file(IdxFolder.TRAIN_IMAGES), "magic number");
    data.put(IdxFolder.TRAIN_IMAGES, IdxFolder.images(TRAIN, 3, 3, 1));
    assertRefused(Jobs.train(conf), "one shape", "9", "6");
  }

  @Test
  void aLabelOutsideTheClassesIsNamed() throws IOException {
    byte[] labels = data.get(IdxFolder.TEST_LABELS);
    labels[labels.length - 1] = (byte) 200;
    data.put(IdxFolder.TEST_LABELS, labels);
    assertRefused(
        Jobs.train(conf), data.file(IdxFolder.TEST_LABELS), "label of example 19", "0..9", "200");
  }

  /** These are only seen when all is read, by tasks of Spark. */
  @Test
  void mistakesThatTasksFindAreToldInOneLineAndTheNextJobWorks() throws IOException {
    byte[] images = data.get(IdxFolder.TRAIN_IMAGES);
    data.put(IdxFolder.TRAIN_IMAGES, IdxFolder.floatImages(TRAIN, ROWS, COLUMNS, 100, Float.NaN));
    assertRefused(
        Jobs.train(conf),
        data.file(IdxFolder.TRAIN_IMAGES),
        "element 4 of example 16",
        "finite",
        "NaN");
    byte[] packed = IdxFolder.gzip(images);
    data.put(IdxFolder.TRAIN_IMAGES + ".gz", Arrays.copyOf(packed, packed.length - 30));
    data.delete(IdxFolder.TRAIN_IMAGES);
    assertRefused(Jobs.train(conf), data.file(IdxFolder.TRAIN_IMAGES + ".gz"), "truncated");
    data.put(IdxFolder.TRAIN_IMAGES + ".gz", packed);
    Jobs.Ended ended = Jobs.train(conf);
    assertThat(ended.code()).as(ended.err()).isZero();
  }

  @Test
  void onTheTerminalThereIsNothingButThatLine() throws IOException, InterruptedException {
    data.put(IdxFolder.TRAIN_IMAGES, IdxFolder.floatImages(TRAIN, ROWS, COLUMNS, 100, Float.NaN));
    try (Jobs.Child child = Jobs.startTraining(temporary, conf)) {
      Jobs.Ended ended = child.await();
      // Spark's way to end an application with another code than 0 is an exception; SparkSubmit,
      // which catches it, is not here.
      assertThat(ended.code()).isNotZero();
      assertThat(ended.err().lines().takeWhile(line -> !line.contains("SparkUserAppException")))
          .singleElement()
          .asString()
          .startsWith("error: ")
          .contains("element 4 of example 16");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"sgd", "momentum", "nesterov", "adam"})
  void aDivergingRunStopsAndNamesIterationAndLayer(String optimizer) throws IOException {
    Jobs.Ended ended =
        Jobs.train(
            conf,
            settings(
                "optimizer.name=" + optimizer,
                "optimizer.learning-rate.initial=1e6",
                "training.iterations=50"));
    assertThat(ended.code()).as(ended.err()).isEqualTo(Job.DIVERGED);
    assertThat(ended.err().lines()).hasSize(1);
    assertThat(ended.err())
        .startsWith("diverged: ")
        .containsPattern("iteration \\d+")
        .containsPattern("layer \\w+");
    assertThat(out.resolve("model.zip")).doesNotExist();
  }

  /** The loss of the last update is only seen in the evaluation. */
  @ParameterizedTest
  @ValueSource(strings = {"sgd", "kfac"})
  void aRunThatDivergesInItsLastIterationIsNotTakenForASuccess(String optimizer)
      throws IOException {
    Jobs.Ended ended =
        Jobs.train(
            conf,
            settings(
                "optimizer.name=" + optimizer,
                "optimizer.step=scheduled",
                "optimizer.kl-clip=0",
                "optimizer.damping.rule=fixed",
                "curvature.gamma-search=false",
                "optimizer.learning-rate.initial=1e30",
                "training.iterations=1"));
    assertThat(ended.code()).as(ended.err()).isEqualTo(Job.DIVERGED);
    assertThat(ended.err().lines()).hasSize(1);
    assertThat(ended.err())
        .startsWith("diverged: ")
        .contains("iteration 1")
        .containsPattern("layer \\w+");
    assertThat(out.resolve("model.zip")).doesNotExist();
  }
}
