package org.kfac4j.optimizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.kfac4j.Dense;
import org.kfac4j.Networks;
import org.kfac4j.Problem;
import org.kfac4j.Settings;
import org.kfac4j.Snapshot;
import org.kfac4j.curvature.FisherType;
import org.kfac4j.data.Batch;
import org.kfac4j.linalg.Precision;
import org.kfac4j.network.Network;
import org.kfac4j.training.LocalObjective;

/** TEKFAC is EKFAC but for the factors that its basis comes from: arXiv:2011.13609, eq. 3.3. */
class TekfacTest {
  private static final int COUNT = 16;
  private static final double STRENGTH = 0.05;
  private static final Scalings EXAMPLES = new Scalings(Scalings.Source.EXAMPLES, 1, 0);

  static Stream<Network> networks() {
    return Networks.all();
  }

  /** What TEKFAC would have saved if its factors were K-FAC's: δ = 1, Φ = A, Ψ = G. */
  private static Snapshot disguised(Snapshot ekfac) {
    Snapshot tekfac = new Snapshot();
    ekfac
        .entries()
        .forEach(
            (name, value) -> {
              String block = name.substring(name.indexOf(' ') + 1);
              if (name.startsWith("A ")) {
                tekfac.put("δ " + block, new double[] {1});
                tekfac.putAny("Φ " + block, value);
              } else if (name.startsWith("G ")) {
                tekfac.putAny("Ψ " + block, value);
              } else {
                tekfac.putAny(name, value);
              }
            });
    return tekfac;
  }

  @ParameterizedTest
  @MethodSource("networks")
  void withTheFactorsOfKfacItsInverseIsEkfacsBitForBit(Network network) {
    Problem problem = Problem.random(3, network, COUNT);
    double[] theta = problem.theta(5, 1);
    double[] v = Dense.normal(8, network.parameterCount());
    for (FisherType fisher : FisherType.values()) {
      Kfac ekfac = Inverted.settings(new EkfacPreconditioner(EXAMPLES), fisher);
      Kfac tekfac = Inverted.settings(new TekfacPreconditioner(EXAMPLES), fisher);
      Snapshot saved = new Snapshot();
      double[] expected;
      try (Inverted inverted = Inverted.of(ekfac, problem, theta, STRENGTH)) {
        inverted.curvature.save(saved);
        expected = inverted.inverse.descent(v);
      }
      try (Curvature curvature = new Curvature(tekfac, network, disguised(saved));
          Curvature.Inverse inverse = curvature.invert(STRENGTH, null, null, null)) {
        inverse.rescale(Inverted.scalings(tekfac, problem, theta, inverse), 0);
        assertThat(inverse.descent(v)).isEqualTo(expected);
      }
      try (Inverted own = Inverted.of(tekfac, problem, theta, STRENGTH)) {
        assertThat(Dense.distance(own.inverse.descent(v), expected)).isGreaterThan(1e-3);
      }
    }
  }

  private static Kfac settings(String preconditioner, Precision precision, boolean relative) {
    return (Kfac)
        Optimizers.create(
            Settings.load(
                "tekfac",
                "",
                List.of(
                    "optimizer.preconditioner=" + preconditioner,
                    "optimizer.damping.initial=1",
                    "curvature.relative-damping.enabled=" + relative,
                    "curvature.statistics-fraction=0.8",
                    "curvature.statistics-period=1000",
                    "curvature.inverse-period=2")),
            Machines.of(precision));
  }

  /** After the first iteration, whose factors both keep; bases and eigenvalues are made anew. */
  @ParameterizedTest
  @MethodSource("networks")
  void withTheFactorsOfKfacItRunsAsEkfacBitForBit(Network network) {
    Problem problem = Problem.random(3, network, COUNT);
    for (Precision precision : Precision.values()) {
      for (boolean relative : new boolean[] {false, true}) {
        if (relative && network.blocks().size() > network.weightBlocks().size()) {
          continue; // blocks of scales take the damping that factors have before eigenvalues do
        }
        Kfac ekfac = settings("ekfac", precision, relative);
        Kfac tekfac = settings("tekfac", precision, relative);
        Snapshot saved = new Snapshot();
        Batch batch = new Batch(COUNT, 1, 0, 10);
        try (LocalObjective objective = problem.objective(precision)) {
          double[] start;
          try (Optimizer.Run run = ekfac.start(network, problem.theta(5, 1), null)) {
            run.step(objective, batch, 1);
            run.save(saved);
            start = run.theta().clone();
          }
          try (Optimizer.Run one = ekfac.start(network, start, saved);
              Optimizer.Run other = tekfac.start(network, start, disguised(saved))) {
            for (int k = 2; k <= 6; k++) {
              batch = batch.next(10);
              one.step(objective, batch, k);
              other.step(objective, batch, k);
              assertThat(other.theta()).as("iteration %d", k).isEqualTo(one.theta());
            }
            assertThat(Dense.distance(one.theta(), start)).isGreaterThan(1e-3);
          }
        }
      }
    }
  }
}
