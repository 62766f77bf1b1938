package org.kfac4j.network;

import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.kfac4j.network.Dl4jFixtures.INPUTS;
import static org.kfac4j.network.Dl4jFixtures.builder;
import static org.kfac4j.network.Dl4jFixtures.configuration;

import java.util.function.Consumer;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.BackpropType;
import org.deeplearning4j.nn.conf.GradientNormalization;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.constraint.MaxNormConstraint;
import org.deeplearning4j.nn.conf.dropout.AlphaDropout;
import org.deeplearning4j.nn.conf.dropout.GaussianDropout;
import org.deeplearning4j.nn.conf.layers.AutoEncoder;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.CenterLossOutputLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LocalResponseNormalization;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PReLULayer;
import org.deeplearning4j.nn.conf.preprocessor.CnnToFeedForwardPreProcessor;
import org.deeplearning4j.nn.conf.weightnoise.DropConnect;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.kfac4j.InvalidInputException;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationGELU;
import org.nd4j.linalg.activations.impl.ActivationRReLU;
import org.nd4j.linalg.activations.impl.ActivationReLU;
import org.nd4j.linalg.activations.impl.ActivationSigmoid;
import org.nd4j.linalg.activations.impl.ActivationSoftmax;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.regularization.L2Regularization;
import org.nd4j.linalg.learning.regularization.Regularization;
import org.nd4j.linalg.lossfunctions.ILossFunction;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.nd4j.linalg.lossfunctions.impl.LossBinaryXENT;
import org.nd4j.linalg.lossfunctions.impl.LossL2;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;
import org.nd4j.linalg.lossfunctions.impl.LossMSE;
import org.nd4j.linalg.schedule.MapSchedule;
import org.nd4j.linalg.schedule.ScheduleType;

/**
 * What has no counterpart is refused in one line that names the layer, the setting and the value.
 */
class Dl4jRefusalTest {
  static Stream<Arguments> refused() {
    return Stream.of(layers(), settings(), regularization(), losses(), shapes())
        .flatMap(each -> each);
  }

  private static Stream<Arguments> layers() {
    return Stream.of(
        layer(
            new ConvolutionLayer.Builder(1, 1).nIn(1).nOut(1).build(),
            "the configuration does not say how large images are; set model.input"),
        layer(
            new BatchNormalization.Builder().nIn(INPUTS).nOut(INPUTS).minibatch(false).build(),
            "minibatch = false"),
        layer(
            new BatchNormalization.Builder(2, 0, true).nIn(INPUTS).nOut(INPUTS).build(),
            "gamma = 2.0"),
        layer(
            new BatchNormalization.Builder().nIn(INPUTS).nOut(INPUTS).eps(0).build(), "eps = 0.0"),
        layer(
            new LocalResponseNormalization.Builder().build(),
            "layer type = LocalResponseNormalization"),
        layer(new DropoutLayer(new GaussianDropout(0.5)), "dropout = GaussianDropout"),
        layer(
            new EmbeddingLayer.Builder().nIn(INPUTS).nOut(3).build(),
            "layer type = EmbeddingLayer"),
        layer(new LSTM.Builder().nIn(INPUTS).nOut(3).build(), "layer type = LSTM"),
        layer(new AutoEncoder.Builder().nIn(INPUTS).nOut(3).build(), "layer type = AutoEncoder"),
        row(
            configuration(
                dense(), new PReLULayer.Builder().inputShape(3).sharedAxes(1).build(), output()),
            "layer layer1: sharedAxes = [1]"),
        row(
            configuration(dense(), new PReLULayer.Builder().inputShape(4).build(), output()),
            "layer layer1: inputShape gives 4 slopes, but 3 comes in"),
        row(
            configuration(new CenterLossOutputLayer.Builder().nIn(INPUTS).nOut(3).build()),
            "layer layer0: layer type = CenterLossOutputLayer"),
        row(
            configuration(dense(each -> each.activation(Activation.SOFTMAX)), output()),
            "layer layer1: activation before it = softmax"),
        layer(dense(each -> each.activation(new ActivationRReLU())), "activation = rrelu"),
        layer(
            dense(each -> each.activation(new ActivationGELU(true))),
            "activation = gelu(precise=true)"),
        layer(
            dense(each -> each.activation(new ActivationReLU(3.0, null, null))),
            "activation = relu(max=3.0, threshold=0.0, negativeSlope=0.0)"),
        row(
            configuration(
                dense(),
                new org.deeplearning4j.nn.conf.layers.ActivationLayer(Activation.SOFTMAX),
                output()),
            "layer layer2: activation before it = softmax"));
  }

