package org.kfac4j.optimizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.kfac4j.Dense.assertClose;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.kfac4j.Dense;
import org.kfac4j.Networks;
import org.kfac4j.Problem;
import org.kfac4j.Settings;
import org.kfac4j.Snapshot;
import org.kfac4j.Tolerance;
import org.kfac4j.curvature.BlockForm;
import org.kfac4j.curvature.Coupling;
import org.kfac4j.curvature.FisherType;
import org.kfac4j.curvature.WideFactors;
import org.kfac4j.data.Batch;
import org.kfac4j.linalg.Precision;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.training.LocalObjective;

/**
 * What every preconditioner promises, on every kind of network: a line in {@link Preconditioners}
 * is all that it takes to be tested here.
 */
class PreconditionerContractTest {
  private static final double STRENGTH = 0.05;
  private static final int COUNT = 16;

  /** Which entries refuse which kinds of networks. All others, and every new one, serve all. */
  private static final Map<String, Set<String>> REFUSALS =
      Map.of("kfac-tridiagonal factored", Set.of("convolution", "depthwise", "residual"));

  /** An entry of the table on a kind of network; conjugate gradients run to convergence. */
  private record Case(String entry, String kind, Network network, List<String> overrides) {
    Settings settings(String... more) {
      String[] words = entry.split(" ");
      List<String> all =
          new ArrayList<>(
              List.of(
                  "optimizer.preconditioner=" + words[0],
                  "curvature.rows=100000",
                  "curvature.cg.tolerance=1e-13",
                  "curvature.cg.iterations=5000"));
      if (words.length > 1) {
        all.add("curvature.damping=" + words[1]);
      }
      all.addAll(overrides);
      all.addAll(List.of(more));
      return Settings.load("contract", "", all);
    }

    Preconditioner preconditioner() {
      return Preconditioners.create(settings());
    }

    Kfac optimizer(Precision precision, String... more) {
      return (Kfac) Optimizers.create(settings(more), Machines.of(precision));
    }

    WideFactors wide() {
      return optimizer(Precision.DOUBLE).forms().wide();
    }

    boolean isRefused() {
      return REFUSALS.getOrDefault(entry, Set.of()).contains(kind);
    }

    @Override
    public String toString() {
      return entry + " " + String.join(" ", overrides) + " on " + kind;
    }
  }

  /** Those that serve their network. */
  static Stream<Case> cases() {
    return all().filter(each -> !each.isRefused());
  }

  static Stream<Case> all() {
    List<Case> cases = new ArrayList<>();
    for (String entry : Preconditioners.entries()) {
      List<List<String>> variants = new ArrayList<>(List.of(List.of()));
      if (entry.endsWith("ekfac")) {
        variants.add(List.of("curvature.scalings.source=mean-gradient"));
      }
      if (entry.startsWith("cgfac")) {
        variants.add(List.of("curvature.cg.operator=fisher", "curvature.window=3"));
      }
      if (entry.startsWith("two-level")) {
        variants.add(List.of("curvature.two-level.correction=residual"));
      }
      Preconditioner plain = new Case(entry, "", Networks.dense(), List.of()).preconditioner();
      boolean factors = plain.form() == BlockForm.KRONECKER || plain.form() == BlockForm.TRACES;
      if (factors && plain.coupling() == Coupling.NONE) {
        variants.add(List.of("curvature.widest-factor=4", "curvature.wide-factors=blocks"));
      }
      for (List<String> variant : variants) {
        cases.add(new Case(entry, "dense", Networks.dense(), variant));
        cases.add(new Case(entry, "convolution", Networks.convolution(), variant));
        cases.add(new Case(entry, "depthwise", Networks.depthwise(), variant));
        cases.add(new Case(entry, "residual", Networks.residual(), variant));
      }
    }
    return cases.stream();
  }

  @ParameterizedTest
  @MethodSource("all")
  void itServesEveryKindOfNetworkButWhatTheTableSays(Case each) {
    assertThat(Preconditioners.entries()).containsAll(REFUSALS.keySet());
    Kfac optimizer = each.optimizer(Precision.DOUBLE);
    if (each.isRefused()) {
      assertThatThrownBy(() -> optimizer.check(each.network))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining(each.entry.split(" ")[0]);
    } else {
      optimizer.check(each.network);
    }
  }

  private static Problem problem(Case each) {
    return Problem.random(3, each.network, COUNT);
  }

  /** A random vector over what is trained. */
  private static double[] vector(long key, Network network) {
    double[] v = new double[network.parameterCount()];
    for (ParameterBlock block : network.blocks()) {
      double[] part = Dense.normal(key + block.index(), block.shape().size());
      System.arraycopy(part, 0, v, block.offset(), part.length);
    }
    return v;
  }

