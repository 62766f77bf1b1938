package org.kfac4j.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.withinPercentage;
import static org.kfac4j.Dense.assertClose;

import java.util.Arrays;
import java.util.List;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.kfac4j.Dense;
import org.kfac4j.PlainNetwork;
import org.kfac4j.Problem;
import org.kfac4j.Tolerance;
import org.kfac4j.curvature.BlockForm;
import org.kfac4j.curvature.BlockForms;
import org.kfac4j.curvature.FisherType;
import org.kfac4j.curvature.Request;
import org.kfac4j.curvature.SumNames;
import org.kfac4j.curvature.Sums;
import org.kfac4j.data.Batch;
import org.kfac4j.linalg.Precision;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.optimizer.FirstOrder;
import org.kfac4j.optimizer.Objective;
import org.kfac4j.optimizer.Optimizer;
import org.kfac4j.optimizer.Schedule;
import org.kfac4j.training.LocalObjective;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;

/**
 * Batch normalisation: its Fisher blocks, its running averages, and what blocks of examples mean.
 */
class BatchNormalizationTest {
  private static final int COUNT = 12;
  private static final double RATE = 0.2;

  private static MultiLayerConfiguration configuration(DataType type) {
    return new NeuralNetConfiguration.Builder()
        .seed(3)
        .dataType(type)
        .updater(new Sgd(RATE))
        .list()
        .layer(
            new org.deeplearning4j.nn.conf.layers.ConvolutionLayer.Builder(3, 3)
                .nOut(3)
                .activation(Activation.TANH)
                .build())
        .layer(new BatchNormalization.Builder().decay(0.7).build())
        .layer(new org.deeplearning4j.nn.conf.layers.ActivationLayer(Activation.SOFTPLUS))
        .layer(
            new org.deeplearning4j.nn.conf.layers.DenseLayer.Builder()
                .nOut(4)
                .activation(Activation.TANH)
                .build())
        .layer(new BatchNormalization())
        .layer(
            new OutputLayer.Builder(new LossMCXENT())
                .nOut(3)
                .activation(Activation.SOFTMAX)
                .build())
        .setInputType(InputType.convolutionalFlat(5, 4, 2))
        .build();
  }

  private static final Dl4jModel MODEL = Dl4jModel.of(configuration(DataType.DOUBLE), "test");
  private static final Network NETWORK = MODEL.network();
  private static final Problem PROBLEM = Problem.withDistributions(5, NETWORK, COUNT);
  private static final double[] THETA = PROBLEM.theta(6, 1);

  private static INDArray rows(java.util.function.IntFunction<double[]> row) {
    double[][] rows = new double[COUNT][];
    Arrays.setAll(rows, row);
    return Nd4j.createFromArray(rows);
  }

  @Test
  void inInferenceRunningAveragesNormaliseAsInDl4j() {
    MultiLayerNetwork dl4j = MODEL.network(THETA);
    double[] z = ImageNetworkTest.outputs(PROBLEM, THETA, false);
    double[] expected = dl4j.output(rows(PROBLEM::x)).toDoubleMatrix()[0];
    double[] first = Arrays.copyOf(z, 3);
    double sum = Arrays.stream(first).map(Math::exp).sum();
    assertClose(
        "probabilities",
        Arrays.stream(first).map(each -> Math.exp(each) / sum).toArray(),
        expected,
        Tolerance.DL4J);
    Sums sums = PROBLEM.sums(THETA, new Request.Loss(PROBLEM.all(), true));
    double score = dl4j.score(new DataSet(rows(PROBLEM::x), rows(PROBLEM::target)), false);
    assertClose(sums.scalar(SumNames.LOSS) / COUNT, score, Tolerance.DL4J);
  }

  /** θ with its running averages replaced by the statistics of all examples in one block. */
  private static double[] held() {
    Sums sums = PROBLEM.sums(THETA, new Request.Gradient(PROBLEM.all(), null));
    double[] excess = sums.mean(SumNames.GRADIENT, COUNT);
    double[] held = THETA.clone();
    for (ParameterBlock block : NETWORK.statistics()) {
      for (int i = block.offset(); i < block.end(); i++) {
        held[i] -= excess[i];
      }
    }
    return held;
  }

  @Test
  void withTheBlocksStatisticsInferenceIsTraining() {
    assertClose(
        "outputs",
        ImageNetworkTest.outputs(PROBLEM, held(), false),
        ImageNetworkTest.outputs(PROBLEM, THETA, true),
        Tolerance.F64);
  }

