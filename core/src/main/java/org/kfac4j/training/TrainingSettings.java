package org.kfac4j.training;

import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;
import org.kfac4j.Check;
import org.kfac4j.InvalidInputException;
import org.kfac4j.Settings;

/**
 * When training evaluates, checkpoints and stops.
 *
 * @param iterations at most
 * @param seed of batches
 * @param averaging ξ of the averaged weights θ̄, 0 for none
 * @param evaluateEvery iterations between evaluations, 0 for only the last
 * @param checkpointEvery iterations between checkpoints, 0 for none
 * @param patience evaluations without improvement until training stops, 0 for no such stop
 * @param target test error or accuracy at which training stops, or null
 * @param restoreBest whether the result is the best evaluation's weights instead of the last ones
 * @param divergenceFactor training stops as diverged when the loss exceeds the first one this many
 *     times
 * @param seconds of training after which it stops, 0 for no such limit
 */
public record TrainingSettings(
    int iterations,
    long seed,
    double averaging,
    int evaluateEvery,
    int checkpointEvery,
    int patience,
    @Nullable Double target,
    boolean restoreBest,
    double divergenceFactor,
    double seconds) {
  /** Without a limit of time. */
  public TrainingSettings(
      int iterations,
      long seed,
      double averaging,
      int evaluateEvery,
      int checkpointEvery,
      int patience,
      @Nullable Double target,
      boolean restoreBest,
      double divergenceFactor) {
    this(
        iterations,
        seed,
        averaging,
        evaluateEvery,
        checkpointEvery,
        patience,
        target,
        restoreBest,
        divergenceFactor,
        0);
  }

  /**
   * What the block {@code training} of the settings says.
   *
   * @throws InvalidInputException naming key, rule and value of what breaks a rule
   */
  public static TrainingSettings from(Settings settings) {
    OptionalDouble target = settings.optionalNumber("training.target");
    return new TrainingSettings(
        settings.positiveInt("training.iterations"),
        settings.longValue("training.seed"),
        settings.between("training.averaging", 0, 1, true, false),
        settings.nonNegativeInt("training.evaluate-every"),
        settings.nonNegativeInt("training.checkpoint-every"),
        settings.nonNegativeInt("training.patience"),
        target.isPresent() ? (Double) target.getAsDouble() : null,
        settings.flag("training.restore-best"),
        settings.positive("training.divergence-factor"),
        settings.nonNegative("training.seconds"));
  }

  public TrainingSettings {
    Check.that(
        seconds >= 0 && Double.isFinite(seconds),
        "training.seconds must be finite and not negative, got %s",
        seconds);
    Check.that(iterations >= 1, "training.iterations must be at least 1, got %d", iterations);
    Check.that(
        0 <= averaging && averaging < 1, "training.averaging must be in [0, 1), got %s", averaging);
    Check.that(
        divergenceFactor > 1,
        "training.divergence-factor must be above 1, got %s",
        divergenceFactor);
  }
}
