package org.kfac4j.optimizer;

import static java.util.Objects.requireNonNull;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.kfac4j.InvalidInputException;
import org.kfac4j.Settings;
import org.kfac4j.curvature.BlockForm;
import org.kfac4j.curvature.BlockForms;
import org.kfac4j.curvature.Coupling;
import org.kfac4j.curvature.FisherType;
import org.kfac4j.curvature.WideFactors;
import org.kfac4j.network.WeightSharing;

/** The optimizers that a configuration can name: one line each. */
public final class Optimizers {
  /** By {@code optimizer.name}. */
  private static final Map<String, Factory> OPTIMIZERS =
      Map.of(
          "kfac", Optimizers::kfac,
          "sgd",
              (settings, machine) -> new FirstOrder(new FirstOrder.Sgd(), learningRate(settings)),
          "momentum",
              (settings, machine) ->
                  new FirstOrder(
                      new FirstOrder.Momentum(momentum(settings), false), learningRate(settings)),
          "nesterov",
              (settings, machine) ->
                  new FirstOrder(
                      new FirstOrder.Momentum(momentum(settings), true), learningRate(settings)),
          "adam", (settings, machine) -> new FirstOrder(adam(settings), learningRate(settings)),
          "lars", (settings, machine) -> new FirstOrder(lars(settings), learningRate(settings)),
          "lamb", (settings, machine) -> new FirstOrder(lamb(settings), learningRate(settings)),
          "lbfgs",
              (settings, machine) ->
                  new Lbfgs(
                      settings.positiveInt("optimizer.lbfgs.history"),
                      settings.positiveInt("optimizer.lbfgs.evaluations")));

  private Optimizers() {}

  @FunctionalInterface
  private interface Factory {
    Optimizer create(Settings settings, DenseMachine machine);
  }

  /** The learning-rate schedules, by {@code optimizer.learning-rate.schedule}. */
  private enum Decay {
    CONSTANT,
    STEP,
    COSINE,
    POLYNOMIAL
  }

  private enum MomentumRule {
    CONSTANT,
    SUTSKEVER
  }

  private enum StepKind {
    EXACT,
    SCHEDULED
  }

  private enum DampingKind {
    LEVENBERG_MARQUARDT,
    FIXED,
    EXPONENTIAL
  }

  private enum Search {
    AUTO,
    TRUE,
    FALSE
  }

  private enum ScaleForm {
    EXACT(BlockForm.EXACT),
    DIAGONAL(BlockForm.DIAGONAL);

    private final BlockForm form;

    ScaleForm(BlockForm form) {
      this.form = form;
    }
  }

  /**
   * The optimizer that the settings' blocks {@code optimizer} and {@code curvature} describe.
   *
   * @throws InvalidInputException naming the key, the rule and the value of what does not fit
   */
  public static Optimizer create(Settings settings, DenseMachine machine) {
    String name = settings.choice("optimizer.name", OPTIMIZERS.keySet());
    try {
      return requireNonNull(OPTIMIZERS.get(name)).create(settings, machine);
    } catch (IllegalArgumentException e) {
      throw new InvalidInputException(String.valueOf(e.getMessage()), e);
    }
  }

  private static Kfac kfac(Settings settings, DenseMachine machine) {
    Preconditioner preconditioner = Preconditioners.create(settings);
    checkScalings(preconditioner.scalings(), settings.positiveInt("curvature.inverse-period"));
    StepRule step = stepRule(settings);
    RelativeDamping relative =
        settings.flag("curvature.relative-damping.enabled")
            ? new RelativeDamping(settings.positive("curvature.relative-damping.floor"))
            : null;
    return new Kfac(
        preconditioner,
        new Kfac.Statistics(
            settings.choice("curvature.fisher", FisherType.class),
            settings.doubleValue("curvature.statistics-fraction"),
            settings.positiveInt("curvature.statistics-period"),
            settings.doubleValue("curvature.average"),
            settings.doubleValue("curvature.average-epochs"),
            new BlockForms(
                BlockForm.KRONECKER,
                Coupling.NONE,
                settings.choice("curvature.weight-sharing", WeightSharing.class),
                settings.choice("curvature.scales", ScaleForm.class).form,
                settings.flag("curvature.strict"),
                settings.positiveInt("curvature.rows"),
                new WideFactors(
                    settings.positiveInt("curvature.widest-factor"),
                    settings.choice("curvature.wide-factors", WideFactors.Rule.class))),
            settings.positiveInt("curvature.window")),
        new Kfac.Inverses(
            settings.positiveInt("curvature.inverse-period"),
            switch (settings.choice("curvature.gamma-search", Search.class)) {
              case TRUE -> true;
              case FALSE -> false;
              case AUTO ->
                  preconditioner.hasGamma() && step instanceof StepRule.Exact && relative == null;
            },
            settings.positiveInt("curvature.gamma-period"),
            settings.choice("curvature.placement", Placement.class)),
        damping(settings),
        relative,
        step,
        settings.longValue("training.seed"),
        machine);
  }

