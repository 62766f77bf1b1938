package org.kfac4j.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;

/** A run that is cut off at any point and resumed ends where it would have ended. */
class TrainResumeTest {
  private static final int ITERATIONS = 60;
  private static final int CHECKPOINT_EVERY = 3;

  @TempDir Path temporary;
  private IdxFolder data;

  @BeforeEach
  void writeData() throws IOException {
    data = IdxFolder.write(temporary.resolve("data"), 500, 100, 8, 8);
  }

  /** What is trained with, as a conf file would say it. */
  enum Method {
    EXACT_STEP(
        """
        optimizer { damping { initial = 3, period = 4 } }
        curvature { inverse-period = 5, gamma-search = true, gamma-period = 10, statistics-period = 2 }
        """),
    SCHEDULED_STEP(
        """
        optimizer {
          step = scheduled
          learning-rate { initial = 0.02 }
          damping { rule = exponential, initial = 1, rate = 0.99 }
        }
        curvature { damping = eigen, gamma-search = false, inverse-period = 5 }
        """),
    ADAM("optimizer { name = adam, learning-rate { initial = 1e-3 } }"),
    /** A residual network with batch normalisation and dropout, on changed images. */
    GRAPH(
        """
        data { task = classifier, augment { crop-padding = 1, flip = true, image = [1, 8, 8] } }
        optimizer { damping { initial = 3, period = 4 } }
        curvature { inverse-period = 5, gamma-search = false, statistics-fraction = 0.5 }
        training { batch-normalization-rows = 20 }
        """);

    private final String settings;

    Method(String settings) {
      this.settings = settings;
    }
  }

  private static String graph() {
    GraphBuilder graph =
        new NeuralNetConfiguration.Builder().seed(1).graphBuilder().addInputs("in");
    graph
        .addLayer("a", convolution(), "in")
        .addLayer("a-norm", new BatchNormalization(), "a")
        .addLayer("b", convolution(), "a-norm")
        .addLayer("b-norm", new BatchNormalization(), "b")
        .addVertex("sum", new ElementWiseVertex(ElementWiseVertex.Op.Add), "a-norm", "b-norm")
        .addLayer("mean", new GlobalPoolingLayer(PoolingType.AVG), "sum")
        .addLayer(
            "out",
            new OutputLayer.Builder(new LossMCXENT())
                .nOut(10)
                .activation(Activation.SOFTMAX)
                .dropOut(0.8)
                .build(),
            "mean");
    return graph
        .setOutputs("out")
        .setInputTypes(InputType.convolutionalFlat(8, 8, 1))
        .build()
        .toJson();
  }

  private static ConvolutionLayer convolution() {
    return new ConvolutionLayer.Builder(3, 3)
        .nOut(4)
        .convolutionMode(ConvolutionMode.Same)
        .activation(Activation.TANH)
        .build();
  }

  private Path conf(Method method, String run) throws IOException {
    String model =
        method == Method.GRAPH
            ? "file = \"" + Files.writeString(temporary.resolve("graph.json"), graph()) + "\""
            : "layers = [64, 30, 8, 30, 64], activation = tanh, loss = xent, init = xavier";
    return Files.writeString(
        temporary.resolve(run + ".conf"),
        """
        model { %s }
        data { source = idx, path = "%s", partitions = 2 }
        training {
          iterations = %d, batch-size = 120, averaging = 0.9
          evaluate-every = 5, checkpoint-every = %d
        }
        output { dir = "%s" }
        """
                .formatted(model, data.path(), ITERATIONS, CHECKPOINT_EVERY, temporary.resolve(run))
            + method.settings);
  }

  private RunResults results(String run) {
    return new RunResults(temporary.resolve(run));
  }

  private RunResults undisturbed(Method method, String... args) throws IOException {
    Jobs.Ended ended = Jobs.train(conf(method, "undisturbed"), args);
    assertThat(ended.code()).as(ended.err()).isZero();
    return results("undisturbed");
  }

  private RunResults resumed(Path conf, String... args) {
    String[] all = Stream.concat(Stream.of("--resume"), Arrays.stream(args)).toArray(String[]::new);
    Jobs.Ended ended = Jobs.train(conf, all);
    assertThat(ended.code()).as(ended.err()).isZero();
    assertThat(ended.err()).isEmpty();
    return results("run");
  }

  /** As {@link #resumed}; the run may have been killed while it wrote a checkpoint. */
  private RunResults resumedAfterKill(Path conf) {
    Jobs.Ended ended = Jobs.train(conf, "--resume");
    assertThat(ended.code()).as(ended.err()).isZero();
    assertThat(ended.err())
        .matches(
            "(warning: \\S+/iteration-\\d{6}: COMMITTED is missing, so it was not finished; using"
                + " iteration-\\d{6}\\R)?");
    return results("run");
  }

