package org.kfac4j.network;

import static org.kfac4j.Dense.assertClose;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.kfac4j.Dense;
import org.kfac4j.PlainNetwork;
import org.kfac4j.Problem;
import org.kfac4j.Tolerance;
import org.kfac4j.linalg.Precision;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationCube;
import org.nd4j.linalg.activations.impl.ActivationELU;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.activations.impl.ActivationSigmoid;
import org.nd4j.linalg.activations.impl.ActivationSoftmax;
import org.nd4j.linalg.activations.impl.ActivationTanH;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.ILossFunction;
import org.nd4j.linalg.lossfunctions.impl.LossBinaryXENT;
import org.nd4j.linalg.lossfunctions.impl.LossL2;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;
import org.nd4j.linalg.lossfunctions.impl.LossMSE;

/**
 * Loss and gradient, from a batch of examples through blocks and sums to means, against DL4J's
 * {@code computeGradientAndScore} and against central differences.
 */
class GradientTest {
  private static final int INPUTS = 4;
  private static final int OUTPUTS = 3;
  private static final int COUNT = 13;
  private static final double L2 = 0.03;
  private static final double L2_BIAS = 0.05;

  /**
   * The end of a DL4J network.
   *
   * @param distributions whether targets are distributions over classes
   */
  private record Output(
      String name, IActivation activation, ILossFunction loss, boolean distributions) {
    Problem problem(Network network) {
      return distributions
          ? Problem.withDistributions(5, network, COUNT)
          : Problem.random(5, network, COUNT);
    }
  }

  /** DL4J's losses with activations that go with them. */
  static Stream<Output> outputs() {
    return Stream.of(
        new Output("XENT", new ActivationSigmoid(), new LossBinaryXENT(1e-7), false),
        new Output("MCXENT", new ActivationSoftmax(), new LossMCXENT(), false),
        new Output("MCXENT, distributions", new ActivationSoftmax(), new LossMCXENT(), true),
        new Output("MSE", new ActivationIdentity(), new LossMSE(), false),
        new Output("MSE, tanh", new ActivationTanH(), new LossMSE(), false),
        new Output("L2", new ActivationIdentity(), new LossL2(), false));
  }

