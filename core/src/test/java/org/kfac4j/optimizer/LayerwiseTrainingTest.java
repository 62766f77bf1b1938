package org.kfac4j.optimizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.kfac4j.Dense.assertClose;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.kfac4j.Dense;
import org.kfac4j.PlainNetwork;
import org.kfac4j.Problem;
import org.kfac4j.Settings;
import org.kfac4j.Snapshot;
import org.kfac4j.Tolerance;
import org.kfac4j.data.Batch;
import org.kfac4j.linalg.Precision;
import org.kfac4j.network.Activation.Function;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.SoftmaxCrossEntropy;
import org.kfac4j.training.LocalObjective;

/** LARS and LAMB as settings name them, over several partitions, against loops over examples. */
class LayerwiseTrainingTest {
  private static final double ETA = 0.05;
  private static final int STEPS = 6;
  private static final int[] PARTITIONS = {0, 3, 3, 4, 11, 17};
  private static final Network NETWORK =
      Problem.network(new SoftmaxCrossEntropy(3), Function.TANH, true, 4, 5, 3).withMoreL2(ETA);
  private static final Problem PROBLEM = Problem.random(1, NETWORK, 17);
  private static final double[] START = PROBLEM.theta(2, 1);

  private static final double TRUST = 0.2;
  private static final double MU = 0.8;
  private static final double DECAY = 0.1;
  private static final double BETA1 = 0.8;
  private static final double BETA2 = 0.97;
  private static final double EPSILON = 1e-4;

  private static Optimizer optimizer(String name, Precision precision) {
    List<String> settings =
        List.of(
            "optimizer.name=" + name,
            "optimizer.learning-rate.initial=0.3",
            "optimizer.learning-rate.schedule=step",
            "optimizer.learning-rate.factor=0.5",
            "optimizer.learning-rate.period=2",
            "optimizer.momentum.value=" + MU,
            "optimizer.lars.trust=" + TRUST,
            "optimizer.lars.weight-decay=" + DECAY,
            "optimizer.lamb.beta1=" + BETA1,
            "optimizer.lamb.beta2=" + BETA2,
            "optimizer.lamb.epsilon=" + EPSILON,
            "optimizer.lamb.weight-decay=" + DECAY);
    return Optimizers.create(Settings.load("layerwise", "", settings), Machines.of(precision));
  }

  private static double alpha(int k) {
    return 0.3 * Math.pow(0.5, Math.floor(0.5 * (k - 1)));
  }

  private static Batch batch(int k) {
    return new Batch(17, 3, 8L * (k - 1), 8);
  }

  /** ∇h. */
  private static double[] gradient(double[] theta, Batch batch) {
    PlainNetwork plain = new PlainNetwork(NETWORK, theta);
    double[] sum = new double[theta.length];
    for (int n : PROBLEM.members(batch)) {
      PlainNetwork.Pass pass = plain.forward(PROBLEM.x(n));
      double[] v = PlainNetwork.lossGradient(NETWORK.loss(), pass.z(), PROBLEM.target(n));
      sum = Dense.plus(sum, plain.backward(pass, v).gradient());
    }
    return Dense.plus(Dense.scaled(1.0 / batch.count(), sum), Dense.scaled(ETA, theta));
  }

  /** θ after k steps from what it was after k − 1. */
  private interface Reference {
    double[] next(double[] theta, int k);
  }

  private static double norm(double[] v, int from, int to) {
    double sum = 0;
    for (int i = from; i < to; i++) {
      sum += v[i] * v[i];
    }
    return Math.sqrt(sum);
  }

  /** Where a block's weights end and its bias, the last row, begins. */
  private static int bias(ParameterBlock block) {
    return block.offset() + (block.rows() - 1) * block.columns();
  }

  private static Reference lars() {
    double[] v = new double[START.length];
    return (theta, k) -> {
      double[] g = gradient(theta, batch(k));
      double[] next = theta.clone();
      for (ParameterBlock block : NETWORK.blocks()) {
        double w = norm(theta, block.offset(), bias(block));
        double q = TRUST * w / (norm(g, block.offset(), bias(block)) + DECAY * w);
        for (int i = block.offset(); i < block.end(); i++) {
          boolean weight = i < bias(block);
          double step = weight ? q * (g[i] + DECAY * theta[i]) : g[i];
          v[i] = MU * v[i] + alpha(k) * step;
          next[i] -= v[i];
        }
      }
      return next;
    };
  }

