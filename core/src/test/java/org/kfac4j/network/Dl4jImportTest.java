package org.kfac4j.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.kfac4j.network.Dl4jFixtures.INPUTS;
import static org.kfac4j.network.Dl4jFixtures.builder;
import static org.kfac4j.network.Dl4jFixtures.configuration;
import static org.kfac4j.network.Dl4jFixtures.normal;
import static org.kfac4j.network.Dl4jFixtures.outputs;
import static org.kfac4j.network.Dl4jFixtures.rows;

import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.kfac4j.network.Network.Penalty;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationCube;
import org.nd4j.linalg.activations.impl.ActivationELU;
import org.nd4j.linalg.activations.impl.ActivationGELU;
import org.nd4j.linalg.activations.impl.ActivationHardSigmoid;
import org.nd4j.linalg.activations.impl.ActivationHardTanH;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.activations.impl.ActivationLReLU;
import org.nd4j.linalg.activations.impl.ActivationMish;
import org.nd4j.linalg.activations.impl.ActivationRationalTanh;
import org.nd4j.linalg.activations.impl.ActivationReLU;
import org.nd4j.linalg.activations.impl.ActivationReLU6;
import org.nd4j.linalg.activations.impl.ActivationRectifiedTanh;
import org.nd4j.linalg.activations.impl.ActivationSELU;
import org.nd4j.linalg.activations.impl.ActivationSigmoid;
import org.nd4j.linalg.activations.impl.ActivationSoftPlus;
import org.nd4j.linalg.activations.impl.ActivationSoftSign;
import org.nd4j.linalg.activations.impl.ActivationSoftmax;
import org.nd4j.linalg.activations.impl.ActivationSwish;
import org.nd4j.linalg.activations.impl.ActivationTanH;
import org.nd4j.linalg.activations.impl.ActivationThresholdedReLU;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.ILossFunction;
import org.nd4j.linalg.lossfunctions.impl.LossBinaryXENT;
import org.nd4j.linalg.lossfunctions.impl.LossL2;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;
import org.nd4j.linalg.lossfunctions.impl.LossMSE;
import org.nd4j.linalg.lossfunctions.impl.LossNegativeLogLikelihood;
import org.nd4j.linalg.lossfunctions.impl.LossSparseMCXENT;

/** The imported network computes what DL4J computes; DL4J is asked. */
class Dl4jImportTest {
  private static final double CLOSE = 1e-5;
  private static final int EXAMPLES = 5;
  private static final int OUTPUTS = 3;

  static Stream<IActivation> activations() {
    return Stream.of(
        new ActivationIdentity(),
        new ActivationSigmoid(),
        new ActivationTanH(),
        new ActivationReLU(),
        new ActivationReLU(null, null, 0.25),
        new ActivationReLU(null, 0.5, null),
        new ActivationReLU(6.0, null, null),
        new ActivationReLU6(),
        new ActivationThresholdedReLU(0.3),
        new ActivationLReLU(),
        new ActivationLReLU(0.2),
        new ActivationELU(),
        new ActivationELU(0.7),
        new ActivationSELU(),
        new ActivationSoftPlus(),
        new ActivationSoftSign(),
        new ActivationSwish(),
        new ActivationGELU(),
        new ActivationMish(),
        new ActivationHardTanH(),
        new ActivationHardSigmoid(),
        new ActivationRectifiedTanh(),
        new ActivationRationalTanh(),
        new ActivationCube());
  }

  @ParameterizedTest
  @MethodSource("activations")
  void everyActivationComputesWhatDl4jDoes(IActivation activation) {
    MultiLayerConfiguration configuration =
        configuration(
            dense(INPUTS, 6, activation),
            dense(6, 5, new ActivationTanH()),
            new org.deeplearning4j.nn.conf.layers.ActivationLayer(activation),
            output(5, new LossL2(), activation));
    assertSameOutputs(configuration);
    assertSameOutputs(MultiLayerConfiguration.fromJson(configuration.toJson()));
  }