  /** Mean over examples of Jᵀ F_R J for some parameters, J by differences with statistics held. */
  private static double[][] exactFisher(int from, int to) {
    double[] held = held();
    int outputs = NETWORK.outputs();
    double[][] derivatives = new double[to - from][];
    for (int i = from; i < to; i++) {
      double[] step = new double[held.length];
      step[i] = Tolerance.STEP;
      derivatives[i - from] =
          Dense.scaled(
              0.5 / Tolerance.STEP,
              Dense.minus(
                  ImageNetworkTest.outputs(PROBLEM, Dense.plus(held, step), false),
                  ImageNetworkTest.outputs(PROBLEM, Dense.minus(held, step), false)));
    }
    double[] z = ImageNetworkTest.outputs(PROBLEM, held, false);
    double[][] sum = Dense.zeros(to - from, to - from);
    for (int n = 0; n < COUNT; n++) {
      double[][] j = new double[outputs][to - from];
      for (int k = 0; k < outputs; k++) {
        for (int i = 0; i < to - from; i++) {
          j[k][i] = derivatives[i][n * outputs + k];
        }
      }
      double[] zn = Arrays.copyOfRange(z, n * outputs, (n + 1) * outputs);
      double[][] fisher = PlainNetwork.outputFisher(NETWORK.loss(), zn);
      sum = Dense.plus(sum, Dense.times(Dense.transposed(j), Dense.times(fisher, j)));
    }
    return Dense.scaled(1.0 / COUNT, sum);
  }

  private static Sums statistics(BlockForms forms) {
    return PROBLEM.sums(
        THETA,
        new Request.Gradient(
            PROBLEM.all(), new Request.Statistics(PROBLEM.all(), FisherType.EXACT, 1, forms)));
  }

  private static List<ParameterBlock> scales() {
    return NETWORK.blocks().stream()
        .filter(block -> block.shape().role() == ParameterRole.SCALES)
        .toList();
  }

  @Test
  void theBlockOfScaleAndShiftIsTheExactFisher() {
    Sums sums = statistics(BlockForms.DEFAULT);
    assertThat(scales()).hasSize(2);
    for (ParameterBlock block : scales()) {
      assertClose(
          Dense.unpacked(sums.mean(SumNames.exact(block), COUNT), block.shape().size()),
          exactFisher(block.offset(), block.end()),
          Tolerance.DIFFERENCES);
    }
  }

  @Test
  void theDiagonalIsThatOfTheBlock() {
    Sums sums = statistics(new BlockForms(WeightSharing.KFC, BlockForm.DIAGONAL, false));
    for (ParameterBlock block : scales()) {
      double[][] exact = exactFisher(block.offset(), block.end());
      double[] diagonal = new double[exact.length];
      Arrays.setAll(diagonal, i -> exact[i][i]);
      assertClose(
          block.name(),
          sums.mean(SumNames.diagonal(block), COUNT),
          diagonal,
          Tolerance.DIFFERENCES);
    }
  }

  /** Reduce's G is the exact block of the bias: what flows back through the normalisation. */
  @Test
  void whatFlowsBackThroughItIsOfOneExampleEach() {
    Sums sums = statistics(BlockForms.sharing(WeightSharing.REDUCE));
    ParameterBlock convolution = NETWORK.blocks().get(0);
    assertClose(
        Dense.unpacked(sums.mean(SumNames.gradients(convolution), COUNT), convolution.columns()),
        exactFisher(convolution.biasOffset(), convolution.end()),
        Tolerance.DIFFERENCES);
  }

  /** Targets drawn from the model average to the expectation over them. */
  @ParameterizedTest
  @EnumSource(
      value = BlockForm.class,
      names = {"EXACT", "DIAGONAL"})
  void sampledTargetsEstimateTheBlock(BlockForm form) {
    BlockForms forms = new BlockForms(WeightSharing.KFC, form, false);
    ParameterBlock block = scales().get(0);
    String name = form == BlockForm.EXACT ? SumNames.exact(block) : SumNames.diagonal(block);
    double[] exact = statistics(forms).mean(name, COUNT);
    double[] mean = new double[exact.length];
    int draws = 2000;
    try (LocalObjective objective = PROBLEM.objective();
        Objective.Point here = objective.at(THETA)) {
      for (int key = 0; key < draws; key++) {
        Request.Statistics asked =
            new Request.Statistics(PROBLEM.all(), FisherType.SAMPLED, key, forms);
        Sums sums = here.evaluate(new Request.Gradient(PROBLEM.all(), asked));
        mean = Dense.plus(mean, Dense.scaled(1.0 / draws, sums.mean(name, COUNT)));
      }
    }
    // Some 1 / √(draws · examples), the largest of many entries.
    assertClose(name, mean, exact, 0.05);
  }

  @Test
  void stepsOfGradientDescentAndRunningAveragesAreDl4js() {
    MultiLayerNetwork dl4j = MODEL.network(THETA);
    FirstOrder optimizer = new FirstOrder(new FirstOrder.Sgd(), Schedule.constant(RATE));
    try (LocalObjective objective = PROBLEM.objective();
        Optimizer.Run run = optimizer.start(NETWORK, THETA, null)) {
      for (int k = 1; k <= 5; k++) {
        run.step(objective, PROBLEM.all(), k);
        dl4j.fit(new DataSet(rows(PROBLEM::x), rows(PROBLEM::target)));
        assertClose("step " + k, run.theta(), MODEL.weights(dl4j), Tolerance.DL4J);
      }
    }
  }

  private static double[] gradient(int blockRows, Request request, int... bounds) {
    try (LocalObjective objective = PROBLEM.objective(Precision.DOUBLE, blockRows, bounds);
        Objective.Point here = objective.at(THETA)) {
      return here.evaluate(request).mean(SumNames.GRADIENT, COUNT);
    }
  }

