package org.kfac4j.cost;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.kfac4j.InvalidInputException;
import org.kfac4j.curvature.BlockForm;
import org.kfac4j.linalg.Precision;
import org.kfac4j.network.Network;
import org.kfac4j.optimizer.Damping;
import org.kfac4j.optimizer.FirstOrder;
import org.kfac4j.optimizer.Footprint;
import org.kfac4j.optimizer.Kfac;
import org.kfac4j.optimizer.Optimizer;
import org.kfac4j.optimizer.Scalings;
import org.kfac4j.optimizer.StepRule;

/**
 * What iterations of one network and optimizer have to do, by counting.
 *
 * @param examples N of the training set
 * @param parameters numbers of θ and of a gradient
 * @param sums further numbers of a task that sends statistics
 * @param bases numbers that are broadcast at a refresh
 * @param numberBytes of a number on its way from and to tasks
 * @param directions vectors that products come with
 * @param passes by kind: what share of the batch they visit, in what share of the iterations
 * @param inversePeriod iterations between inverses, 0 for none
 * @param searchPeriod iterations between searches of γ, which make two more inverses, 0 for none
 * @param layerCosts rough relative costs of inverting each layer, r³ + c³
 * @param remoteInverses whether executors make inverses, where there are executors
 * @param remoteMaps whether they keep them, and so precondition
 * @param sentAverages bytes of averages that are sent to whoever inverts, all layers together
 */
public record IterationWork(
    long examples,
    long parameters,
    long sums,
    long bases,
    int numberBytes,
    int directions,
    Map<PassKind, Pass> passes,
    int inversePeriod,
    int searchPeriod,
    List<Double> layerCosts,
    boolean remoteInverses,
    boolean remoteMaps,
    long sentAverages) {
  /**
   * @param fraction of the batch that is visited
   * @param share of the iterations that have it
   */
  public record Pass(double fraction, double share) {}

  public IterationWork {
    passes = Map.copyOf(passes);
    layerCosts = List.copyOf(layerCosts);
  }

  /**
   * Counts.
   *
   * @param examples N of the training set
   * @throws InvalidInputException if an iteration of that optimizer has no fixed number of passes
   */
  public static IterationWork of(
      Network network, Optimizer optimizer, Precision precision, long examples) {
    int bytes = precision == Precision.FLOAT ? Float.BYTES : Double.BYTES;
    long parameters = network.parameterCount();
    Map<PassKind, Pass> passes = new LinkedHashMap<>();
    passes.put(PassKind.GRADIENT, new Pass(1, 1));
    if (optimizer instanceof FirstOrder) {
      return new IterationWork(
          examples, parameters, 0, 0, bytes, 0, passes, 0, 0, List.of(), false, false, 0);
    }
    InvalidInputException.require(
        optimizer instanceof Kfac,
        "the cost of an iteration is modelled for optimizers with a fixed number of passes, not for optimizer.name = lbfgs");
    Kfac kfac = (Kfac) optimizer;
    Kfac.Statistics statistics = kfac.statistics();
    boolean curved = kfac.preconditioner().form() != BlockForm.NONE;
    boolean fresh = kfac.preconditioner().isAlwaysFresh();
    int period = !curved ? 0 : fresh ? 1 : kfac.inverses().period();
    Scalings scalings = kfac.preconditioner().scalings();
    boolean byExamples = scalings != null && scalings.source() == Scalings.Source.EXAMPLES;
    if (curved) {
      int every =
          scalings != null && byExamples
              ? Math.min(statistics.period(), scalings.period())
              : statistics.period();
      passes.put(PassKind.STATISTICS, new Pass(statistics.fraction(), 1.0 / every));
    }
    int directions = 0;
    if (kfac.stepRule() instanceof StepRule.Exact exact) {
      passes.put(PassKind.PRODUCTS, new Pass(exact.fraction(), 1));
      directions = exact.momentum() ? 2 : 1;
    }
    if (kfac.damping() instanceof Damping.LevenbergMarquardt rule) {
      passes.put(PassKind.LOSS, new Pass(1, 1.0 / rule.period()));
    }
    if (byExamples) {
      passes.put(PassKind.CURVATURE, new Pass(statistics.fraction(), 1.0 / period));
    }
    Footprint footprint = kfac.footprint(network);
    boolean remote = kfac.invertsOnExecutors(network);
    return new IterationWork(
        examples,
        parameters,
        footprint.sums(),
        footprint.bases(),
        bytes,
        directions,
        passes,
        period,
        kfac.inverses().gammaSearch() ? kfac.inverses().gammaPeriod() : 0,
        network.weightBlocks().stream()
            .map(block -> Math.pow(block.rows(), 3) + Math.pow(block.columns(), 3))
            .toList(),
        remote,
        remote && kfac.preconditioner().mapsMayStayAway(),
        Double.BYTES * footprint.heap());
  }

  /** Inverses that iteration {@code k}, in which some are made, makes of each layer. */
  int candidates(int k) {
    return searchPeriod > 0 && k % searchPeriod == 0 ? 3 : 1;
  }

  /** Examples of the slowest task of a pass, expected: see {@link CostModel}. */
  double slowestExamples(PassKind kind, double batch, int partitions) {
    return Straggler.examples(fraction(kind) * batch, (double) examples, partitions);
  }

  double fraction(PassKind kind) {
    Pass pass = passes.get(kind);
    return pass == null ? 0 : pass.fraction();
  }
}
