package org.kfac4j.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.kfac4j.Dense.assertClose;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.kfac4j.Dense;
import org.kfac4j.InvalidInputException;
import org.kfac4j.Problem;
import org.kfac4j.Tolerance;
import org.kfac4j.curvature.Request;
import org.kfac4j.curvature.SumNames;
import org.kfac4j.curvature.Sums;
import org.kfac4j.data.LocalStorage;
import org.kfac4j.linalg.Precision;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Models from Keras: outputs are Keras's, gradients DL4J's. resources/keras/make.py has made them.
 */
class KerasImportTest {
  private static final int COUNT = 4;
  private static final Shape IMAGE = new Shape(8, 7, 3);

  @TempDir Path temporary;

  private Path file(String name) throws IOException {
    Path file = temporary.resolve(name);
    try (InputStream in = KerasImportTest.class.getResourceAsStream("/keras/" + name)) {
      Files.copy(in, file, StandardCopyOption.REPLACE_EXISTING);
    }
    return file;
  }

  private Dl4jModel.Loaded load(String name) throws IOException {
    return Dl4jModel.read(new LocalStorage(), file(name).toString());
  }

  private double[] expected(String name, String what) throws IOException {
    JsonNode numbers = new ObjectMapper().readTree(file(name + ".json").toFile()).get(what);
    double[] values = new double[numbers.size()];
    Arrays.setAll(values, i -> numbers.get(i).asDouble());
    return values;
  }

  /** Keras has channels last, data sources channel by channel. */
  private Problem problem(Network network, String name) throws IOException {
    double[] images = expected(name, "input");
    float[] features = new float[images.length];
    for (int i = 0; i < images.length; i++) {
      int inImage = i % IMAGE.size();
      int c = inImage % IMAGE.channels();
      int position = inImage / IMAGE.channels();
      features[i - inImage + c * IMAGE.positions() + position] = (float) images[i];
    }
    float[] targets = new float[COUNT * network.outputs()];
    for (int n = 0; n < COUNT; n++) {
      targets[n * network.outputs() + n % network.outputs()] = 1;
    }
    return new Problem(network, features, null, targets);
  }

  @ParameterizedTest
  @CsvSource({"residual, 10", "chain, 2"})
  void outputsAreThoseOfKeras(String name, int outputs) throws IOException {
    Dl4jModel.Loaded loaded = load(name + ".h5");
    Network network = loaded.model().network();
    assertThat(loaded.saved()).isTrue();
    assertThat(network.input()).isEqualTo(IMAGE);
    double[] z = ImageNetworkTest.outputs(problem(network, name), loaded.theta(), false);
    double[] probabilities = new double[COUNT * outputs];
    for (int n = 0; n < COUNT; n++) {
      for (int k = 0; k < outputs; k++) {
        double sum = 0;
        for (int j = 0; j < outputs; j++) {
          sum += Math.exp(z[n * outputs + j]);
        }
        int i = n * outputs + k;
        probabilities[i] =
            network.loss() instanceof SoftmaxCrossEntropy
                ? Math.exp(z[i]) / sum
                : 1 / (1 + Math.exp(-z[i]));
      }
    }
    assertClose(name, probabilities, expected(name, "output"), Tolerance.DL4J);
  }

  private INDArray images(String name) throws IOException {
    double[] values = expected(name, "input");
    return Nd4j.createFromArray(values)
        .reshape(COUNT, IMAGE.height(), IMAGE.width(), IMAGE.channels())
        .castTo(DataType.FLOAT);
  }

  private static INDArray targets(Problem problem) {
    return Nd4j.createFromArray(problem.targets()).reshape(COUNT, problem.network().outputs());
  }

  /** With channels last DL4J's own backward pass fails for this graph. */
  @Test
  void aResidualGraphHasDl4jsScoreAndTheGradientOfDifferences() throws IOException {
    Dl4jModel.Loaded loaded = load("residual.h5");
    Dl4jModel model = loaded.model();
    double[] theta = loaded.theta();
    Problem problem = problem(model.network(), "residual");
    double score =
        model.graph(theta).score(new DataSet(images("residual"), targets(problem)), false);
    Sums inference = problem.sums(theta, new Request.Loss(problem.all(), true));
    assertClose(inference.scalar(SumNames.LOSS) / COUNT, score, Tolerance.DL4J);
    double[] gradient = RegularizedLoss.of(problem, theta, Precision.DOUBLE).gradient();
    for (Network.ParameterBlock block : model.network().blocks()) {
      double[] v = new double[theta.length];
      double[] random = Dense.normal(block.index(), block.shape().size());
      System.arraycopy(random, 0, v, block.offset(), random.length);
      double difference =
          loss(problem, Dense.plus(theta, Dense.scaled(Tolerance.STEP, v)))
              - loss(problem, Dense.minus(theta, Dense.scaled(Tolerance.STEP, v)));
      assertThat(Dense.dot(gradient, v))
          .as(block.name())
          .isCloseTo(0.5 * difference / Tolerance.STEP, within(1e-6));
    }
    assertThat(model.network().blocks().stream().map(Network.ParameterBlock::name))
        .contains("conv_d[0]", "conv_d[3]", "conv_a_norm", "classes");
  }

  private static double loss(Problem problem, double[] theta) {
    return RegularizedLoss.of(problem, theta, Precision.DOUBLE).h();
  }

  /**
   * A saved model comes back with the size of images from the settings, and DL4J scores the same.
   */
  @Test
  void whatIsSavedIsDl4js() throws IOException {
    Dl4jModel.Loaded loaded = load("chain.h5");
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    loaded.model().write(loaded.theta(), out);
    Path zip = temporary.resolve("model.zip");
    Files.write(zip, out.toByteArray());
    Dl4jModel.Loaded again = Dl4jModel.read(new LocalStorage(), zip.toString(), 1, IMAGE);
    assertThat(again.theta()).isEqualTo(loaded.theta());
    INDArray outputs = MultiLayerNetwork.load(zip.toFile(), false).output(images("chain"));
    assertClose(
        "chain",
        outputs.castTo(DataType.DOUBLE).data().asDouble(),
        expected("chain", "output"),
        Tolerance.DL4J);
  }

  @ParameterizedTest
  @ValueSource(ints = {8, 100, 2048, 20_000})
  void aTruncatedFileIsRefusedInOneLine(int length) throws IOException {
    Path file = file("residual.h5");
    Files.write(file, Arrays.copyOf(Files.readAllBytes(file), length));
    assertThatThrownBy(() -> Dl4jModel.read(new LocalStorage(), file.toString()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith(file + ": ")
        .hasMessageNotContaining("\n");
  }
}
