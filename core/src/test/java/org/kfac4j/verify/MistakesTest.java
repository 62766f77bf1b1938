package org.kfac4j.verify;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.kfac4j.Networks;
import org.kfac4j.Problem;
import org.kfac4j.curvature.SumNames;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;

/** Every mistake is noticed by the check that is there for it. */
class MistakesTest {
  static Stream<Network> brokenNetworks() {
    return Stream.of(Networks.dense(), Networks.convolution(), Networks.residual());
  }

  @ParameterizedTest
  @MethodSource("brokenNetworks")
  void everyMistakeIsNoticedByName(Network network) {
    assertNoticed(network, BrokenSums.mistakes(network));
  }

  @Test
  void everyMistakeBetweenLayersOfAChainIsNoticedByName() {
    assertNoticed(Networks.dense(), BrokenSums.mistakesOfChains(Networks.dense()));
  }

  private static void assertNoticed(Network network, List<BrokenSums.Mistake> mistakes) {
    for (BrokenSums.Mistake mistake : mistakes) {
      assertThat(Verified.failed(Verified.findings(network, mistake.sums())))
          .as(mistake.toString())
          .contains(mistake.check());
    }
  }

  static Stream<Network> comparedWithOutputs() {
    return Stream.of(Networks.residual(), Verified.normalized(false), Verified.autoencoder());
  }

  @ParameterizedTest
  @MethodSource("comparedWithOutputs")
  void rowsOfOtherExamplesAreNoticed(Network network) {
    Problem problem = Problem.random(1, network, Verified.COUNT);
    float[] features = problem.features().clone();
    for (int i = 0; i < network.inputs(); i++) {
      features[i] *= 1.01f;
    }
    Problem other = new Problem(network, features, problem.labels(), problem.targets());
    assertThat(Verified.failed(Verified.findings(problem, other, each -> each)))
        .contains("Fisher blocks");
  }

  @Test
  void aWrongDiagonalOfOtherParametersIsNoticed() {
    Network network = Verified.rectified();
    ParameterBlock block = network.blocks().get(1);
    // Only some of a diagonal's numbers are compared.
    BrokenSums broken = new BrokenSums(SumNames.diagonal(block), 1.001, true);
    assertThat(Verified.failed(Verified.findings(network, broken)))
        .contains("scales: Fisher block");
  }
}
