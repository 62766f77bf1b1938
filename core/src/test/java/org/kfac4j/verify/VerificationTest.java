package org.kfac4j.verify;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.kfac4j.Networks;
import org.kfac4j.Problem;
import org.kfac4j.Settings;
import org.kfac4j.curvature.Nd4jBackend;
import org.kfac4j.data.DataSource;
import org.kfac4j.data.ExampleShape;
import org.kfac4j.data.Examples;
import org.kfac4j.linalg.LapackFactorizations;
import org.kfac4j.linalg.Precision;
import org.kfac4j.network.Activation.Function;
import org.kfac4j.network.Loss;
import org.kfac4j.network.Network;
import org.kfac4j.optimizer.DenseMachine;
import org.kfac4j.optimizer.DivergedException;
import org.kfac4j.optimizer.Objective;
import org.kfac4j.training.LocalObjective;

/** What is right passes on every kind of network; every mistake is noticed by name. */
class VerificationTest {
  private static final int COUNT = 16;
  private static final long KEY = 5;

  static Stream<Network> networks() {
    Stream<Network> losses = Problem.losses(3).map(loss -> relu(loss).withMoreL2(0.1));
    return Stream.concat(Networks.all(), losses);
  }

  private static Network relu(Loss loss) {
    return Problem.network(loss, Function.RELU, true, 4, 6, 3);
  }

  private static Examples examples(Problem problem, int from, int to) {
    int inputs = problem.network().inputs();
    int outputs = problem.network().outputs();
    float[] x = Arrays.copyOfRange(problem.features(), from * inputs, to * inputs);
    return problem.labels() != null
        ? Examples.classified(from, x, Arrays.copyOfRange(problem.labels(), from, to))
        : Examples.withTargets(
            from,
            to - from,
            x,
            Arrays.copyOfRange(problem.targets(), from * outputs, to * outputs));
  }

  private record Source(Problem problem) implements DataSource {
    @Override
    public String name() {
      return "random";
    }

    @Override
    public ExampleShape shape() {
      Network network = problem.network();
      return new ExampleShape(network.inputs(), network.outputs(), problem.labels() != null);
    }

    @Override
    public long size() {
      return problem.count();
    }

    @Override
    public Examples read(long from, long to) {
      return examples(problem, (int) from, (int) to);
    }
  }

  private static List<Finding> findings(Network network, UnaryOperator<Objective> broken) {
    Problem problem = Problem.random(1, network, COUNT);
    Nd4jBackend backend = new Nd4jBackend(Precision.DOUBLE, COUNT, COUNT, 1);
    Sample sample = new Sample(network, backend, examples(problem, 0, COUNT));
    double[] theta = sample.moved(problem.theta(2, 1), KEY);
    List<Finding> findings = new ArrayList<>();
    try (Objective objective =
        broken.apply(
            new LocalObjective(
                network, backend, Precision.DOUBLE, LocalObjective.read(new Source(problem), 1)))) {
      findings.addAll(new GradientCheck(sample, objective).run(theta, KEY));
      findings.add(new ProductCheck(sample, objective).run(theta, KEY));
      DenseMachine machine = new DenseMachine(new LapackFactorizations(), Precision.DOUBLE, 1);
      Settings settings = Settings.load("defaults", "", List.of());
      BlockCheck.Result blocks =
          new BlockCheck(sample, objective, settings, machine).run(theta, KEY);
      assertThat(blocks.blocks()).isNotEmpty();
      findings.addAll(blocks.findings());
    }
    findings.addAll(PartitionCheck.of(network, new Source(problem), 1).run(theta, KEY));
    return findings;
  }

  private static List<String> failed(List<Finding> findings) {
    return findings.stream().filter(Finding::hasFailed).map(Finding::check).toList();
  }

  @ParameterizedTest
  @MethodSource("networks")
  void everythingHoldsOfEveryKindOfNetwork(Network network) {
    List<Finding> findings = findings(network, each -> each);
    assertThat(findings.stream().filter(Finding::hasFailed)).isEmpty();
    assertThat(findings).hasSizeGreaterThan(30);
  }

  @Test
  void everyMistakeIsNoticedByName() {
    Network network = Networks.dense();
    BrokenObjective.mistakes(network)
        .forEach(
            (sum, check) -> {
              List<Finding> findings =
                  findings(network, each -> new BrokenObjective(each, network, sum, 1.001));
              assertThat(failed(findings)).as("%s", sum).contains(check);
            });
  }

  @Test
  void aMistakeInAConvolutionIsNoticed() {
    Network network = Networks.convolution();
    UnaryOperator<Objective> broken = each -> new BrokenObjective(each, network, "gradient", 1.01);
    assertThat(failed(findings(network, broken))).contains("gradient");
  }

  @Test
  void whatDoesNotGoWithANetworkIsNoFailure() {
    List<Finding> findings = findings(Networks.residual(), each -> each);
    assertThat(findings)
        .anySatisfy(
            each -> {
              assertThat(each.check()).startsWith("kfac-tridiagonal");
              assertThat(each.outcome()).isEqualTo(Finding.Outcome.NOT_APPLICABLE);
              assertThat(each.compared())
                  .contains("needs dense layers, but conv1 is a ConvolutionLayer");
            });
  }

  @Test
  void runsThatDifferByOneBitAreNoticed() {
    double[] weights = {1, 2, 3};
    assertThat(RepeatCheck.run("test", weights::clone).hasFailed()).isFalse();
    int[] runs = new int[1];
    Finding found =
        RepeatCheck.run("test", () -> new double[] {1, 2, runs[0]++ == 0 ? 3 : Math.nextUp(3.0)});
    assertThat(found.hasFailed()).isTrue();
    Finding diverged =
        RepeatCheck.run(
            "test",
            () -> {
              throw new DivergedException("iteration 1: loss NaN");
            });
    assertThat(diverged.outcome()).isEqualTo(Finding.Outcome.NOT_APPLICABLE);
    assertThat(diverged.compared()).contains("iteration 1: loss NaN");
  }

  @Test
  void anErrorThatIsNotANumberFails() {
    assertThat(Finding.of("check", "", Double.NaN, 1).hasFailed()).isTrue();
    assertThat(Vec.largest(new double[] {0, Double.NaN}, new double[] {1, 1})).isNaN();
    assertThat(new Differences(1e-6).error(h -> Double.NaN)).isInfinite();
  }
}
