package org.kfac4j.verify;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.kfac4j.curvature.Request;
import org.kfac4j.curvature.SumNames;
import org.kfac4j.curvature.Sums;
import org.kfac4j.data.Hashing;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.optimizer.Objective;

/**
 * The gradient of the loss, with l2, against {@link Differences} of the loss: gᵀ v for random
 * directions v over all layers, and g_i for some coordinates of every layer, the first one in its
 * bias. Errors are relative to the size that such a number has, ‖g ∘ v‖₂ and the root mean square
 * of the layer's gradient, if that is more than |gᵀ v|. Of batch normalisation's running averages,
 * which the loss does not depend on, what moves them, by definition.
 */
public record GradientCheck(Sample sample, Objective objective) {
  private static final String NAME = "gradient";
  private static final int DIRECTIONS = 4;

  /** Coordinates of all layers together, about. */
  private static final int COORDINATES = 48;

  /** The loss itself comes first, then directions, then one finding for all coordinates. */
  public List<Finding> run(double[] theta, long key) {
    Network network = sample.network();
    Selection examples = sample.forDifferences();
    Sums sums;
    try (Objective.Point point = objective.at(theta)) {
      sums = point.evaluate(new Request.Gradient(examples.batch(), null));
    }
    double count = sums.scalar(SumNames.COUNT);
    double[] gradient = sums.mean(SumNames.GRADIENT, count);
    network.addPenaltyGradient(theta, gradient);
    double loss = sums.scalar(SumNames.LOSS) / count + network.penalty(theta);
    double expected = examples.loss(theta);
    List<Finding> findings = new ArrayList<>();
    findings.add(
        Finding.of(
            "loss",
            "mean of " + examples.count() + " examples = loss of the outputs",
            Vec.ratio(Math.abs(loss - expected), Math.abs(expected)),
            Tolerances.SUMS));
    findings.add(directions(examples, theta, gradient, key));
    findings.add(coordinates(examples, theta, gradient, key));
    if (!network.statistics().isEmpty()) {
      findings.add(averages(examples, theta, gradient));
    }
    return findings;
  }

  /** What moves running averages: by how much they exceed what the examples have. */
  private static Finding averages(Selection examples, double[] theta, double[] gradient) {
    Worst worst = new Worst();
    examples
        .statistics(theta)
        .forEach(
            (block, values) -> {
              double[] here = Arrays.copyOfRange(theta, block.offset(), block.end());
              double[] found = Arrays.copyOfRange(gradient, block.offset(), block.end());
              worst.add(block.name(), Vec.largest(found, Vec.plus(here, -1, values)));
            });
    return worst.finding(
        "running averages",
        "gradient = by how much they exceed the examples' mean and variance",
        Tolerances.EXACT);
  }

  private Finding directions(Selection examples, double[] theta, double[] gradient, long key) {
    Differences differences = new Differences(Tolerances.DIFFERENCES);
    double worst = 0;
    for (int i = 0; i < DIRECTIONS; i++) {
      double[] v = sample.direction(theta, Hashing.key(key, i));
      double squares = 0;
      for (int k = 0; k < v.length; k++) {
        squares += v[k] * v[k] * gradient[k] * gradient[k];
      }
      double expected = Vec.dot(gradient, v);
      double scale = Math.max(Math.abs(expected), Math.sqrt(squares));
      worst =
          Math.max(worst, differences.error(h -> error(examples, theta, v, expected, scale, h)));
    }
    String compared =
        DIRECTIONS + " random directions = differences of the loss" + differences.note();
    return Finding.of(NAME, compared, worst, Tolerances.DIFFERENCES);
  }

  private static double error(
      Selection examples, double[] theta, double[] v, double expected, double scale, double step) {
    double measured = Differences.derivative(t -> examples.loss(Vec.plus(theta, t, v)), step);
    return Vec.ratio(Math.abs(measured - expected), scale);
  }

  private Finding coordinates(Selection examples, double[] theta, double[] gradient, long key) {
    List<ParameterBlock> blocks = sample.network().blocks();
    int each = Math.max(1, Math.min(3, COORDINATES / blocks.size()));
    Differences differences = new Differences(Tolerances.DIFFERENCES);
    double worst = 0;
    String where = blocks.get(0).name();
    for (ParameterBlock block : blocks) {
      double size = sample.size(theta, block);
      double rms = Vec.rms(gradient, block.offset(), block.end());
      for (int i = 0; i < each; i++) {
        int at = coordinate(block, Hashing.at(Hashing.key(key, block.index()), i), i == 0);
        double[] v = new double[theta.length];
        v[at] = size;
        double scale = size * Math.max(Math.abs(gradient[at]), rms);
        double error =
            differences.error(h -> error(examples, theta, v, size * gradient[at], scale, h));
        if (!(error <= worst)) {
          worst = error;
          where = block.name() + " at " + (at - block.offset());
        }
      }
    }
    String compared =
        "%d of each of %d layers' parameters = differences of the loss%s; worst %s"
            .formatted(each, blocks.size(), differences.note(), where);
    return Finding.of(NAME, compared, worst, Tolerances.DIFFERENCES);
  }

  private static int coordinate(ParameterBlock block, long random, boolean bias) {
    int from = bias ? block.biasOffset() : block.offset();
    int begin = from < block.end() ? from : block.offset();
    return begin + (int) Math.floorMod(random, (long) (block.end() - begin));
  }
}
