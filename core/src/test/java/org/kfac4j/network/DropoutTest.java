package org.kfac4j.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.kfac4j.Dense.assertClose;

import java.util.Arrays;
import java.util.List;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.kfac4j.Dense;
import org.kfac4j.Problem;
import org.kfac4j.Tolerance;
import org.kfac4j.curvature.Request;
import org.kfac4j.curvature.SumNames;
import org.kfac4j.curvature.Sums;
import org.kfac4j.data.Batch;
import org.kfac4j.linalg.Precision;
import org.kfac4j.optimizer.Objective;
import org.kfac4j.training.LocalObjective;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;

class DropoutTest {
  private static final int COUNT = 9;

  private static Dl4jModel model() {
    MultiLayerConfiguration configuration =
        new NeuralNetConfiguration.Builder()
            .seed(3)
            .dataType(DataType.DOUBLE)
            .list()
            .layer(
                new org.deeplearning4j.nn.conf.layers.ConvolutionLayer.Builder(3, 3)
                    .nOut(4)
                    .dropOut(0.9)
                    .activation(Activation.TANH)
                    .build())
            .layer(new org.deeplearning4j.nn.conf.layers.DropoutLayer(0.6))
            .layer(
                new OutputLayer.Builder(new LossMCXENT())
                    .nOut(3)
                    .activation(Activation.SOFTMAX)
                    .dropOut(0.7)
                    .build())
            .setInputType(InputType.convolutionalFlat(6, 5, 2))
            .build();
    return Dl4jModel.of(configuration, "test");
  }

  private static double loss(LocalObjective objective, double[] theta, Batch batch) {
    try (Objective.Point here = objective.at(theta)) {
      return here.evaluate(new Request.Loss(batch, false)).scalar(SumNames.LOSS);
    }
  }

  @Test
  void itIsWhereDl4jHasIt() {
    assertThat(
            model().network().layers().stream()
                .filter(DropoutLayer.class::isInstance)
                .map(layer -> layer.name() + " " + ((DropoutLayer) layer).keep()))
        .containsExactly("layer0 dropout 0.9", "layer1 0.6", "layer2 dropout 0.7");
  }

  @Test
  void evaluationDropsNothing() {
    Dl4jModel model = model();
    Problem problem = Problem.withDistributions(5, model.network(), COUNT);
    double[] theta = problem.theta(6, 1);
    Sums sums = problem.sums(theta, new Request.Loss(problem.all(), true));
    MultiLayerNetwork dl4j = model.network(theta);
    double[][] x = new double[COUNT][];
    double[][] y = new double[COUNT][];
    Arrays.setAll(x, problem::x);
    Arrays.setAll(y, problem::target);
    assertClose(
        sums.scalar(SumNames.LOSS) / COUNT,
        dl4j.score(new DataSet(Nd4j.createFromArray(x), Nd4j.createFromArray(y)), false),
        Tolerance.DL4J);
    try (LocalObjective objective = problem.objective()) {
      assertThat(loss(objective, theta, problem.all())).isNotEqualTo(sums.scalar(SumNames.LOSS));
    }
  }

  /** The same numbers are dropped in all passes over a batch: otherwise no difference would fit. */
  @Test
  void gradientsAndProductsAreThoseOfTheNetworkThatIsLeft() {
    Network network = model().network();
    Problem problem = Problem.withDistributions(5, network, COUNT);
    double[] theta = problem.theta(6, 1);
    Batch batch = new Batch(COUNT, 7, 2 * COUNT, COUNT);
    Sums sums = problem.sums(theta, new Request.Gradient(batch, null));
    double[] gradient = sums.mean(SumNames.GRADIENT, 1);
    double step = 1e-6;
    try (LocalObjective objective = problem.objective()) {
      for (int i = 0; i < theta.length; i += 3) {
        double[] plus = theta.clone();
        double[] minus = theta.clone();
        plus[i] += step;
        minus[i] -= step;
        double difference =
            (loss(objective, plus, batch) - loss(objective, minus, batch)) / (2 * step);
        assertThat(Math.abs(difference - gradient[i])).isLessThan(1e-6 * Dense.norm(gradient));
      }
      // Products against those of another precision in other blocks and partitions.
      double[] u = problem.theta(8, 1);
      double expected =
          problem.sums(theta, new Request.Products(batch, 1), u).scalar(SumNames.product(0, 0));
      try (LocalObjective other = problem.objective(Precision.FLOAT, 3, 0, 2, COUNT);
          Objective.Point here = other.at(theta)) {
        double actual =
            here.evaluate(new Request.Products(batch, 1), List.of(u))
                .scalar(SumNames.product(0, 0));
        assertClose(actual, expected, 1e-5);
      }
    }
  }

  @Test
  void whatIsKeptDependsOnBatchAndExampleAloneAndIsAsMuchAsAskedFor() {
    Network network =
        Network.of(
            new SquaredError(1000, 1),
            new DropoutLayer("dropout", Shape.vector(1000), 0.3),
            new DenseLayer("dense", 1000, 1000, false));
    float[] ones = new float[20 * 1000];
    Arrays.fill(ones, 1);
    Problem problem = new Problem(network, ones, null, new float[20 * 1000]);
    double[] identity = Dense.flat(Dense.identity(1000));
    Batch batch = new Batch(20, 7, 0, 20);
    double whole;
    try (LocalObjective objective = problem.objective(Precision.DOUBLE, 7, 0, 20)) {
      whole = loss(objective, identity, batch);
    }
    try (LocalObjective objective = problem.objective(Precision.DOUBLE, 3, 0, 4, 4, 15, 20)) {
      assertClose(loss(objective, identity, batch), whole, Tolerance.SUMS);
      assertThat(loss(objective, identity, new Batch(20, 7, 20, 20))).isNotEqualTo(whole);
    }
    // Σ (1/p)² over those kept, of 20000 that are kept with probability p: σ of the share is
    // 0.0032.
    assertThat(whole * 0.3 * 0.3 / 20_000).isBetween(0.287, 0.313);
  }
}