  /** Mean gradients do not count in iterations that make a new basis: another must be due. */
  private static void checkScalings(@Nullable Scalings scalings, int inversePeriod) {
    InvalidInputException.require(
        scalings == null
            || scalings.source() != Scalings.Source.MEAN_GRADIENT
            || (inversePeriod >= 2 && scalings.period() <= inversePeriod),
        "curvature.scalings.source = mean-gradient needs curvature.inverse-period of at least 2 and of at least curvature.scalings.period, or a basis would never get eigenvalues of its own, got %d and %d",
        inversePeriod,
        scalings == null ? 0 : scalings.period());
  }

  private static Damping damping(Settings settings) {
    double initial = settings.positiveOr("optimizer.damping.initial", DefaultDamping.of(settings));
    return switch (settings.choice("optimizer.damping.rule", DampingKind.class)) {
      case LEVENBERG_MARQUARDT ->
          new Damping.LevenbergMarquardt(
              initial,
              settings.positive("optimizer.damping.minimum"),
              settings.positive("optimizer.damping.maximum"),
              settings.positiveInt("optimizer.damping.period"),
              settings.positive("optimizer.damping.decay"),
              settings.flag("optimizer.damping.ratio-includes-damping"));
      case FIXED -> new Damping.Scheduled(Schedule.constant(initial));
      case EXPONENTIAL ->
          new Damping.Scheduled(
              Schedule.exponential(initial, settings.positive("optimizer.damping.rate")));
    };
  }

  private static StepRule stepRule(Settings settings) {
    return switch (settings.choice("optimizer.step", StepKind.class)) {
      case EXACT ->
          new StepRule.Exact(
              settings.doubleValue("curvature.products-fraction"),
              settings.flag("optimizer.exact-momentum"));
      case SCHEDULED ->
          new StepRule.Scheduled(
              learningRate(settings),
              momentum(settings),
              settings.nonNegative("optimizer.kl-clip"));
    };
  }

  private static FirstOrder.Adam adam(Settings settings) {
    return new FirstOrder.Adam(
        settings.doubleValue("optimizer.adam.beta1"),
        settings.doubleValue("optimizer.adam.beta2"),
        settings.doubleValue("optimizer.adam.epsilon"));
  }

  private static Lars lars(Settings settings) {
    return new Lars(
        momentum(settings),
        settings.doubleValue("optimizer.lars.trust"),
        settings.doubleValue("optimizer.lars.weight-decay"));
  }

  private static Lamb lamb(Settings settings) {
    return new Lamb(
        settings.doubleValue("optimizer.lamb.beta1"),
        settings.doubleValue("optimizer.lamb.beta2"),
        settings.doubleValue("optimizer.lamb.epsilon"),
        settings.doubleValue("optimizer.lamb.weight-decay"));
  }

  private static Schedule learningRate(Settings settings) {
    String at = "optimizer.learning-rate.";
    double initial = settings.positive(at + "initial");
    double last = settings.nonNegative(at + "final");
    int end = settings.nonNegativeInt(at + "decay-iterations");
    int iterations = end == 0 ? settings.positiveInt("training.iterations") : end;
    Schedule decay =
        switch (settings.choice(at + "schedule", Decay.class)) {
          case CONSTANT -> Schedule.constant(initial);
          case STEP ->
              Schedule.step(
                  initial, settings.positive(at + "factor"), settings.positiveInt(at + "period"));
          case COSINE -> Schedule.cosine(initial, last, iterations);
          case POLYNOMIAL ->
              Schedule.polynomial(initial, last, settings.positive(at + "power"), iterations);
        };
    return decay.warmedUp(settings.nonNegativeInt(at + "warmup"));
  }

  private static Schedule momentum(Settings settings) {
    double value = settings.between("optimizer.momentum.value", 0, 1, true, false);
    return settings.choice("optimizer.momentum.schedule", MomentumRule.class)
            == MomentumRule.CONSTANT
        ? Schedule.constant(value)
        : Schedule.sutskever(value);
  }
}
