package org.kfac4j.verify;

import java.util.List;
import org.kfac4j.curvature.Request;
import org.kfac4j.curvature.SumNames;
import org.kfac4j.curvature.Sums;
import org.kfac4j.data.Hashing;
import org.kfac4j.network.Loss;
import org.kfac4j.optimizer.Objective;

/**
 * Exact Fisher products vᵀ F v, vᵀ F w and wᵀ F w, arXiv:1503.05671 §6.4, appendix C, against
 *
 * <pre>  Σ_n (J v)ᵀ F_R (J w),   J v ≈ differences of the outputs z(θ ± h v),   F_R = Σ_c v_c v_cᵀ
 * </pre>
 *
 * with the loss's vectors v_c, which gradients of the curvature are made of; the products
 * themselves use another form of F_R. Errors are relative to √(vᵀFv wᵀFw).
 */
public record ProductCheck(Sample sample, Objective objective) {
  private static final String NAME = "Fisher products";

  public Finding run(double[] theta, long key) {
    Selection examples = sample.forDifferences();
    double[] v = sample.direction(theta, Hashing.key(key, 1));
    double[] w = sample.direction(theta, Hashing.key(key, 2));
    Sums sums;
    try (Objective.Point point = objective.at(theta)) {
      sums = point.evaluate(new Request.Products(examples.batch(), 2), List.of(v, w));
    }
    double vv = sums.scalar(SumNames.product(0, 0));
    double vw = sums.scalar(SumNames.product(0, 1));
    double ww = sums.scalar(SumNames.product(1, 1));
    double[] z = examples.outputs(theta);
    Differences differences = new Differences(Tolerances.DIFFERENCES);
    double error =
        differences.error(
            h -> {
              double[] u = tangent(examples, theta, v, h);
              double[] t = tangent(examples, theta, w, h);
              double uu = product(z, u, u);
              double tt = product(z, t, t);
              double worst =
                  Math.max(
                      Vec.ratio(Math.abs(vv - uu), uu),
                      Math.max(
                          Vec.ratio(Math.abs(ww - tt), tt),
                          Vec.ratio(Math.abs(vw - product(z, u, t)), Math.sqrt(uu * tt))));
              return worst;
            });
    return Finding.of(
        NAME,
        "v'Fv, v'Fw, w'Fw = differences of the outputs with the loss's F" + differences.note(),
        error,
        Tolerances.DIFFERENCES);
  }

  private static double[] tangent(Selection examples, double[] theta, double[] v, double step) {
    return Differences.tangent(t -> examples.outputs(Vec.plus(theta, t, v)), step);
  }

  /** Σ uᵀ F_R t over the rows. */
  private double product(double[] z, double[] u, double[] t) {
    Loss loss = sample.network().loss();
    int width = loss.outputs();
    int rows = z.length / width;
    double[] vector = new double[z.length];
    double sum = 0;
    for (int c = 0; c < loss.fisherVectors(); c++) {
      loss.fisherVector(c, z, rows, vector);
      for (int row = 0; row < rows; row++) {
        int from = row * width;
        sum += Vec.dot(vector, u, from, from + width) * Vec.dot(vector, t, from, from + width);
      }
    }
    return sum;
  }
}