  @Test
  void partitionsThatEndWithABlockChangeNothingAndOthersDo() {
    Request all = new Request.Gradient(PROBLEM.all(), null);
    double[] one = gradient(4, all, 0, 12);
    assertClose("three", gradient(4, all, 0, 4, 8, 12), one, Tolerance.F64);
    double[] others = gradient(4, all, 0, 6, 12);
    assertThat(Dense.distance(others, one)).isGreaterThan(1e-3);
  }

  /** Only then do the losses before and after a step compare. */
  @Test
  void whichExamplesShareABlockDoesNotDependOnTheStatistics() {
    Batch batch = new Batch(COUNT, 3, 0, 11);
    double[] without = gradient(4, new Request.Gradient(batch, null), 0, 12);
    for (double fraction : new double[] {0.2, 0.5, 1}) {
      Request.Statistics some =
          new Request.Statistics(batch.subset(fraction), FisherType.SAMPLED, 1);
      assertClose(
          "fraction " + fraction,
          gradient(4, new Request.Gradient(batch, some), 0, 12),
          without,
          Tolerance.F64);
    }
  }

  @Test
  void aPartOfABlockHasNoGradientWithoutTheRest() {
    BatchNormalizationLayer layer =
        new BatchNormalizationLayer("norm", new Shape(2, 2, 3), 0.9, 1e-5, false, true);
    try (Scratch scratch = new Scratch(Precision.DOUBLE);
        Rows in = Rows.activations(Precision.DOUBLE, 4, layer.shape());
        Rows out = Rows.activations(Precision.DOUBLE, 4, layer.shape());
        Rows g = Rows.derivatives(Precision.DOUBLE, 4, layer.shape())) {
      LayerBuffers buffers = new LayerBuffers(List.of(in), out, scratch);
      buffers.setExamples(true, 0, new long[4], 4);
      buffers.setGradientOut(g);
      buffers.setGradientIn(0, g);
      layer.forward(buffers, 4);
      assertThatThrownBy(() -> layer.backward(buffers, 2))
          .hasMessage("norm: 2 of the block's 4 examples have no gradient without the others");
      buffers.setHolding(true);
      layer.backward(buffers, 2);
    }
  }

  /** One example of a vector has no variance: what comes out is β. */
  @Test
  void aBlockOfOneExampleIsFinite() {
    double[] theta = gradient(1, new Request.Gradient(PROBLEM.all(), null), 0, 12);
    assertThat(Arrays.stream(theta).allMatch(Double::isFinite)).isTrue();
  }

  private static final double[] DIRECTION = PROBLEM.theta(7, 1);

  /** vᵀ F v of the exact Fisher matrix, as alone or after another request on the same buffers. */
  private static double product(@Nullable Request before) {
    try (LocalObjective objective = PROBLEM.objective();
        Objective.Point here = objective.at(THETA)) {
      if (before != null) {
        here.evaluate(before);
      }
      Sums sums = here.evaluate(new Request.Products(PROBLEM.all(), 1), List.of(DIRECTION));
      return sums.scalar(SumNames.product(0, 0)) / COUNT;
    }
  }

  /** Jv by differences of the network in training, whose statistics move with the weights. */
  @Test
  void productsGoThroughTheStatistics() {
    double[] step = Dense.scaled(Tolerance.STEP, DIRECTION);
    double[] moved =
        Dense.scaled(
            0.5 / Tolerance.STEP,
            Dense.minus(
                ImageNetworkTest.outputs(PROBLEM, Dense.plus(THETA, step), true),
                ImageNetworkTest.outputs(PROBLEM, Dense.minus(THETA, step), true)));
    double[] z = ImageNetworkTest.outputs(PROBLEM, THETA, true);
    int outputs = NETWORK.outputs();
    double expected = 0;
    for (int n = 0; n < COUNT; n++) {
      double[] zn = Arrays.copyOfRange(z, n * outputs, (n + 1) * outputs);
      double[] v = Arrays.copyOfRange(moved, n * outputs, (n + 1) * outputs);
      double[][] fisher = PlainNetwork.outputFisher(NETWORK.loss(), zn);
      for (int i = 0; i < outputs; i++) {
        for (int j = 0; j < outputs; j++) {
          expected += v[i] * fisher[i][j] * v[j] / COUNT;
        }
      }
    }
    assertThat(product(null)).isCloseTo(expected, withinPercentage(1e-4));
  }

  @Test
  void whatWasAskedBeforeDoesNotMatter() {
    double alone = product(null);
    for (FisherType fisher : FisherType.values()) {
      Request.Statistics statistics =
          new Request.Statistics(PROBLEM.all(), fisher, 1, BlockForms.DEFAULT);
      assertThat(product(new Request.Gradient(PROBLEM.all(), statistics)))
          .as("after a gradient with %s statistics", fisher)
          .isEqualTo(alone);
    }
    assertThat(product(new Request.Gradient(PROBLEM.all(), null))).isEqualTo(alone);
    assertThat(product(new Request.Loss(PROBLEM.all(), true))).isEqualTo(alone);
  }
}
