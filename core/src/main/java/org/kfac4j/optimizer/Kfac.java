package org.kfac4j.optimizer;

import java.io.Serializable;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.kfac4j.Check;
import org.kfac4j.Snapshot;
import org.kfac4j.curvature.BlockForm;
import org.kfac4j.curvature.BlockForms;
import org.kfac4j.curvature.FisherType;
import org.kfac4j.curvature.RunningAverage;
import org.kfac4j.data.Batch;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.ParameterRole;

/**
 * K-FAC, Martens and Grosse 2015, arXiv:1503.05671, algorithm 2, with any {@link Preconditioner} of
 * its family; and with a {@link StepRule.Scheduled} step its variant for stochastic training.
 *
 * @param preconditioner form of the inverse
 * @param statistics what A and G are estimated from
 * @param inverses when inverses are made and γ is searched
 * @param damping λ
 * @param relativeDamping what makes λ relative to layers' curvature, or null
 * @param stepRule α and μ
 * @param seed of sampled targets
 * @param machine what the driver computes with
 */
public record Kfac(
    Preconditioner preconditioner,
    Statistics statistics,
    Inverses inverses,
    Damping damping,
    @Nullable RelativeDamping relativeDamping,
    StepRule stepRule,
    long seed,
    DenseMachine machine)
    implements Optimizer {
  /** With one λ for all layers. */
  public Kfac(
      Preconditioner preconditioner,
      Statistics statistics,
      Inverses inverses,
      Damping damping,
      StepRule stepRule,
      long seed,
      DenseMachine machine) {
    this(preconditioner, statistics, inverses, damping, null, stepRule, seed, machine);
  }

  public Kfac {
    Check.that(
        relativeDamping == null || preconditioner.form() != BlockForm.NONE,
        "curvature.relative-damping.enabled = true needs a preconditioner with curvature: there is none to be relative to");
    Check.that(
        !inverses.gammaSearch || relativeDamping == null,
        "curvature.gamma-search = true needs curvature.relative-damping.enabled = false: γ would take the place of every layer's own damping");
    Check.that(
        !(damping instanceof Damping.LevenbergMarquardt) || stepRule instanceof StepRule.Exact,
        "optimizer.damping.rule = levenberg-marquardt needs optimizer.step = exact: its ratio compares with the exact step's model");
    Check.that(
        !inverses.gammaSearch || preconditioner.hasGamma(),
        "curvature.gamma-search = true needs a preconditioner with factored damping: there is no γ in %s",
        preconditioner.describe());
    Check.that(
        !inverses.gammaSearch || stepRule instanceof StepRule.Exact,
        "curvature.gamma-search = true needs optimizer.step = exact: candidates are compared by its model");
  }

  /**
   * @param fraction τ1 of the batch
   * @param period iterations between statistics
   * @param average cap of the running average's weight on the past
   * @param averageEpochs epochs in which the past's weight falls by e, in the place of the cap; 0
   *     for the cap
   * @param forms what is kept of each block's Fisher matrix; the preconditioner says what of
   *     weights
   * @param window batches that rows are kept of
   */
  public record Statistics(
      FisherType fisher,
      double fraction,
      int period,
      double average,
      double averageEpochs,
      BlockForms forms,
      int window)
      implements Serializable {
    /** With {@link BlockForms#DEFAULT}. */
    public Statistics(FisherType fisher, double fraction, int period, double average) {
      this(fisher, fraction, period, average, 0, BlockForms.DEFAULT, 1);
    }

    /** With rows of one batch. */
    public Statistics(
        FisherType fisher,
        double fraction,
        int period,
        double average,
        double averageEpochs,
        BlockForms forms) {
      this(fisher, fraction, period, average, averageEpochs, forms, 1);
    }

    public Statistics {
      Check.that(
          0 < fraction && fraction <= 1,
          "curvature.statistics-fraction must be in (0, 1], got %s",
          fraction);
      Check.that(period >= 1, "curvature.statistics-period must be at least 1, got %d", period);
      Check.that(
          0 <= average && average < 1, "curvature.average must be in [0, 1), got %s", average);
      Check.that(window >= 1, "curvature.window must be at least 1, got %d", window);
      Check.that(
          0 <= averageEpochs && Double.isFinite(averageEpochs),
          "curvature.average-epochs must be finite and not negative, got %s",
          averageEpochs);
    }

    boolean isDue(int k) {
      return (k - 1) % period == 0;
    }

    /** The weight on the past of the {@code updates}-th update, with {@code batch}'s statistics. */
    double weightOfPast(long updates, Batch batch) {
      double cap =
          averageEpochs == 0
              ? average
              : RunningAverage.capByEpochs(averageEpochs, batch.count(), batch.size());
      return RunningAverage.weightOfPast(updates, cap, period);
    }
  }

  /**
   * @param period T3: iterations between inverses, which are also made in the first three
   * @param gammaSearch whether γ is searched every T2 iterations, §6.6; otherwise γ = sqrt(λ + η)
   * @param gammaPeriod T2, a multiple of T3
   * @param placement where they are made
   */
  public record Inverses(int period, boolean gammaSearch, int gammaPeriod, Placement placement)
      implements Serializable {
    /** On the driver. */
    public Inverses(int period, boolean gammaSearch, int gammaPeriod) {
      this(period, gammaSearch, gammaPeriod, Placement.DRIVER);
    }

    /** Iterations at the start in which statistics change so much that inverses are always made. */
    public static final int WARM_UP = 3;

    public Inverses {
      Check.that(period >= 1, "curvature.inverse-period must be at least 1, got %d", period);
      Check.that(
          !gammaSearch || (gammaPeriod >= 1 && gammaPeriod % period == 0),
          "curvature.gamma-period must be a multiple of curvature.inverse-period (%d), got %d",
          period,
          gammaPeriod);
    }

    boolean isDue(int k) {
      return k <= WARM_UP || k % period == 0;
    }

    boolean isSearchDue(int k) {
      return gammaSearch && k % gammaPeriod == 0;
    }

    /** ω2 = (√(19/20))^T2, the factor between candidates of γ. */
    double omega() {
      return Math.pow(Math.sqrt(19.0 / 20), gammaPeriod);
    }
  }

  /** What is kept of each block's Fisher matrix. */
  BlockForms forms() {
    return statistics.forms.withWeights(preconditioner.form(), preconditioner.coupling());
  }

  /** Rough number of multiplications that inverting and preconditioning a block take. */
  double cost(ParameterBlock block) {
    BlockForms forms = forms();
    return switch (forms.of(block)) {
      case KRONECKER, TRACES ->
          LayerPool.cost(
              block, forms.inputBlocks(block).width(0), forms.gradientBlocks(block).width(0));
      default -> LayerPool.cost(block);
    };
  }

  /** Whether executors, where there are any, make the inverses of layers of weights. */
  public boolean invertsOnExecutors(Network network) {
    double costliest = network.weightBlocks().stream().mapToDouble(this::cost).max().orElse(0);
    return !preconditioner.isAlwaysFresh()
        && preconditioner.form() != BlockForm.NONE
        && inverses.placement.usesWorkers(costliest);
  }

  @Override
  public void check(Network network) {
    preconditioner.check(network);
    BlockForms forms = forms();
    network.weightBlocks().forEach(forms::checkWidth);
    if (!statistics.forms.strict()) {
      return;
    }
    for (ParameterBlock block : network.blocks()) {
      Check.that(
          forms.of(block) != BlockForm.DIAGONAL,
          "curvature.strict = true refuses layer %s: it would only get the diagonal of its Fisher block",
          block.name());
    }
  }

  @Override
  public Footprint footprint(Network network) {
    Footprint all = Footprint.NONE;
    for (ParameterBlock block : network.blocks()) {
      long n = block.shape().size();
      all =
          all.plus(
              block.shape().role() == ParameterRole.WEIGHTS
                  ? preconditioner.footprint(network, block, statistics)
                  : switch (forms().of(block)) {
                    case EXACT ->
                        new Footprint(
                            n * (n + 1) / 2,
                            n * n,
                            n * (n + 1) / 2,
                            0,
                            List.of(block.shape().size()),
                            List.of());
                    case DIAGONAL -> Footprint.ofNumbers(2 * n, 0, n);
                    default -> Footprint.NONE;
                  });
    }
    return all;
  }

  /** θ, the next θ, the update and the last one, the gradient and its sum, and directions. */
  @Override
  public int vectors() {
    return 7 + (inverses.gammaSearch ? 3 : 1);
  }

  @Override
  public Run start(Network network, double[] theta, @Nullable Snapshot saved) {
    return new KfacRun(this, network, theta, saved);
  }

  @Override
  public String describe(Network network, int layer) {
    List<String> forms =
        network.blocks().stream()
            .filter(block -> block.layer() == layer)
            .map(this::describe)
            .distinct()
            .toList();
    return forms.isEmpty() ? "–" : String.join(", ", forms);
  }

  @Override
  public String factors(ParameterBlock block) {
    if (block.shape().role() == ParameterRole.WEIGHTS) {
      return preconditioner.size(block, forms());
    }
    return switch (forms().of(block)) {
      case EXACT -> block.shape().size() + "²";
      case DIAGONAL -> String.valueOf(block.shape().size());
      default -> "–";
    };
  }

  private String describe(ParameterBlock block) {
    if (block.shape().role() == ParameterRole.WEIGHTS) {
      return preconditioner.describe();
    }
    return switch (forms().of(block)) {
      case EXACT -> "exact block";
      case DIAGONAL -> "diagonal only";
      default -> "plain gradient";
    };
  }
}
