package org.kfac4j.optimizer;

import java.io.Serializable;
import org.kfac4j.Check;

/**
 * How the eigenvalues s of a Fisher block in a fixed eigenbasis are estimated between refreshes of
 * the basis. George et al. 2018, arXiv:1806.03884, algorithm 1; Gao et al. 2020, arXiv:2011.13609,
 * eq. 3.8.
 *
 * @param period iterations between estimates
 * @param average weight of the past in a running average, 0 for the last estimate alone
 */
public record Scalings(Source source, int period, double average) implements Serializable {
  /** What an estimate is made of. */
  public enum Source {
    /** The examples of the statistics: s = E[(U_Aᵀ Y U_G)∘²], Y the gradient of one example. */
    EXAMPLES,
    /**
     * The mean gradient M of a batch of N: N (U_Aᵀ M U_G)∘², which has the same expectation where
     * that of the gradient is zero. EKFAC-ra.
     */
    MEAN_GRADIENT
  }

  public Scalings {
    Check.that(period >= 1, "curvature.scalings.period must be at least 1, got %d", period);
    Check.that(
        0 <= average && average < 1,
        "curvature.scalings.%s must be in [0, 1), got %s",
        source == Source.EXAMPLES ? "average" : "gradient-average",
        average);
  }

  boolean isDue(int k) {
    return (k - 1) % period == 0;
  }
}