  private static Stream<Arguments> settings() {
    return Stream.of(
        layer(dense(each -> each.dropOut(new AlphaDropout(0.5))), "dropout = AlphaDropout"),
        layer(
            dense(each -> each.constrainWeights(new MaxNormConstraint(1.0, 1))), "constraints = "),
        layer(dense(each -> each.weightNoise(new DropConnect(0.5))), "weightNoise = DropConnect"),
        layer(dense(each -> each.hasLayerNorm(true)), "layerNorm = true"),
        layer(
            dense(each -> each.gradientNormalization(GradientNormalization.ClipL2PerLayer)),
            "gradientNormalization = ClipL2PerLayer"),
        row(
            configuration(builder().miniBatch(false), dense(), output()),
            "layer layer0: miniBatch = false"),
        row(
            configuration(builder().minimize(false), dense(), output()),
            "layer layer0: minimize = false"),
        row(changed(each -> each.setDataType(DataType.BFLOAT16)), "dataType = BFLOAT16"),
        row(
            builder()
                .list()
                .layer(dense())
                .layer(output())
                .inputPreProcessor(0, new CnnToFeedForwardPreProcessor(2, 2, 1))
                .build(),
            "layer layer0: its preprocessor flattens a map of 2×2×1, but 4 comes in"),
        row(
            changed(each -> each.setBackpropType(BackpropType.TruncatedBPTT)),
            "backpropType = TruncatedBPTT"));
  }

  private static Stream<Arguments> regularization() {
    Regularization scheduled =
        new L2Regularization(
            new MapSchedule.Builder(ScheduleType.ITERATION).add(0, 0.1).add(5, 0.2).build());
    return Stream.of(
        layer(dense(each -> each.l1(0.1)), "regularization = L1Regularization"),
        layer(dense(each -> each.l1Bias(0.1)), "regularizationBias = L1Regularization"),
        layer(dense(each -> each.weightDecay(0.1)), "regularization = WeightDecay"),
        layer(dense(each -> each.weightDecayBias(0.1)), "regularizationBias = WeightDecay"),
        layer(
            dense(each -> each.regularization(java.util.List.of(scheduled))),
            "regularization = L2Regularization"));
  }

  private static Stream<Arguments> losses() {
    return Stream.of(
        loss(LossFunction.L1.getILossFunction(), new ActivationSigmoid(), "loss = LossL1()"),
        loss(LossFunction.HINGE.getILossFunction(), new ActivationSigmoid(), "loss = LossHinge()"),
        loss(
            LossFunction.KL_DIVERGENCE.getILossFunction(),
            new ActivationSigmoid(),
            "loss = LossKLD()"),
        loss(
            LossFunction.POISSON.getILossFunction(),
            new ActivationSigmoid(),
            "loss = LossPoisson()"),
        loss(new LossBinaryXENT(), new ActivationSoftmax(), "loss XENT with activation = softmax"),
        loss(new LossMCXENT(), new ActivationSigmoid(), "loss MCXENT with activation = sigmoid"),
        loss(new LossMSE(), new ActivationSoftmax(), "activation = softmax"),
        loss(
            new LossMCXENT(Nd4j.createFromArray(1.0, 2.0, 3.0)),
            new ActivationSoftmax(),
            "loss weights = ["),
        loss(
            new LossBinaryXENT(Nd4j.createFromArray(1.0, 2.0, 3.0)),
            new ActivationSigmoid(),
            "loss weights = ["),
        loss(
            new LossL2(Nd4j.createFromArray(1.0, 2.0, 3.0)),
            new ActivationSigmoid(),
            "loss weights = ["),
        loss(new LossBinaryXENT(0.1), new ActivationSigmoid(), "clipEps = 0.1"),
        loss(new LossMCXENT(0.1, null), new ActivationSoftmax(), "softmaxClipEps = 0.1"));
  }

