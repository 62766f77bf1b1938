package org.kfac4j.verify;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.kfac4j.curvature.SumNames;
import org.kfac4j.curvature.Sums;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.ParameterRole;

/**
 * One mistake in an objective's sums: the largest number of one of them, or every one, is off by
 * some factor.
 *
 * @param name of the sum
 */
record BrokenSums(String name, double factor, boolean everywhere) implements UnaryOperator<Sums> {
  @Override
  public Sums apply(Sums sums) {
    Sums more = new Sums();
    if (sums.hasVector(name)) {
      more.put(name, error(sums.mean(name, 1)));
      return sums.merge(more);
    }
    Map<String, Double> scalars = new TreeMap<>();
    sums.forEachScalar(scalars::put);
    if (!scalars.containsKey(name)) {
      return sums;
    }
    more.put(name, (factor - 1) * scalars.get(name));
    return sums.merge(more);
  }

  private double[] error(double[] right) {
    int at = 0;
    for (int i = 0; i < right.length; i++) {
      at = Math.abs(right[i]) > Math.abs(right[at]) ? i : at;
    }
    double[] error = new double[right.length];
    for (int i = 0; i < right.length; i++) {
      error[i] = everywhere || i == at ? (factor - 1) * right[i] : 0;
    }
    return error;
  }

  /** A mistake and the check that has to notice it. */
  record Mistake(BrokenSums sums, String check) {
    private static Mistake inOne(String sum, String check) {
      return new Mistake(new BrokenSums(sum, 1.001, false), check);
    }

    private static Mistake inAll(String sum, String check) {
      return new Mistake(new BrokenSums(sum, 1.001, true), check);
    }
  }

  /** In all kinds of sums that a network has. */
  static List<Mistake> mistakes(Network network) {
    List<Mistake> mistakes = new ArrayList<>();
    mistakes.add(Mistake.inOne(SumNames.LOSS, "loss"));
    if (network.statistics().isEmpty()) {
      mistakes.add(Mistake.inOne(SumNames.GRADIENT, "gradient"));
    } else {
      // The largest number need not be of what is trained.
      mistakes.add(Mistake.inAll(SumNames.GRADIENT, "gradient"));
      mistakes.add(Mistake.inAll(SumNames.GRADIENT, "running averages"));
    }
    mistakes.add(Mistake.inOne(SumNames.product(0, 1), "Fisher products"));
    mistakes.add(Mistake.inOne(SumNames.product(0, 0), "Fisher products"));
    ParameterBlock first = network.weightBlocks().get(0);
    mistakes.add(Mistake.inOne(SumNames.weightedInputs(first), "tkfac factored: trace"));
    mistakes.add(Mistake.inOne(SumNames.trace(first), "tkfac factored: trace"));
    mistakes.add(Mistake.inOne(SumNames.diagonal(first), "diagonal: diagonal"));
    mistakes.add(Mistake.inOne(SumNames.scalings(first), "ekfac: scalings"));
    boolean several = network.layers().get(first.layer()).outputShape().positions() > 1;
    String factors = several ? "kfac reduce: factors" : "kfac: exact for one example";
    mistakes.add(Mistake.inOne(SumNames.inputs(first), factors));
    mistakes.add(Mistake.inOne(SumNames.gradients(first), factors));
    // In all, because moments of a layer with itself are not used; or, where it has several
    // positions, scale those with others so that the coarse matrix hardly changes.
    String coarse = several ? "two-level factored: residual" : "two-level factored: additive";
    mistakes.add(Mistake.inAll(SumNames.coarseInputs(first), coarse));
    mistakes.add(Mistake.inAll(SumNames.coarseGradients(first), "two-level eigen: residual"));
    for (ParameterBlock block : network.blocks()) {
      if (block.shape().role() == ParameterRole.SCALES) {
        mistakes.add(Mistake.inOne(SumNames.exact(block), "scales: Fisher block"));
        mistakes.add(Mistake.inOne(SumNames.diagonal(block), "scales: diagonal"));
      }
    }
    return mistakes;
  }

  /** In sums that only a chain of dense layers has. */
  static List<Mistake> mistakesOfChains(Network network) {
    ParameterBlock first = network.weightBlocks().get(0);
    ParameterBlock second = network.weightBlocks().get(1);
    String check = "kfac-tridiagonal factored: chain";
    return List.of(
        Mistake.inOne(SumNames.crossInputs(first, second), check),
        Mistake.inOne(SumNames.crossGradients(first, second), check));
  }
}