  @Test
  void everyFunctionCanBeImported() {
    assertThat(activations().map(each -> Dl4jActivations.of(each, new Refusal("test")).function()))
        .contains(org.kfac4j.network.Activation.Function.values());
  }

  static Stream<Arguments> losses() {
    return Stream.of(
        Arguments.of(new LossBinaryXENT(1e-7), new ActivationSigmoid(), SigmoidCrossEntropy.class),
        Arguments.of(new LossMCXENT(), new ActivationSoftmax(), SoftmaxCrossEntropy.class),
        Arguments.of(
            new LossNegativeLogLikelihood(), new ActivationSoftmax(), SoftmaxCrossEntropy.class),
        Arguments.of(new LossSparseMCXENT(), new ActivationSoftmax(), SoftmaxCrossEntropy.class),
        Arguments.of(new LossMSE(), new ActivationIdentity(), SquaredError.class),
        Arguments.of(new LossMSE(), new ActivationTanH(), SquaredError.class),
        Arguments.of(new LossL2(), new ActivationIdentity(), SquaredError.class),
        Arguments.of(new LossL2(), new ActivationSigmoid(), SquaredError.class));
  }

  @ParameterizedTest
  @MethodSource("losses")
  void everyLossScoresWhatDl4jScores(ILossFunction loss, IActivation activation, Class<?> type) {
    MultiLayerConfiguration withOutputLayer =
        configuration(
            builder().l2(0.03).l2Bias(0.05),
            dense(INPUTS, 6, new ActivationTanH()),
            output(6, loss, activation));
    MultiLayerConfiguration withLossLayer =
        configuration(
            builder().l2(0.03).l2Bias(0.05),
            dense(INPUTS, 6, new ActivationTanH()),
            dense(6, OUTPUTS, new ActivationIdentity()),
            new LossLayer.Builder(loss).activation(activation).build());
    for (MultiLayerConfiguration each :
        new MultiLayerConfiguration[] {withOutputLayer, withLossLayer}) {
      Dl4jModel model = Dl4jModel.of(each, "test");
      assertThat(model.network().loss()).isInstanceOf(type);
      assertSameOutputs(each);
      assertSameScore(model, loss instanceof LossSparseMCXENT);
    }
  }

  @Test
  void l2OfWeightsAndBiasesIsHalfItsCoefficientTimesTheSquareAndDiffersByLayer() {
    Network network =
        network(
            configuration(
                new org.deeplearning4j.nn.conf.layers.DenseLayer.Builder()
                    .nIn(INPUTS)
                    .nOut(6)
                    .activation(Activation.TANH)
                    .l2(0.5)
                    .build(),
                new OutputLayer.Builder(new LossL2())
                    .nIn(6)
                    .nOut(OUTPUTS)
                    .activation(Activation.IDENTITY)
                    .l2(0.25)
                    .l2Bias(0.125)
                    .build()));
    assertThat(network.penalties())
        .containsExactly(new Penalty(0.5, 0), Penalty.NONE, new Penalty(0.25, 0.125));
  }

  @Test
  void layersWithoutBiasHaveNone() {
    MultiLayerConfiguration configuration =
        configuration(
            new org.deeplearning4j.nn.conf.layers.DenseLayer.Builder()
                .nIn(INPUTS)
                .nOut(6)
                .hasBias(false)
                .l2Bias(0.1)
                .activation(Activation.TANH)
                .build(),
            new OutputLayer.Builder(new LossL2())
                .nIn(6)
                .nOut(OUTPUTS)
                .hasBias(false)
                .activation(Activation.IDENTITY)
                .build());
    assertThat(network(configuration).parameterCount()).isEqualTo(INPUTS * 6 + 6 * OUTPUTS);
    assertThat(network(configuration).penalties()).containsOnly(Penalty.NONE);
    assertSameOutputs(configuration);
  }

