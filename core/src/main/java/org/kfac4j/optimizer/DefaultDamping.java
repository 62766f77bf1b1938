package org.kfac4j.optimizer;

import java.util.Map;
import org.kfac4j.Settings;

/**
 * λ at the start where the settings do not say it. It falls by a quarter every five iterations at
 * most, so that where it starts decides how many iterations are spent on getting it down.
 */
public final class DefaultDamping {
  /** By {@code data.task}. The autoencoder's is that of arXiv:1503.05671 §6.5. */
  private static final Map<String, Double> BY_TASK = Map.of("autoencoder", 150.0);

  private static final double OTHERWISE = 0.1;

  private DefaultDamping() {}

  /** λ at the start for the task that the settings name. */
  public static double of(Settings settings) {
    return BY_TASK.getOrDefault(settings.text("data.task"), OTHERWISE);
  }
}
