package org.kfac4j.verify;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.kfac4j.Networks;
import org.kfac4j.Problem;
import org.kfac4j.curvature.SumNames;
import org.kfac4j.network.Network;
import org.kfac4j.network.ParameterRole;
import org.kfac4j.optimizer.Preconditioners;

/** What is right passes on every kind of network, and what does not go with one is no failure. */
class VerificationTest {
  static Stream<Network> networks() {
    Stream<Network> losses = Problem.losses(3).map(loss -> Verified.relu(loss).withMoreL2(0.1));
    Stream<Network> more =
        Stream.of(
            Verified.normalized(false),
            Verified.normalized(true),
            Verified.dropped(),
            Verified.rectified(),
            Verified.autoencoder());
    return Stream.of(Networks.all(), losses, more).flatMap(each -> each);
  }

  @ParameterizedTest
  @MethodSource("networks")
  void everythingHoldsOfEveryKindOfNetwork(Network network) {
    List<Finding> findings = Verified.findings(network, each -> each);
    assertThat(findings.stream().filter(Finding::hasFailed)).isEmpty();
    assertThat(findings).hasSizeGreaterThan(30);
    assertThat(findings)
        .extracting(Finding::check)
        .contains("cgfac factored: inverse", "cgfac factored: residual")
        .doesNotContain("cgfac factored: not converged");
    // Of a preconditioner that was not looked at there is nothing but its name.
    List<String> left = new ArrayList<>(List.of("none"));
    boolean images =
        network.layers().stream().anyMatch(each -> each.inputShapes().get(0).positions() > 1);
    boolean others =
        network.blocks().stream().anyMatch(each -> each.shape().role() != ParameterRole.WEIGHTS);
    if (images || others) { // No chain of dense layers.
      left.add("kfac-tridiagonal factored");
    }
    assertThat(findings.stream().map(Finding::check).filter(Preconditioners.entries()::contains))
        .containsExactlyInAnyOrderElementsOf(left);
  }

  @Test
  void whatDoesNotGoWithANetworkIsNoFailure() {
    assertNotApplicable(
        Verified.findings(Networks.residual(), each -> each),
        "kfac-tridiagonal",
        "needs dense layers, but conv1 is a ConvolutionLayer");
    List<Finding> dropped = Verified.findings(Verified.normalized(true), each -> each);
    for (String check : List.of("Fisher blocks", "scales: Fisher block")) {
      assertNotApplicable(dropped, check, "dropout is of training");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"blocks", "diagonal"})
  void everythingHoldsOfFactorsThatAreCut(String rule) {
    List<Finding> findings =
        Verified.findings(
            Networks.dense(), "curvature.widest-factor=4", "curvature.wide-factors=" + rule);
    assertThat(findings.stream().filter(Finding::hasFailed)).isEmpty();
    assertThat(findings)
        .extracting(Finding::check)
        .contains("kfac factored: inverse", "cgfac factored: inverse", "ekfac: scalings");
    assertNotApplicable(findings, "kfac-tridiagonal", "needs whole factors");
  }

  @Test
  void everythingHoldsWithAWeightOfTheCoarseCorrection() {
    List<Finding> findings = Verified.findings(Networks.dense(), "curvature.two-level.weight=0.5");
    assertThat(findings.stream().filter(Finding::hasFailed)).isEmpty();
    assertThat(findings)
        .extracting(Finding::check)
        .contains("two-level factored: additive", "two-level factored: residual");
  }

  @Test
  void factorsThatTheSettingsRefuseAreNoFailure() {
    List<Finding> findings = Verified.findings(Networks.dense(), "curvature.widest-factor=4");
    assertThat(findings.stream().filter(Finding::hasFailed)).isEmpty();
    for (String check : List.of("kfac factored", "kfac: factors", "kfac: exact for one example")) {
      assertNotApplicable(findings, check, "wider than curvature.widest-factor = 4");
    }
    assertThat(findings)
        .extracting(Finding::check)
        .contains("cgfac factored: inverse", "diagonal: inverse");
  }

  /** A sum that nobody made is a mistake, not a preconditioner that does not go with a network. */
  @Test
  void whatGoesWrongOnTheWayFails() {
    Network network = Networks.dense();
    String lost = SumNames.diagonal(network.weightBlocks().get(0));
    List<Finding> findings =
        Verified.findings(
            network,
            sums -> {
              if (sums.hasVector(lost)) {
                throw new IllegalArgumentException("there is no sum " + lost);
              }
              return sums;
            });
    assertThat(findings.stream().filter(Finding::hasFailed))
        .singleElement()
        .satisfies(
            each -> {
              assertThat(each.check()).isEqualTo("diagonal");
              assertThat(each.compared()).contains(lost);
            });
  }

  private static void assertNotApplicable(List<Finding> findings, String check, String reason) {
    assertThat(findings)
        .anySatisfy(
            each -> {
              assertThat(each.check()).startsWith(check);
              assertThat(each.outcome()).isEqualTo(Finding.Outcome.NOT_APPLICABLE);
              assertThat(each.compared()).contains(reason);
            });
  }

  @Test
  void anErrorThatIsNotANumberFails() {
    assertThat(Finding.of("check", "", Double.NaN, 1).hasFailed()).isTrue();
    assertThat(Vec.largest(new double[] {0, Double.NaN}, new double[] {1, 1})).isNaN();
  }
}
