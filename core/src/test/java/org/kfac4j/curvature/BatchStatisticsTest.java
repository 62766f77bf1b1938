package org.kfac4j.curvature;

import static org.assertj.core.api.Assertions.assertThat;
import static org.kfac4j.Dense.assertClose;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.kfac4j.Networks;
import org.kfac4j.Problem;
import org.kfac4j.Tolerance;
import org.kfac4j.data.Batch;
import org.kfac4j.data.Examples;
import org.kfac4j.linalg.Precision;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.optimizer.Objective;
import org.kfac4j.training.LocalObjective;

/** What depends on a block's other examples, where examples have weights or are in a subset. */
class BatchStatisticsTest {
  private static final int COUNT = 12;
  private static final int SPLIT = 5;

  private final Network network = Networks.residual();
  private final Problem problem = Problem.random(3, network, COUNT);
  private final double[] theta = problem.theta(5, 1);

  private Examples part(int from, int to, float @Nullable [] weights) {
    int inputs = network.inputs();
    Examples part =
        Examples.classified(
            from,
            Arrays.copyOfRange(problem.features(), from * inputs, to * inputs),
            Arrays.copyOfRange(problem.labels(), from, to));
    return weights == null ? part : part.weighted(Arrays.copyOfRange(weights, from, to));
  }

  /** In two partitions, each of which is a block. */
  private Sums sums(Request request, float @Nullable [] weights) {
    try (LocalObjective objective =
            new LocalObjective(
                network,
                new Nd4jBackend(Precision.DOUBLE, COUNT, COUNT, 1),
                Precision.DOUBLE,
                List.of(List.of(part(0, SPLIT, weights)), List.of(part(SPLIT, COUNT, weights))));
        Objective.Point here = objective.at(theta)) {
      return here.evaluate(request);
    }
  }

  private static float[] constant(float weight) {
    float[] weights = new float[COUNT];
    Arrays.fill(weights, weight);
    return weights;
  }

  private static double[] meanGradient(Sums sums) {
    return sums.mean(SumNames.GRADIENT, sums.scalar(SumNames.COUNT));
  }

  /** So that running averages move by 1 − decay whatever the unit of weights is. */
  @ParameterizedTest
  @ValueSource(floats = {0.01f, 1, 5})
  void equalWeightsChangeNothing(float weight) {
    Request request = new Request.Gradient(Batch.everything(COUNT), null);
    double[] expected = meanGradient(sums(request, null));
    assertClose(meanGradient(sums(request, constant(weight))), expected, 1e-6);
  }

  /** θ_μ − Σ w_b μ_b / Σ w_b, μ_b without weights: of a block's own mean gradient. */
  @ParameterizedTest
  @ValueSource(floats = {0.25f, 4})
  void aBlockCountsAsMuchAsItsExamplesWeigh(float second) {
    float[] weights = constant(1);
    Arrays.fill(weights, SPLIT, COUNT, second);
    double[] both =
        meanGradient(sums(new Request.Gradient(Batch.everything(COUNT), null), weights));
    double[] of = new double[both.length];
    double total = SPLIT + (COUNT - SPLIT) * (double) second;
    for (int block = 0; block < 2; block++) {
      int from = block == 0 ? 0 : SPLIT;
      int to = block == 0 ? SPLIT : COUNT;
      try (LocalObjective objective =
              new LocalObjective(
                  network,
                  new Nd4jBackend(Precision.DOUBLE, COUNT, COUNT, 1),
                  Precision.DOUBLE,
                  List.of(List.of(part(from, to, null).from(0))));
          Objective.Point here = objective.at(theta)) {
        double[] alone =
            meanGradient(here.evaluate(new Request.Gradient(Batch.everything(to - from), null)));
        double share = (to - from) * (block == 0 ? 1 : second) / total;
        for (int i = 0; i < of.length; i++) {
          of[i] += share * alone[i];
        }
      }
    }
    for (ParameterBlock block : network.statistics()) {
      assertClose(
          Arrays.copyOfRange(both, block.offset(), block.end()),
          Arrays.copyOfRange(of, block.offset(), block.end()),
          Tolerance.F64);
    }
  }

  /** Of a subset of a block, with the block's statistics; weights of one are none. */
  @ParameterizedTest
  @EnumSource(FisherType.class)
  void curvatureOfASubsetIsOfTheWholeBlocksNetwork(FisherType fisher) {
    Batch all = new Batch(COUNT, 4, 0, COUNT);
    Request.Statistics subset = new Request.Statistics(all.subset(0.5), fisher, 7);
    Sums expected = sums(new Request.Gradient(all, subset), null);
    for (float[] weights : Arrays.asList(null, constant(1))) {
      for (Request request :
          List.of(new Request.Gradient(all, subset), new Request.Curvature(all, subset))) {
        Sums sums = sums(request, weights);
        assertThat(sums.scalar(SumNames.STATISTICS_COUNT)).isEqualTo(COUNT / 2.0);
        for (ParameterBlock block : network.weightBlocks()) {
          for (String name : List.of(SumNames.inputs(block), SumNames.gradients(block))) {
            assertClose(name, sums.mean(name, 1), expected.mean(name, 1), Tolerance.F64);
          }
        }
      }
    }
  }
}