  private static Stream<Arguments> shapes() {
    return Stream.of(
        row(
            changed(each -> ((OutputLayer) each.getConf(1).getLayer()).setNIn(4)),
            "layer layer1: nIn is 4, but 3 outputs come in"),
        row(configuration(dense()), "the last layer must be an OutputLayer or a LossLayer"),
        row(
            configuration(output(INPUTS), dense(each -> each.nIn(3))),
            "layer layer1: nothing may follow the output layer"),
        row(
            configuration(new LossLayer.Builder(new LossL2()).build()),
            "layer layer0: no layer before it says how many outputs there are"),
        row(
            configuration(
                new org.deeplearning4j.nn.conf.layers.ActivationLayer(Activation.TANH),
                new LossLayer.Builder(new LossL2()).build()),
            "layer layer0: no layer says how many inputs there are"),
        row(
            configuration(dense(each -> each.nIn(0)), output()),
            "layer layer0: nIn must be in [1, 2^31), got 0"),
        row(
            configuration(dense(each -> each.nOut(-3)), output()),
            "layer layer0: nOut must be in [1, 2^31), got -3"),
        row(
            configuration(dense(each -> each.nOut(2_000_000_000)), output(2_000_000_000)),
            "layer layer0: more than 2^31 weights"));
  }

  @ParameterizedTest
  @MethodSource("refused")
  void whatHasNoCounterpartIsRefusedInOneLine(
      MultiLayerConfiguration configuration, String message) {
    assertThatThrownBy(() -> Dl4jImport.network(configuration, "model.json"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith("model.json: ")
        .hasMessageContaining(message)
        .hasMessageNotContaining("\n");
  }

  /** A network that has {@code first} as its first layer. */
  private static Arguments layer(Layer first, String message) {
    return row(configuration(first, output()), "layer layer0: " + message);
  }

  private static Arguments loss(ILossFunction loss, IActivation activation, String message) {
    OutputLayer output =
        new OutputLayer.Builder(loss).nIn(3).nOut(3).activation(activation).build();
    return row(configuration(dense(), output), "layer layer1: " + message);
  }

  private static Arguments row(MultiLayerConfiguration configuration, String message) {
    return Arguments.of(configuration, message);
  }

  @SafeVarargs
  private static org.deeplearning4j.nn.conf.layers.DenseLayer dense(
      Consumer<org.deeplearning4j.nn.conf.layers.DenseLayer.Builder>... settings) {
    var builder =
        new org.deeplearning4j.nn.conf.layers.DenseLayer.Builder()
            .nIn(INPUTS)
            .nOut(3)
            .activation(Activation.TANH);
    for (var setting : settings) {
      setting.accept(builder);
    }
    return builder.build();
  }

  private static OutputLayer output() {
    return output(3);
  }

  private static OutputLayer output(int in) {
    return new OutputLayer.Builder(new LossL2())
        .nIn(in)
        .nOut(3)
        .activation(Activation.IDENTITY)
        .build();
  }

  private static MultiLayerConfiguration changed(Consumer<MultiLayerConfiguration> change) {
    MultiLayerConfiguration configuration = configuration(dense(), output());
    change.accept(configuration);
    return configuration;
  }
}
