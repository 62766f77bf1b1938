package org.kfac4j.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.kfac4j.network.Dl4jFixtures.normal;
import static org.kfac4j.network.Dl4jFixtures.outputs;
import static org.kfac4j.network.Dl4jFixtures.rows;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.kfac4j.InvalidInputException;
import org.kfac4j.data.Hashing;
import org.kfac4j.data.LocalStorage;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/** DL4J in, DL4J out. */
class Dl4jModelTest {
  private static final double CLOSE = 1e-5;
  private static final int[] WIDTHS = {7, 5, 2, 5, 7};
  private static final LocalStorage STORAGE = new LocalStorage();

  @TempDir Path folder;

  @Test
  void jsonComesBackAsTheSameNetwork() {
    Dl4jModel model = model();
    assertThat(Dl4jModel.fromJson(model.json(), "copy")).isEqualTo(model);
    assertThat(model.configuration().toJson()).isEqualTo(model.json());
  }

  @ParameterizedTest
  @EnumSource(
      value = DataType.class,
      names = {"FLOAT", "DOUBLE"})
  void dl4jLoadsWhatIsSavedAndComputesTheSame(DataType type) throws IOException {
    Dl4jModel model = model(type);
    double[] theta = normal(1, model.network().parameterCount());
    Path file = save(model, theta);

    MultiLayerNetwork loaded = MultiLayerNetwork.load(file.toFile(), true);
    assertThat(loaded.params()).isEqualTo(model.network(theta).params());
    assertThat(loaded.params().dataType()).isEqualTo(type);
    assertThat(model.weights(loaded)).containsExactly(theta, within(1e-6));

    double[][] x = rows(normal(2, 3 * 7), 7);
    double[] z = outputs(model.network(), theta, x);
    float[] targets = new float[z.length];
    for (int i = 0; i < targets.length; i++) {
      targets[i] = (float) Hashing.uniform(4, i);
    }
    double expected = model.network().loss().value(z, new Targets(null, targets), 3) / 3;
    INDArray labels = Nd4j.createFromArray(targets).reshape(3, 7).castTo(type);
    assertThat(loaded.score(new DataSet(Nd4j.createFromArray(x).castTo(type), labels)))
        .isCloseTo(expected, within(1e-5 * expected));
    model.network().loss().predict(z, 3);
    double[] actual =
        loaded
            .output(Nd4j.createFromArray(x).castTo(type))
            .castTo(DataType.DOUBLE)
            .dup('c')
            .data()
            .asDouble();
    assertThat(actual).containsExactly(z, within(CLOSE));
  }

  @Test
  void aZipGivesItsWeightsToTheLastBit() throws IOException {
    Dl4jModel model = model(DataType.DOUBLE);
    double[] theta = normal(1, model.network().parameterCount());
    Dl4jModel.Loaded loaded = Dl4jModel.read(STORAGE, save(model, theta).toString());
    assertThat(loaded.model().network()).isEqualTo(model.network());
    assertThat(loaded.theta()).isEqualTo(theta);
    assertThat(loaded.saved()).isTrue();
  }

  @Test
  void aZipThatDl4jTrainedAndSavedWithItsUpdaterIsRead() throws IOException {
    Dl4jModel model = model();
    MultiLayerNetwork trained = new MultiLayerNetwork(model.configuration());
    trained.init();
    INDArray x = Nd4j.rand(DataType.FLOAT, 4, 7);
    trained.fit(x, x);
    Path file = folder.resolve("dl4j.zip");
    ModelSerializer.writeModel(trained, file.toFile(), true);
    Dl4jModel.Loaded loaded = Dl4jModel.read(STORAGE, file.toString());
    assertThat(loaded.model().network(loaded.theta()).params()).isEqualTo(trained.params());
  }

  @Test
  void aJsonFileStartsFromTheWeightsThatDl4jWouldStartFrom() throws IOException {
    Dl4jModel model = model();
    Path file = folder.resolve("model.json");
    Files.writeString(file, model.json());
    Dl4jModel.Loaded loaded = Dl4jModel.read(STORAGE, file.toString());
    MultiLayerNetwork dl4j = new MultiLayerNetwork(model.configuration());
    dl4j.init();
    assertThat(loaded.theta()).isEqualTo(model.weights(dl4j));
    assertThat(loaded.saved()).isFalse();
    assertThat(Dl4jModel.read(STORAGE, file.toString(), 5, null).theta())
        .isEqualTo(Dl4jModel.read(STORAGE, file.toString(), 5, null).theta())
        .isNotEqualTo(loaded.theta());
  }

  @Test
  void writingLeavesTheStreamOpen() throws IOException {
    Dl4jModel model = model();
    boolean[] closed = new boolean[1];
    ByteArrayOutputStream out =
        new ByteArrayOutputStream() {
          @Override
          public void close() {
            closed[0] = true;
          }
        };
    model.write(new double[model.network().parameterCount()], out);
    assertThat(out.size()).isPositive();
    assertThat(closed[0]).isFalse();
  }

