package org.kfac4j.curvature;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.kfac4j.Dense.assertClose;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.kfac4j.Dense;
import org.kfac4j.Networks;
import org.kfac4j.Problem;
import org.kfac4j.Tolerance;
import org.kfac4j.data.Batch;
import org.kfac4j.data.Examples;
import org.kfac4j.linalg.Precision;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.WeightSharing;
import org.kfac4j.optimizer.Objective;
import org.kfac4j.training.LocalObjective;

/** An example of weight 3 is three examples, in every sum. */
class WeightsTest {
  private static final int COUNT = 11;
  private static final float[] WEIGHTS = {1, 3, 2, 1, 1, 4, 2, 1, 3, 1, 2};

  private static Problem once(Network network) {
    return Problem.random(3, network, COUNT);
  }

  /** Every example as often as its weight says. */
  private static Problem repeated(Network network) {
    Problem once = once(network);
    int inputs = network.inputs();
    List<float[]> features = new ArrayList<>();
    List<Integer> labels = new ArrayList<>();
    for (int i = 0; i < COUNT; i++) {
      for (int copy = 0; copy < WEIGHTS[i]; copy++) {
        features.add(Arrays.copyOfRange(once.features(), i * inputs, (i + 1) * inputs));
        labels.add(once.labels()[i]);
      }
    }
    float[] all = new float[features.size() * inputs];
    for (int i = 0; i < features.size(); i++) {
      System.arraycopy(features.get(i), 0, all, i * inputs, inputs);
    }
    return new Problem(network, all, labels.stream().mapToInt(Integer::intValue).toArray(), null);
  }

  /** In two partitions, one of them with blocks that are full and one that is not. */
  private static Sums weighted(Network network, Request request, double[]... directions) {
    Problem once = once(network);
    int split = 4;
    List<List<Examples>> partitions =
        List.of(List.of(part(once, 0, split)), List.of(part(once, split, COUNT)));
    try (LocalObjective objective =
            new LocalObjective(
                network, new Nd4jBackend(Precision.DOUBLE, 3, 3, 1), Precision.DOUBLE, partitions);
        Objective.Point here = objective.at(theta(network))) {
      return here.evaluate(request, List.of(directions));
    }
  }

  private static Examples part(Problem once, int from, int to) {
    int inputs = once.network().inputs();
    return Examples.classified(
            from,
            Arrays.copyOfRange(once.features(), from * inputs, to * inputs),
            Arrays.copyOfRange(once.labels(), from, to))
        .weighted(Arrays.copyOfRange(WEIGHTS, from, to));
  }

  private static double[] theta(Network network) {
    return once(network).theta(5, 1);
  }

  private static Sums repeated(Network network, Request request, double[]... directions) {
    return repeated(network).sums(theta(network), request, directions);
  }

  private static Batch few() {
    return Batch.everything(COUNT);
  }

  private static Batch many(Network network) {
    return repeated(network).all();
  }

  static Stream<Network> networks() {
    return Networks.ofIndependentExamples();
  }

  @ParameterizedTest
  @MethodSource("networks")
  void inLossMetricsGradientAndProducts(Network network) {
    Sums own = weighted(network, new Request.Loss(few(), true));
    Sums expected = repeated(network, new Request.Loss(many(network), true));
    for (String name :
        List.of(SumNames.COUNT, SumNames.LOSS, SumNames.SQUARED_ERROR, SumNames.CORRECT)) {
      assertClose(own.scalar(name), expected.scalar(name), Tolerance.F64);
    }
    own = weighted(network, new Request.Gradient(few(), null));
    expected = repeated(network, new Request.Gradient(many(network), null));
    assertClose(own.mean(SumNames.GRADIENT, 1), expected.mean(SumNames.GRADIENT, 1), Tolerance.F64);
    double[] u = Dense.normal(1, network.parameterCount());
    double[] v = Dense.normal(2, network.parameterCount());
    own = weighted(network, new Request.Products(few(), 2), u, v);
    expected = repeated(network, new Request.Products(many(network), 2), u, v);
    for (int i = 0; i < 2; i++) {
      for (int j = i; j < 2; j++) {
        String name = SumNames.product(i, j);
        assertClose(own.scalar(name), expected.scalar(name), Tolerance.F64);
      }
    }
  }