  private static Inverted inverted(Case each, Problem problem, FisherType fisher) {
    return inverted(each, problem, problem.theta(5, 1), fisher, STRENGTH);
  }

  private static Inverted inverted(
      Case each, Problem problem, double[] theta, FisherType fisher, double strength) {
    return Inverted.of(
        Inverted.settings(each.preconditioner(), fisher, Machines.DOUBLE, each.wide()),
        problem,
        theta,
        strength);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void itIsALinearMapThatLeadsDownhill(Case each) {
    Problem problem = problem(each);
    double[] u = vector(8, each.network);
    double[] v = vector(9, each.network);
    for (FisherType fisher : FisherType.values()) {
      try (Inverted inverted = inverted(each, problem, fisher)) {
        double[] ofU = inverted.apply(u);
        double[] ofV = inverted.apply(v);
        double[] ofBoth = inverted.apply(Dense.plus(Dense.scaled(2, u), Dense.scaled(-3, v)));
        assertClose(
            each.toString(), ofBoth, Dense.plus(Dense.scaled(2, ofU), Dense.scaled(-3, ofV)), 1e-9);
        if (!each.overrides.contains("curvature.two-level.correction=residual")) {
          // P + Q − Q F̃ P, with P the fine map and Q = R₀ᵀ F_c⁻¹ R₀, need be neither symmetric nor
          // positive; what it promises instead is in TwoLevelTest and TwoLevelConvolutionTest.
          assertThat(Dense.dot(u, ofU)).isPositive();
          assertThat(Dense.dot(u, ofV))
              .isCloseTo(Dense.dot(v, ofU), within(1e-9 * Dense.norm(u) * Dense.norm(ofV)));
        }
        for (ParameterBlock block : each.network.statistics()) {
          for (int i = block.offset(); i < block.end(); i++) {
            assertThat(ofU[i]).isZero();
          }
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void moreDampingMakesShorterUpdatesAndMuchDampingDividesByIt(Case each) {
    if (each.entry.equals("none")) {
      return; // has no damping
    }
    Problem problem = problem(each);
    double[] v = vector(8, each.network);
    double before = Double.POSITIVE_INFINITY;
    for (double strength : new double[] {1e-2, 1, 100}) {
      try (Inverted inverted =
          inverted(each, problem, problem.theta(5, 1), FisherType.SAMPLED, strength)) {
        if (inverted.settings.preconditioner().scalings() != null) {
          inverted.inverse.damp(strength);
        }
        double along = Dense.dot(inverted.apply(v), v);
        assertThat(along).isLessThan(before);
        before = along;
      }
    }
    double much = 1e26;
    try (Inverted inverted =
        inverted(each, problem, problem.theta(5, 1), FisherType.SAMPLED, much)) {
      double[] times = Dense.scaled(much, inverted.apply(v));
      assertClose(each.toString(), times, withoutCurvature(each, v), Tolerance.F64);
    }
  }

  /** λ C⁻¹ v where damping is all there is of C. */
  private static double[] withoutCurvature(Case each, double[] v) {
    double[] result = v.clone();
    if (each.preconditioner() instanceof TwoLevelPreconditioner two
        && two.correction() == TwoLevelPreconditioner.Correction.ADDITIVE) {
      // F_c = λ R₀ R₀ᵀ: each block's mean is added to it. A residual there is none.
      for (ParameterBlock block : each.network.weightBlocks()) {
        double mean = Arrays.stream(v, block.offset(), block.end()).average().orElseThrow();
        for (int i = block.offset(); i < block.end(); i++) {
          result[i] += two.weight() * mean;
        }
      }
    }
    return result;
  }

  /** Dead inputs, gradients of zero, one example, equal examples, equal eigenvalues. */
  @ParameterizedTest
  @MethodSource("cases")
  void degenerateStatisticsAreNoTrouble(Case each) {
    Problem whole = problem(each);
    double[] theta = whole.theta(5, 1);
    int inputs = each.network.inputs();
    float[] dead = whole.features().clone();
    for (int i = 0; i < dead.length; i += inputs) {
      dead[i] = 0;
    }
    float[] twice = new float[dead.length];
    for (int i = 0; i < twice.length; i++) {
      twice[i] = whole.features()[i % (2 * inputs)];
    }
    int[] labels = new int[COUNT];
    List<Problem> problems =
        new ArrayList<>(
            List.of(
                new Problem(each.network, dead, whole.labels(), null),
                new Problem(each.network, twice, labels, null),
                new Problem(each.network, new float[dead.length], labels, null)));
    if (each.network.statistics().isEmpty()) {
      problems.add(new Problem(each.network, Arrays.copyOf(dead, inputs), new int[1], null));
    }
    double[] v = vector(8, each.network);
    for (Problem problem : problems) {
      for (double[] weights : List.of(theta, new double[theta.length])) {
        try (Inverted inverted = inverted(each, problem, weights, FisherType.SAMPLED, STRENGTH)) {
          double[] u = inverted.apply(v);
          assertThat(Arrays.stream(u).allMatch(Double::isFinite)).as(each.toString()).isTrue();
        }
      }
    }
  }

  /** Two optimizers of the same settings, one of which stops in the middle and is restored. */
  @ParameterizedTest
  @MethodSource("cases")
  void aSavedRunGoesOnBitForBit(Case each) {
    Problem problem = problem(each);
    for (Precision precision : Precision.values()) {
      Kfac settings =
          each.optimizer(
              precision,
              "curvature.inverse-period=4",
              "curvature.statistics-fraction=0.8",
              "curvature.cg.tolerance=1e-4",
              "curvature.cg.iterations=20");
      try (LocalObjective objective = problem.objective(precision)) {
        double[] expected = null;
        for (int stop : new int[] {0, 1, 6}) {
          double[] theta = run(settings, problem, objective, 9, stop);
          expected = expected == null ? theta : expected;
          assertThat(theta).as("%s after %d", each, stop).isEqualTo(expected);
        }
      }
    }
  }

  private static double[] run(
      Kfac settings, Problem problem, Objective objective, int iterations, int stop) {
    Optimizer.Run run = settings.start(problem.network(), problem.theta(5, 1), null);
    try {
      Batch batch = new Batch(COUNT, 1, 0, 10);
      for (int k = 1; k <= iterations; k++) {
        run.step(objective, batch, k);
        batch = batch.next(10);
        if (k == stop) {
          Snapshot snapshot = new Snapshot();
          run.save(snapshot);
          double[] theta = run.theta().clone();
          run.close();
          run = settings.start(problem.network(), theta, snapshot);
        }
      }
      return run.theta().clone();
    } finally {
      run.close();
    }
  }

  /** Every step rule and damping goes with it, and the loss goes down. */
  @ParameterizedTest
  @MethodSource("cases")
  void itTrainsWithEveryStepRuleAndDamping(Case each) {
    Problem problem = problem(each);
    List<List<String>> rules =
        List.of(
            List.of("optimizer.damping.initial=1"),
            List.of("optimizer.damping.initial=1", "optimizer.exact-momentum=false"),
            List.of(
                "optimizer.step=scheduled",
                "optimizer.learning-rate.initial=0.05",
                "optimizer.momentum.value=0.5",
                "optimizer.damping.rule=fixed",
                "optimizer.damping.initial=0.1"),
            List.of(
                "optimizer.damping.rule=exponential",
                "optimizer.damping.initial=100",
                "optimizer.damping.rate=0.95",
                "curvature.relative-damping.enabled=true"));
    for (List<String> rule : rules) {
      if (each.entry.equals("none") && rule.contains("curvature.relative-damping.enabled=true")) {
        continue; // relative to nothing
      }
      Kfac settings = each.optimizer(Precision.DOUBLE, rule.toArray(String[]::new));
      try (LocalObjective objective = problem.objective();
          Optimizer.Run run = settings.start(each.network, problem.theta(5, 1), null)) {
        double first = 0;
        double last = 0;
        for (int k = 1; k <= 12; k++) {
          last = run.step(objective, problem.all(), k).loss();
          first = k == 1 ? last : first;
        }
        assertThat(last).as("%s with %s", each, rule).isLessThan(first);
      }
    }
  }

  /** What a task sees of the data does not show in the update. */
  @ParameterizedTest
  @MethodSource("cases")
  void partitionsDoNotMatter(Case each) {
    if (!each.network.statistics().isEmpty()) {
      return; // batch normalisation takes its statistics within a partition
    }
    Problem problem = problem(each);
    Kfac settings =
        each.optimizer(
            Precision.DOUBLE,
            "curvature.inverse-period=2",
            // With fewer examples in the statistics than in the gradient, eigenvectors of the
            // eigenvalue 0 are a matter of rounding and EKFAC-ra sees them.
            "curvature.statistics-fraction=1");
    try (LocalObjective one = problem.objective(Precision.DOUBLE, 100, 0, COUNT);
        LocalObjective many = problem.objective(Precision.DOUBLE, 3, 0, 1, 1, 7, COUNT)) {
      assertClose(
          each.toString(),
          run(settings, problem, one, 5, 0),
          run(settings, problem, many, 5, 0),
          Tolerance.ITERATIONS);
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void tablesSayWhatItIs(Case each) {
    Preconditioner preconditioner = each.preconditioner();
    assertThat(preconditioner.describe()).isNotBlank().hasSizeLessThan(40);
    for (ParameterBlock block : each.network.weightBlocks()) {
      assertThat(each.optimizer(Precision.DOUBLE).factors(block)).isNotBlank();
    }
  }
}