  @Test
  void javaObjectsInAZipAreLeftAlone() throws IOException {
    Dl4jModel model = model();
    double[] theta = normal(1, model.network().parameterCount());
    byte[] zip =
        withEntry(
            Files.readAllBytes(save(model, theta)), "preprocessor.bin", serialized(new Trap()));
    Path file = folder.resolve("trap.zip");
    Files.write(file, zip);
    assertThatThrownBy(() -> MultiLayerNetwork.load(file.toFile(), false))
        .hasStackTraceContaining("sprung");
    assertThatCode(() -> Dl4jModel.read(STORAGE, file.toString())).doesNotThrowAnyException();
  }

  /** What an attacker would put into a file. */
  private static final class Trap implements java.io.Serializable {
    private static final long serialVersionUID = 1L;

    private void readObject(java.io.ObjectInputStream in) {
      throw new IllegalStateException("sprung");
    }
  }

  @Test
  void jsonMayNameClassesOfDl4jOnly() {
    String json =
        model()
            .json()
            .replace(
                "org.nd4j.linalg.activations.impl.ActivationTanH", "com.example.ActivationTanH");
    assertThatThrownBy(() -> Dl4jModel.fromJson(json, "m.json"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("m.json: @class = com.example.ActivationTanH is not supported");
  }

  @Test
  void aGraphOfTwoInputsIsRefusedByName() {
    ComputationGraphConfiguration graph =
        new NeuralNetConfiguration.Builder()
            .graphBuilder()
            .addInputs("in", "other")
            .addVertex("sum", new ElementWiseVertex(ElementWiseVertex.Op.Add), "in", "other")
            .addLayer(
                "out",
                new OutputLayer.Builder(new org.nd4j.linalg.lossfunctions.impl.LossL2())
                    .nIn(2)
                    .nOut(2)
                    .activation(org.nd4j.linalg.activations.Activation.IDENTITY)
                    .build(),
                "sum")
            .setOutputs("out")
            .build();
    assertThatThrownBy(() -> Dl4jModel.fromJson(graph.toJson(), "g.json"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("g.json: networkInputs = [in, other] is not supported");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "{}",
        "[]",
        "null",
        "5",
        "{\"confs\": 3}",
        "{\"confs\": []}",
        "{\"confs\": [null]}",
        "{\"confs\": [{}]}",
        "{\"confs\": [{\"layer\": null}]}",
        "{\"confs\": [{\"layer\": {}}]}",
        "{\"confs\": [{\"layer\": {\"dense\": {}}}]}",
        "{\"confs\": [{\"layer\": {\"@class\": \"org.deeplearning4j.nn.conf.layers.DenseLayer\"}}]}",
        "{\"confs\": [{\"layer\": {\"@class\": \"org.deeplearning4j.nn.conf.layers.OutputLayer\"}}]}",
        "{\"confs\": [{\"layer\": {\"@class\": \"org.deeplearning4j.nn.conf.layers.Nonsense\"}}]}",
        "{\"confs\": [{\"layer\": {\"@class\": \"org.deeplearning4j.nn.conf.layers.Layer\"}}]}",
        "{\"confs\": [], \"confs\": []}",
        "not json",
        "\u0000\u0001\u0002",
        "PK and nothing more"
      })
  void foreignFilesAreRefusedInOneLine(String content) throws IOException {
    assertRefused(content.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void deeplyNestedJsonIsRefused() throws IOException {
    assertRefused(("{\"confs\":" + "[".repeat(1_000_000)).getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void aMissingFileIsNamed() {
    String uri = folder.resolve("absent.zip").toString();
    assertThatThrownBy(() -> Dl4jModel.read(STORAGE, uri))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage(uri + ": there is no such file");
    assertThatThrownBy(() -> Dl4jModel.read(STORAGE, folder.toString()))
        .isInstanceOf(InvalidInputException.class);
  }

  @Test
  void weightsOfAnotherNetworkAreRefused() throws IOException {
    Dl4jModel small = Dl4jModel.of(Presets.layers(new int[] {2, 1}, "tanh", 0, "mse"), "small");
    byte[] zip = Files.readAllBytes(save(model(), new double[model().network().parameterCount()]));
    byte[] mixed =
        withEntry(
            withoutEntry(zip, "configuration.json"),
            "configuration.json",
            small.json().getBytes(StandardCharsets.UTF_8));
    Path file = folder.resolve("mixed.zip");
    Files.write(file, mixed);
    assertThatThrownBy(() -> Dl4jModel.read(STORAGE, file.toString()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage(
            file + ": coefficients.bin has %d weights, but the configuration has 3",
            model().network().parameterCount());
  }

  @Test
  void aZipWithoutWeightsOrWithBrokenOnesIsRefused() throws IOException {
    Dl4jModel model = model();
    byte[] zip = Files.readAllBytes(save(model, new double[model.network().parameterCount()]));
    assertRefused(withoutEntry(zip, "coefficients.bin"));
    assertRefused(withoutEntry(zip, "configuration.json"));
    double[] theta = new double[model.network().parameterCount()];
    theta[3] = Double.NaN;
    assertRefused(Files.readAllBytes(save(model, theta)));
  }

  @Test
  void truncatedFilesAreRefused() throws IOException {
    Dl4jModel model = model();
    byte[] zip = Files.readAllBytes(save(model, normal(1, model.network().parameterCount())));
    // What follows the last entry's data is the directory, which is not needed.
    int endOfData = indexOfDirectory(zip) - 16;
    for (int length = 0; length < endOfData; length += 37) {
      assertRefused(Arrays.copyOf(zip, length));
    }
    byte[] json = model.json().getBytes(StandardCharsets.UTF_8);
    for (int length = 0; length < json.length - 2; length += 97) {
      assertRefused(Arrays.copyOf(json, length));
    }
  }

  @Test
  void aFlippedBitIsRefusedOrHarmless() throws IOException {
    Dl4jModel model = model();
    double[] theta =
        Dl4jWeights.fromDl4j(
            model.network(),
            model.network(normal(1, model.network().parameterCount())).params().toDoubleVector());
    byte[] zip = Files.readAllBytes(save(model, theta));
    for (int i = 0; i < 300; i++) {
      byte[] damaged = flipped(zip, i);
      Path file = folder.resolve("flipped.zip");
      Files.write(file, damaged);
      try {
        assertThat(Dl4jModel.read(STORAGE, file.toString()).theta()).isEqualTo(theta);
      } catch (InvalidInputException e) {
        assertThat(e).hasMessageNotContaining("\n");
      }
    }
    byte[] json = model.json().getBytes(StandardCharsets.UTF_8);
    for (int i = 0; i < 300; i++) {
      try {
        Dl4jModel.fromJson(new String(flipped(json, i), StandardCharsets.UTF_8), "flipped");
      } catch (InvalidInputException e) {
        assertThat(e).hasMessageNotContaining("\n");
      }
    }
  }

  private static byte[] flipped(byte[] bytes, int which) {
    byte[] damaged = bytes.clone();
    int at = (int) (Hashing.uniform(99, which) * bytes.length);
    damaged[at] ^= (byte) (1 << (which % 8));
    return damaged;
  }

  private void assertRefused(byte[] content) throws IOException {
    Path file = folder.resolve("refused");
    Files.write(file, content);
    assertThatThrownBy(() -> Dl4jModel.read(STORAGE, file.toString()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith(file + ": ")
        .hasMessageNotContaining("\n");
  }

  private static Dl4jModel model() {
    return model(DataType.FLOAT);
  }

  private static Dl4jModel model(DataType type) {
    MultiLayerConfiguration configuration = Presets.layers(WIDTHS, "tanh", 2, "xent");
    configuration.setDataType(type);
    return Dl4jModel.of(configuration, "test");
  }

  private Path save(Dl4jModel model, double[] theta) throws IOException {
    Path file = folder.resolve("saved.zip");
    try (var out = Files.newOutputStream(file)) {
      model.write(theta, out);
    }
    return file;
  }

  private static int indexOfDirectory(byte[] zip) {
    for (int i = 0; i < zip.length - 3; i++) {
      if (zip[i] == 'P' && zip[i + 1] == 'K' && zip[i + 2] == 1 && zip[i + 3] == 2) {
        return i;
      }
    }
    throw new AssertionError("no directory");
  }

  private static byte[] serialized(Object object) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      out.writeObject(object);
    }
    return bytes.toByteArray();
  }

  private static byte[] withoutEntry(byte[] zip, String name) throws IOException {
    return copy(zip, name, null);
  }

  private static byte[] withEntry(byte[] zip, String name, byte[] content) throws IOException {
    return copy(zip, name, content);
  }

  /** The zip without entry {@code name}, or with {@code content} as that entry at its end. */
  private static byte[] copy(byte[] zip, String name, byte[] content) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipInputStream in = new ZipInputStream(new ByteArrayInputStream(zip));
        ZipOutputStream out = new ZipOutputStream(bytes)) {
      for (ZipEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
        if (!entry.getName().equals(name)) {
          out.putNextEntry(new ZipEntry(entry.getName()));
          in.transferTo(out);
        }
      }
      if (content != null) {
        out.putNextEntry(new ZipEntry(name));
        out.write(content);
      }
    }
    return bytes.toByteArray();
  }
}