  private static void assertStatistics(
      Network network, BlockForms forms, FisherType fisher, List<String> names) {
    for (boolean withGradient : new boolean[] {false, true}) {
      Request.Statistics own = new Request.Statistics(few(), fisher, 7, forms);
      Request.Statistics all = new Request.Statistics(many(network), fisher, 7, forms);
      Sums actual =
          weighted(
              network,
              withGradient ? new Request.Gradient(few(), own) : new Request.Curvature(own));
      Sums expected =
          repeated(
              network,
              withGradient ? new Request.Gradient(many(network), all) : new Request.Curvature(all));
      assertClose(
          actual.scalar(SumNames.STATISTICS_COUNT),
          expected.scalar(SumNames.STATISTICS_COUNT),
          Tolerance.F64);
      for (String name : names) {
        assertClose(name, actual.mean(name, 1), expected.mean(name, 1), Tolerance.F64);
      }
    }
  }

  private static List<String> names(
      Network network, List<java.util.function.Function<ParameterBlock, String>> each) {
    return network.weightBlocks().stream()
        .flatMap(block -> each.stream().map(name -> name.apply(block)))
        .toList();
  }

  private static BlockForms forms(BlockForm form, Coupling coupling, WeightSharing sharing) {
    return new BlockForms(form, coupling, sharing, BlockForm.EXACT, false, 100);
  }

  @ParameterizedTest
  @EnumSource(
      value = FisherType.class,
      names = {"EXACT", "EMPIRICAL"}) // sampled targets are an example's own
  void inStatistics(FisherType fisher) {
    networks()
        .forEach(
            network -> {
              for (WeightSharing sharing : WeightSharing.values()) {
                assertStatistics(
                    network,
                    forms(BlockForm.KRONECKER, Coupling.NONE, sharing),
                    fisher,
                    names(network, List.of(SumNames::inputs, SumNames::gradients)));
              }
              assertStatistics(
                  network,
                  forms(BlockForm.TRACES, Coupling.NONE, WeightSharing.KFC),
                  fisher,
                  names(network, List.of(SumNames::weightedInputs, SumNames::weightedGradients)));
              assertStatistics(
                  network,
                  forms(BlockForm.DIAGONAL, Coupling.NONE, WeightSharing.KFC),
                  fisher,
                  names(network, List.of(SumNames::diagonal)));
              assertStatistics(
                  network,
                  forms(BlockForm.KRONECKER, Coupling.COARSE, WeightSharing.KFC),
                  fisher,
                  names(network, List.of(SumNames::coarseInputs, SumNames::coarseGradients)));
            });
    Network chain = Networks.dense();
    List<ParameterBlock> blocks = chain.weightBlocks();
    assertStatistics(
        chain,
        forms(BlockForm.KRONECKER, Coupling.NEIGHBOURS, WeightSharing.KFC),
        fisher,
        List.of(
            SumNames.crossInputs(blocks.get(0), blocks.get(1)),
            SumNames.crossGradients(blocks.get(1), blocks.get(2))));
  }

  @Test
  void rowsOfConjugateGradientsHaveNone() {
    BlockForms rows = forms(BlockForm.ROWS, Coupling.NONE, WeightSharing.KFC);
    assertThatThrownBy(
            () ->
                weighted(
                    Networks.dense(),
                    new Request.Curvature(
                        new Request.Statistics(few(), FisherType.EXACT, 7, rows))))
        .hasMessageContaining("cgfac");
  }

  @Test
  void weightsArePositiveAndOnePerExample() {
    Examples two = Examples.classified(0, new float[4], new int[2]);
    assertThat(two.weights()).isNull();
    assertThat(two.weighted(new float[] {1, 2}).from(5).weights()).containsExactly(1, 2);
    for (float[] wrong : List.of(new float[] {1}, new float[] {1, 0}, new float[] {1, Float.NaN})) {
      assertThatThrownBy(() -> two.weighted(wrong)).isInstanceOf(IllegalArgumentException.class);
    }
  }
}
