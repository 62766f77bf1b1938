package org.kfac4j.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kfac4j.network.Presets;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;

class EvaluateTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  private static final int TRAIN = 120;
  private static final int TEST = 45;

  @TempDir static Path folder;
  private static Path classifier;
  private static Path autoencoder;

  @BeforeAll
  static void train() throws IOException {
    IdxFolder.write(folder.resolve("data"), TRAIN, TEST, 4, 5);
    classifier = conf("classifier", "[20, 8, 10], loss = mcxent", "classifier");
    autoencoder = conf("autoencoder", "[20, 5, 20], loss = xent", "autoencoder");
    assertThat(Jobs.run(new Train(), classifier.toString()).code()).isZero();
    assertThat(Jobs.run(new Train(), autoencoder.toString()).code()).isZero();
  }

  private static Path conf(String name, String layers, String task) throws IOException {
    String text =
        """
        model { layers = %s, init = xavier }
        data { source = idx, path = "%s", task = %s }
        optimizer { damping { initial = 1 } }
        training { iterations = 6, batch-size = 60, evaluate-every = 2, checkpoint-every = 0 }
        output { dir = "%s" }
        """
            .formatted(layers, folder.resolve("data"), task, folder.resolve(name));
    return Files.writeString(folder.resolve(name + ".conf"), text);
  }

  private static JsonNode best(String run) throws IOException {
    return JSON.readTree(folder.resolve(run).resolve("summary.json").toFile()).get("best");
  }

  private static Jobs.Ended evaluate(Object... args) {
    return Jobs.run(
        new Evaluate(), Arrays.stream(args).map(String::valueOf).toArray(String[]::new));
  }

  @Test
  void aClassifiersTestFiguresAreThoseOfItsTrainingRun() throws IOException {
    Jobs.Ended run = evaluate(classifier, "--json");
    assertThat(run.code()).isZero();
    JsonNode json = JSON.readTree(run.out());
    assertThat(json.at("/test/examples").asInt()).isEqualTo(TEST);
    assertThat(json.at("/training/examples").asInt()).isEqualTo(TRAIN);
    assertThat(json.at("/test/loss").asDouble())
        .isCloseTo(best("classifier").get("testLoss").asDouble(), within(1e-12));
    assertThat(json.at("/test/accuracy").asDouble())
        .isEqualTo(best("classifier").get("testAccuracy").asDouble());
    assertThat(json.at("/training/accuracy").asDouble()).isBetween(0.2, 1.0);
    assertThat(json.get("test").has("error")).isFalse();
  }

  /** Neither the configuration nor the model that is saved with it says how large images are. */
  @Test
  void aModelOfImagesIsScoredWithTheSizeThatTheConfGives() throws IOException {
    String json =
        new NeuralNetConfiguration.Builder()
            .seed(1)
            .list()
            .layer(new ConvolutionLayer.Builder(2, 2).nOut(3).activation(Activation.TANH).build())
            .layer(
                new OutputLayer.Builder(new LossMCXENT())
                    .nOut(10)
                    .activation(Activation.SOFTMAX)
                    .build())
            .setInputType(InputType.convolutional(4, 5, 1))
            .build()
            .toJson();
    Path file = Files.writeString(folder.resolve("images.json"), json);
    Path conf = conf("images", "[]", "classifier");
    Files.writeString(
        conf,
        Files.readString(conf)
            .replace("layers = []", "file = \"" + file + "\", input = [1, 4, 5]"));
    Jobs.Ended trained = Jobs.run(new Train(), conf.toString());
    assertThat(trained.code()).as(trained.err()).isZero();
    Jobs.Ended run = evaluate(conf, "--json");
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(JSON.readTree(run.out()).at("/test/accuracy").asDouble())
        .isEqualTo(best("images").get("testAccuracy").asDouble());
  }

  @Test
  void theFileThatARunBeganWithIsNotNeeded() throws IOException {
    String json =
        new NeuralNetConfiguration.Builder()
            .seed(1)
            .list()
            .layer(
                new OutputLayer.Builder(new LossMCXENT())
                    .nIn(20)
                    .nOut(10)
                    .activation(Activation.SOFTMAX)
                    .build())
            .build()
            .toJson();
    Path file = Files.writeString(folder.resolve("beginning.json"), json);
    Path conf = conf("beginning", "[]", "classifier");
    Files.writeString(
        conf, Files.readString(conf).replace("layers = []", "file = \"" + file + "\""));
    Jobs.Ended trained = Jobs.run(new Train(), conf.toString());
    assertThat(trained.code()).as(trained.err()).isZero();
    Files.delete(file);
    Jobs.Ended run = evaluate(conf, "--json");
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(JSON.readTree(run.out()).at("/test/accuracy").asDouble())
        .isEqualTo(best("beginning").get("testAccuracy").asDouble());
  }

  /**
   * A residual network with batch normalisation; the saved model does not say the size of images.
   */
  @Test
  void aModelFromKerasIsTrainedAndScored() throws IOException {
    IdxFolder.write(folder.resolve("wide"), TRAIN, TEST, 12, 14);
    Path file = Path.of("..", "core", "src", "test", "resources", "keras", "residual.h5");
    Path conf = conf("keras", "[]", "classifier");
    Files.writeString(
        conf,
        Files.readString(conf)
            .replace("layers = []", "file = \"" + file + "\"")
            .replace(folder.resolve("data").toString(), folder.resolve("wide").toString()));
    Jobs.Ended trained = Jobs.run(new Train(), conf.toString());
    assertThat(trained.code()).as(trained.err()).isZero();
    Jobs.Ended run = evaluate(conf, "--json");
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(JSON.readTree(run.out()).at("/test/accuracy").asDouble())
        .isEqualTo(best("keras").get("testAccuracy").asDouble());
  }

  @Test
  void anAutoencodersTestFiguresAreThoseOfItsTrainingRun() throws IOException {
    JsonNode json = JSON.readTree(evaluate(autoencoder, "--json").out());
    assertThat(json.at("/test/loss").asDouble())
        .isCloseTo(best("autoencoder").get("testLoss").asDouble(), within(1e-12));
    assertThat(json.at("/test/error").asDouble())
        .isCloseTo(best("autoencoder").get("testError").asDouble(), within(1e-12));
    assertThat(json.get("test").has("accuracy")).isFalse();
  }

  @Test
  void withoutJsonATableIsPrinted() {
    Path model = folder.resolve("classifier/model.zip");
    Jobs.Ended run = evaluate(classifier, "--model", model, "--set", "data.train-size=30");
    assertThat(run.code()).isZero();
    assertThat(run.out().lines().map(line -> line.strip().split(" {2,}")[0]))
        .containsExactly(model.toString(), "test", "training");
    assertThat(run.out().lines().findFirst().orElse("")).endsWith("accuracy");
    assertThat(run.out()).containsPattern("training +30 +\\S+ +0\\.\\d{4}\n");
  }

  @Test
  void aMissingModelIsNamed() {
    assertRefused(
        evaluate(classifier, "--set", "output.dir=" + folder.resolve("nothing")),
        "nothing/model.zip");
  }

  @Test
  void aDamagedModelIsNamed() throws IOException {
    byte[] whole = Files.readAllBytes(folder.resolve("classifier/model.zip"));
    Path half = Files.write(folder.resolve("half.zip"), Arrays.copyOf(whole, whole.length / 2));
    assertRefused(evaluate(classifier, "--model", half), "half.zip");
  }

  @Test
  void aConfigurationWithoutWeightsIsRefused() throws IOException {
    Path file =
        Files.writeString(
            folder.resolve("untrained.json"), Presets.model("mnist-classifier").json());
    assertRefused(evaluate(classifier, "--model", file), "without weights");
  }

  @Test
  void aModelThatDoesNotFitTheDataIsRefused() {
    assertRefused(
        evaluate(autoencoder, "--model", folder.resolve("classifier/model.zip")), "10 outputs");
  }

  private static void assertRefused(Jobs.Ended run, String reason) {
    assertThat(run.code()).isEqualTo(Job.BAD_INPUT);
    assertThat(run.err().lines()).hasSize(1);
    assertThat(run.err()).startsWith("error: ").contains(reason);
    assertThat(run.out()).isEmpty();
  }
}