  @Test
  void namesAreDl4jsWithTheActivationAppended() {
    MultiLayerConfiguration configuration =
        configuration(
            new org.deeplearning4j.nn.conf.layers.ActivationLayer(Activation.SIGMOID),
            new org.deeplearning4j.nn.conf.layers.DenseLayer.Builder()
                .name("code")
                .nIn(INPUTS)
                .nOut(6)
                .activation(Activation.TANH)
                .build(),
            output(6, new LossL2(), new ActivationIdentity()));
    assertThat(network(configuration).layers())
        .extracting(Layer::name)
        .containsExactly("layer0 sigmoid", "code", "code tanh", "layer2");
    assertSameOutputs(configuration);
  }

  @Test
  void whatTheOptimizerBringsIsIgnored() {
    MultiLayerConfiguration configuration =
        configuration(
            builder()
                .updater(new org.nd4j.linalg.learning.config.Adam(0.1))
                .biasUpdater(new org.nd4j.linalg.learning.config.Nesterovs(0.2, 0.3))
                .optimizationAlgo(org.deeplearning4j.nn.api.OptimizationAlgorithm.LBFGS)
                .maxNumLineSearchIterations(7),
            output(INPUTS, new LossL2(), new ActivationIdentity()));
    assertThat(network(configuration).layers())
        .containsExactly(new DenseLayer("layer0", INPUTS, OUTPUTS, true));
  }

  @Test
  void meanSquaredErrorDividesByOutputsAndL2DoesNot() {
    assertThat(
            network(configuration(output(INPUTS, new LossMSE(), new ActivationIdentity()))).loss())
        .isEqualTo(new SquaredError(OUTPUTS, 1.0 / OUTPUTS));
    assertThat(
            network(configuration(output(INPUTS, new LossL2(), new ActivationIdentity()))).loss())
        .isEqualTo(new SquaredError(OUTPUTS, 1));
  }

  private static Network network(MultiLayerConfiguration configuration) {
    return Dl4jImport.network(configuration, "test");
  }

  private static org.deeplearning4j.nn.conf.layers.DenseLayer dense(
      int in, int out, IActivation activation) {
    return new org.deeplearning4j.nn.conf.layers.DenseLayer.Builder()
        .nIn(in)
        .nOut(out)
        .activation(activation)
        .build();
  }

  private static OutputLayer output(int in, ILossFunction loss, IActivation activation) {
    return new OutputLayer.Builder(loss).nIn(in).nOut(OUTPUTS).activation(activation).build();
  }

  /** Loops over θ against {@code MultiLayerNetwork.output}, with random weights and biases. */
  private static void assertSameOutputs(MultiLayerConfiguration configuration) {
    Dl4jModel model = Dl4jModel.of(configuration, "test");
    double[] theta = normal(11, model.network().parameterCount());
    double[][] x = rows(normal(12, EXAMPLES * INPUTS), INPUTS);
    double[] z = outputs(model.network(), theta, x);
    model.network().loss().predict(z, EXAMPLES);
    double[] actual =
        model.network(theta).output(Nd4j.createFromArray(x)).dup('c').data().asDouble();
    assertThat(actual).containsExactly(z, within(CLOSE));
  }

  /** Mean loss plus penalty against {@code MultiLayerNetwork.score}. */
  private static void assertSameScore(Dl4jModel model, boolean sparseLabels) {
    Network network = model.network();
    double[] theta = normal(13, network.parameterCount());
    double[][] x = rows(normal(14, EXAMPLES * INPUTS), INPUTS);
    int[] labels = {0, 2, 1, 1, 0};
    double[] z = outputs(network, theta, x);
    double expected =
        network.loss().value(z, new Targets(labels, null), EXAMPLES) / EXAMPLES
            + network.penalty(theta);

    INDArray targets = Nd4j.zeros(DataType.DOUBLE, EXAMPLES, sparseLabels ? 1 : OUTPUTS);
    for (int n = 0; n < EXAMPLES; n++) {
      if (sparseLabels) {
        targets.putScalar(n, 0, labels[n]);
      } else {
        targets.putScalar(n, labels[n], 1);
      }
    }
    MultiLayerNetwork dl4j = model.network(theta);
    double score = dl4j.score(new DataSet(Nd4j.createFromArray(x), targets));
    assertThat(score).isCloseTo(expected, within(CLOSE));
    assertThat(network.penalty(theta)).isGreaterThan(0.1);
  }
}