  private static Reference lamb() {
    double[] m = new double[START.length];
    double[] v = new double[START.length];
    return (theta, k) -> {
      double[] g = gradient(theta, batch(k));
      double[] r = new double[g.length];
      for (int i = 0; i < g.length; i++) {
        m[i] = BETA1 * m[i] + (1 - BETA1) * g[i];
        v[i] = BETA2 * v[i] + (1 - BETA2) * g[i] * g[i];
        double mean = m[i] / (1 - Math.pow(BETA1, k));
        r[i] = mean / (Math.sqrt(v[i] / (1 - Math.pow(BETA2, k))) + EPSILON);
      }
      double[] next = theta.clone();
      for (ParameterBlock block : NETWORK.blocks()) {
        for (int i = block.offset(); i < bias(block); i++) {
          r[i] += DECAY * theta[i];
        }
        double trust =
            norm(theta, block.offset(), bias(block)) / norm(r, block.offset(), bias(block));
        for (int i = block.offset(); i < block.end(); i++) {
          next[i] -= alpha(k) * (i < bias(block) ? trust : 1) * r[i];
        }
      }
      return next;
    };
  }

  private static void assertFollows(String name, Reference reference) {
    double[] expected = START;
    Optimizer optimizer = optimizer(name, Precision.DOUBLE);
    try (LocalObjective objective = PROBLEM.objective(Precision.DOUBLE, 3, PARTITIONS);
        Optimizer.Run run = optimizer.start(NETWORK, START, null)) {
      for (int k = 1; k <= STEPS; k++) {
        Step step = run.step(objective, batch(k), k);
        expected = reference.next(expected, k);
        assertClose("step " + k, run.theta(), expected, Tolerance.F64);
        assertClose(step.alpha(), alpha(k), Tolerance.F64);
      }
    }
    assertThat(Dense.distance(expected, START)).isGreaterThan(0.05);
  }

  @Test
  void larsFollowsItsFormulas() {
    assertFollows("lars", lars());
  }

  @Test
  void lambFollowsItsFormulas() {
    assertFollows("lamb", lamb());
  }

  /** θ after every step; a run that is saved and restored after {@code stop} steps, 0 for none. */
  private static List<double[]> run(String name, Precision precision, int stop, int... partitions) {
    Optimizer optimizer = optimizer(name, precision);
    List<double[]> thetas = new ArrayList<>();
    Optimizer.Run run = optimizer.start(NETWORK, START, null);
    try (LocalObjective objective = PROBLEM.objective(precision, 3, partitions)) {
      for (int k = 1; k <= STEPS; k++) {
        run.step(objective, batch(k), k);
        thetas.add(run.theta().clone());
        if (k == stop) {
          Snapshot snapshot = new Snapshot();
          run.save(snapshot);
          run.close();
          run = optimizer.start(NETWORK, thetas.get(k - 1), snapshot);
        }
      }
    } finally {
      run.close();
    }
    return thetas;
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void runsOverTheSamePartitionsAreEqualBitForBit(Precision precision) {
    for (String name : List.of("lars", "lamb")) {
      List<double[]> whole = run(name, precision, 0, PARTITIONS);
      for (int stop : new int[] {0, 1, 4}) {
        List<double[]> again = run(name, precision, stop, PARTITIONS);
        for (int k = 0; k < STEPS; k++) {
          assertThat(again.get(k)).as("%s, step %d", name, k + 1).isEqualTo(whole.get(k));
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"lars", "lamb"})
  void partitionsDoNotMatter(String name) {
    double[] one = run(name, Precision.DOUBLE, 0, 0, 17).get(STEPS - 1);
    double[] many = run(name, Precision.DOUBLE, 0, PARTITIONS).get(STEPS - 1);
    assertClose(many, one, Tolerance.F64);
  }

  @ParameterizedTest
  @ValueSource(strings = {"lars", "lamb"})
  void theObjectiveGoesDown(String name) {
    Optimizer optimizer = optimizer(name, Precision.FLOAT);
    try (LocalObjective objective = PROBLEM.objective(Precision.FLOAT, 3, PARTITIONS);
        Optimizer.Run run = optimizer.start(NETWORK, START, null)) {
      double first = run.step(objective, PROBLEM.all(), 1).loss();
      double last = first;
      for (int k = 2; k <= 12; k++) {
        last = run.step(objective, PROBLEM.all(), k).loss();
      }
      assertThat(last).isLessThan(first);
    }
  }
}