  static Stream<Arguments> cases() {
    List<IActivation> activations = new ArrayList<>(Dl4jImportTest.activations().toList());
    // DL4J's gradient of ELU is that of α = 1 whatever α is: differences judge the others.
    activations.removeIf(each -> each instanceof ActivationELU elu && elu.getAlpha() != 1);
    List<Arguments> cases = new ArrayList<>();
    for (IActivation activation : activations) {
      for (Output output : outputs().toList()) {
        cases.add(Arguments.of(activation, output));
      }
    }
    return cases.stream();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void scoreAndGradientAreDl4js(IActivation activation, Output output) {
    for (boolean bias : new boolean[] {true, false}) {
      for (Precision precision : Precision.values()) {
        assertScoreAndGradientAreDl4js(activation, output, bias, precision);
      }
    }
  }

  private static void assertScoreAndGradientAreDl4js(
      IActivation activation, Output output, boolean bias, Precision precision) {
    DataType type = precision == Precision.FLOAT ? DataType.FLOAT : DataType.DOUBLE;
    Dl4jModel model = Dl4jModel.of(configuration(activation, output, bias, type), "test");
    Problem problem = output.problem(model.network());
    // Logits of a cube of a cube would be so large that DL4J clips probabilities.
    double[] theta = problem.theta(6, activation instanceof ActivationCube ? 0.4 : 1);
    RegularizedLoss ours = RegularizedLoss.of(problem, theta, precision);

    MultiLayerNetwork dl4j = model.network(theta);
    dl4j.setInput(Nd4j.createFromArray(rows(problem, problem::x)).castTo(type));
    dl4j.setLabels(Nd4j.createFromArray(rows(problem, problem::target)).castTo(type));
    dl4j.computeGradientAndScore();
    assertClose(ours.h(), dl4j.score(), Tolerance.DL4J);

    // DL4J sums over examples and leaves mean and l2 to its updater.
    double[] sum = dl4j.getFlattenedGradients().dup().toDoubleVector();
    double[] expected = Dense.scaled(1.0 / COUNT, Dl4jWeights.fromDl4j(model.network(), sum));
    model.network().addPenaltyGradient(theta, expected);
    assertClose("gradient", ours.gradient(), expected, Tolerance.DL4J);
  }

  private static double[][] rows(Problem problem, java.util.function.IntFunction<double[]> row) {
    double[][] rows = new double[problem.count()][];
    Arrays.setAll(rows, row);
    return rows;
  }

  private static MultiLayerConfiguration configuration(
      IActivation activation, Output output, boolean bias, DataType type) {
    NeuralNetConfiguration.ListBuilder list =
        new NeuralNetConfiguration.Builder()
            .seed(3)
            .dataType(type)
            .updater(new Sgd(1))
            .l2(L2)
            .l2Bias(L2_BIAS)
            .list();
    int[] widths = {INPUTS, 6, 5};
    for (int i = 1; i < widths.length; i++) {
      list.layer(
          new org.deeplearning4j.nn.conf.layers.DenseLayer.Builder()
              .nIn(widths[i - 1])
              .nOut(widths[i])
              .hasBias(bias)
              .activation(activation)
              .build());
    }
    return list.layer(
            new OutputLayer.Builder(output.loss)
                .nIn(5)
                .nOut(OUTPUTS)
                .hasBias(bias)
                .activation(output.activation)
                .build())
        .validateOutputLayerConfig(false)
        .build();
  }

  @ParameterizedTest
  @MethodSource("outputs")
  void aStepOfDl4jsGradientDescentSubtractsTheSameGradientWithItsL2(Output output) {
    Dl4jModel model =
        Dl4jModel.of(configuration(new ActivationTanH(), output, true, DataType.DOUBLE), "test");
    Problem problem = output.problem(model.network());
    double[] theta = problem.theta(6, 1);
    MultiLayerNetwork dl4j = model.network(theta);
    dl4j.fit(
        Nd4j.createFromArray(rows(problem, problem::x)),
        Nd4j.createFromArray(rows(problem, problem::target)));
    assertClose(
        Dense.minus(theta, model.weights(dl4j)),
        RegularizedLoss.of(problem, theta, Precision.DOUBLE).gradient(),
        Tolerance.DL4J);
  }

  /** A kink or jump within the reach of a difference would spoil it: odds of about one in 500. */
  @ParameterizedTest
  @EnumSource(Activation.Function.class)
  void gradientsAreWhatCentralDifferencesSay(Activation.Function function) {
    Activation activation = new Activation(function, 0.3);
    for (Loss loss : Problem.losses(OUTPUTS).toList()) {
      for (boolean bias : new boolean[] {true, false}) {
        Network network =
            new Network(
                List.of(
                    new DenseLayer("a", INPUTS, 5, bias),
                    new ActivationLayer("b", 5, activation),
                    new DenseLayer("c", 5, OUTPUTS, true),
                    new ActivationLayer("d", OUTPUTS, activation)),
                loss,
                Collections.nCopies(4, new Network.Penalty(L2, L2_BIAS)));
        Problem problem =
            loss instanceof SoftmaxCrossEntropy && bias
                ? Problem.withDistributions(7, network, COUNT)
                : Problem.random(7, network, COUNT);
        // Large enough to saturate; a cube does not.
        double[] theta = problem.theta(8, function == Activation.Function.CUBE ? 0.5 : 3);
        RegularizedLoss value = RegularizedLoss.of(problem, theta, Precision.DOUBLE);
        double[] differences = new double[theta.length];
        for (int i = 0; i < theta.length; i++) {
          double[] moved = theta.clone();
          moved[i] = theta[i] + Tolerance.STEP;
          double right = objective(problem, moved);
          moved[i] = theta[i] - Tolerance.STEP;
          differences[i] = (right - objective(problem, moved)) / (2 * Tolerance.STEP);
        }
        assertClose(loss.name(), value.gradient(), differences, Tolerance.DIFFERENCES);
        assertClose(value.h(), objective(problem, theta), Tolerance.F64);
      }
    }
  }

  /** h, one example and one number at a time. */
  private static double objective(Problem problem, double[] theta) {
    Network network = problem.network();
    PlainNetwork plain = new PlainNetwork(network, theta);
    double sum = 0;
    for (int n = 0; n < COUNT; n++) {
      double[] z = plain.forward(problem.x(n)).z();
      sum += PlainNetwork.loss(network.loss(), z, problem.target(n));
    }
    double squares = 0;
    for (Network.ParameterBlock block : network.blocks()) {
      for (int i = block.offset(); i < block.end(); i++) {
        boolean isBias = block.hasBias() && i >= block.end() - block.columns();
        squares += (isBias ? L2_BIAS : L2) * theta[i] * theta[i];
      }
    }
    return sum / COUNT + 0.5 * squares;
  }
}
