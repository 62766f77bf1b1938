package org.kfac4j.verify;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.kfac4j.curvature.Request;
import org.kfac4j.curvature.SumNames;
import org.kfac4j.curvature.Sums;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.optimizer.Objective;
import org.kfac4j.optimizer.Phases;

/**
 * An objective with one mistake: the first number of a sum is off by some factor.
 *
 * @param name of the sum
 */
public record BrokenObjective(Objective objective, Network network, String name, double factor)
    implements Objective {
  private Sums broken(Sums sums) {
    if (sums.hasVector(name)) {
      return withVector(sums);
    }
    Map<String, Double> scalars = new TreeMap<>();
    sums.forEachScalar(scalars::put);
    if (!scalars.containsKey(name)) {
      return sums;
    }
    Sums more = new Sums();
    more.put(name, (factor - 1) * scalars.get(name));
    return sums.merge(more);
  }

  private Sums withVector(Sums sums) {
    double[] wrong = new double[sums.mean(name, 1).length];
    int at = 0;
    double[] right = sums.mean(name, 1);
    for (int i = 0; i < right.length; i++) {
      at = Math.abs(right[i]) > Math.abs(right[at]) ? i : at;
    }
    wrong[at] = (factor - 1) * right[at];
    Sums more = new Sums();
    more.put(name, wrong);
    return sums.merge(more);
  }

  @Override
  public long size() {
    return objective.size();
  }

  @Override
  public Point at(double[] theta) {
    Point point = objective.at(theta);
    return new Point() {
      @Override
      public Sums evaluate(Request request, Vectors vectors) {
        return broken(point.evaluate(request, vectors));
      }

      @Override
      public Sums evaluate(Request request, List<double[]> vectors) {
        return broken(point.evaluate(request, vectors));
      }

      @Override
      public void close() {
        point.close();
      }
    };
  }

  @Override
  public Vectors prepare(List<double[]> vectors) {
    return objective.prepare(vectors);
  }

  @Override
  public Phases phases() {
    return objective.phases();
  }

  @Override
  public void close() {
    objective.close();
  }

  /** Names of sums with a mistake each, and the check that has to notice it. */
  public static Map<String, String> mistakes(Network network) {
    ParameterBlock first = network.weightBlocks().get(0);
    Map<String, String> mistakes = new TreeMap<>();
    mistakes.put(SumNames.LOSS, "loss");
    mistakes.put(SumNames.GRADIENT, "gradient");
    mistakes.put(SumNames.product(0, 1), "Fisher products");
    mistakes.put(SumNames.product(0, 0), "Fisher products");
    mistakes.put(SumNames.inputs(first), "kfac: exact for one example");
    mistakes.put(SumNames.gradients(first), "kfac: exact for one example");
    mistakes.put(SumNames.weightedInputs(first), "tkfac factored: trace");
    mistakes.put(SumNames.trace(first), "tkfac factored: trace");
    mistakes.put(SumNames.diagonal(first), "diagonal: diagonal");
    mistakes.put(SumNames.scalings(first), "ekfac: scalings");
    return mistakes;
  }
}