  /** Trains in a JVM of its own until {@code iteration} is done, and kills that. */
  private void trainAndKillAfter(int iteration, Path conf, String... args)
      throws IOException, InterruptedException {
    try (Jobs.Child child = Jobs.startTraining(temporary, conf, args)) {
      int before = results("run").iterations();
      boolean begun = before == 0;
      while (!begun || results("run").iterations() < iteration) {
        begun |= results("run").iterations() < before; // It has begun to write its own file.
        assertThat(child.process().isAlive())
            .as(() -> "ended before iteration " + iteration + ": " + read(child.err()))
            .isTrue();
        Thread.sleep(1);
      }
      Jobs.Ended ended = child.kill();
      assertThat(ended.code()).isNotZero();
    }
    assertThat(results("run").folder().resolve("model.zip")).doesNotExist();
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return e.toString();
    }
  }

  @ParameterizedTest
  @EnumSource(Method.class)
  void aRunThatIsKilledAndResumedEndsAsIfNothingHadHappened(Method method)
      throws IOException, InterruptedException {
    RunResults undisturbed = undisturbed(method);
    Random random = new Random();
    int first = CHECKPOINT_EVERY + 1 + random.nextInt(15);
    int second = first + 5 + random.nextInt(15);
    Path conf = conf(method, "run");
    System.out.println(method + ": killed after iteration " + first);
    trainAndKillAfter(first, conf);
    if (method == Method.EXACT_STEP) {
      System.out.println(method + ": killed after iteration " + second);
      trainAndKillAfter(second, conf, "--resume");
    }
    RunResults resumed = resumedAfterKill(conf);
    resumed.assertEqualTo(undisturbed);
    assertThat(resumed.metrics()).hasSize(ITERATIONS);
    int from = resumed.summary().get("resumedFrom").asInt();
    assertThat(from).isPositive().isLessThan(ITERATIONS);
    assertThat(from % CHECKPOINT_EVERY).isZero();
  }

  @ParameterizedTest
  @EnumSource(Method.class)
  void aRunThatIsGivenMoreIterationsEndsLikeALongerOne(Method method) throws IOException {
    RunResults undisturbed = undisturbed(method, "--set", "training.iterations=20");
    Path conf = conf(method, "run");
    assertThat(Jobs.train(conf, "--set", "training.iterations=10").code()).isZero();
    assertThat(results("run").metrics()).hasSize(10);
    resumed(conf, "--set", "training.iterations=20").assertEqualTo(undisturbed);
  }

  @Test
  void aCheckpointThatIsCutShortOrChangedIsNamedAndTheOneBeforeItIsUsed() throws IOException {
    String[] twelve = {"--set", "training.iterations=12"};
    RunResults undisturbed = undisturbed(Method.EXACT_STEP, twelve);
    Path conf = conf(Method.EXACT_STEP, "run");
    RunResults run = results("run");
    assertThat(Jobs.train(conf, twelve).code()).isZero();
    assertThat(run.checkpoint(12)).exists();
    assertThat(run.checkpoint(9)).exists();
    Path state = run.checkpoint(12).resolve("state.bin");
    byte[] intact = Files.readAllBytes(state);
    Random random = new Random(7);
    byte[] cut = Arrays.copyOf(intact, random.nextInt(intact.length));
    byte[] flipped = intact.clone();
    flipped[random.nextInt(intact.length)] ^= (byte) (1 << random.nextInt(8));
    for (byte[] damaged : new byte[][] {cut, flipped, new byte[0]}) {
      Files.write(state, damaged);
      Jobs.Ended ended = Jobs.train(conf, "--resume", twelve[0], twelve[1]);
      assertThat(ended.code()).as(ended.err()).isZero();
      assertThat(ended.err().lines()).hasSize(1);
      assertThat(ended.err())
          .startsWith("warning: ")
          .contains(run.checkpoint(12).toString(), "state.bin", "using iteration-000009");
      run.assertEqualTo(undisturbed);
      assertThat(run.summary().get("resumedFrom").asInt()).isEqualTo(9);
    }
  }

  @Test
  void withoutAnIntactCheckpointNothingIsResumedAndNothingIsLost() throws IOException {
    Path conf = conf(Method.ADAM, "run");
    assertThat(Jobs.train(conf, "--set", "training.iterations=6").code()).isZero();
    for (int iteration : new int[] {3, 6}) {
      Files.write(results("run").checkpoint(iteration).resolve("state.bin"), new byte[10]);
    }
    var before = RunResults.tree(results("run").folder());
    Jobs.Ended ended = Jobs.train(conf, "--resume");
    assertThat(ended.code()).isEqualTo(2);
    assertThat(ended.err()).contains("iteration-000003", "iteration-000006");
    assertThat(ended.err().lines().filter(line -> line.startsWith("error: ")))
        .singleElement()
        .asString()
        .contains("--resume", results("run").folder().toString(), "no intact checkpoint");
    assertThat(RunResults.tree(results("run").folder())).isEqualTo(before);
  }

  @Test
  void resumingARunThatHasEndedChangesNothing() throws IOException {
    Path conf = conf(Method.ADAM, "run");
    assertThat(Jobs.train(conf, "--set", "training.iterations=5").code()).isZero();
    float[] weights = results("run").weights();
    resumed(conf, "--set", "training.iterations=5");
    assertThat(results("run").weights()).isEqualTo(weights);
    assertThat(results("run").metrics()).hasSize(5);
    assertThat(results("run").summary().get("iterations").asInt()).isEqualTo(5);
  }
}
