package org.kfac4j.optimizer;

import org.kfac4j.Dense;
import org.kfac4j.Problem;
import org.kfac4j.curvature.FisherType;
import org.kfac4j.curvature.Request;
import org.kfac4j.curvature.Sums;
import org.kfac4j.curvature.WideFactors;
import org.kfac4j.data.Batch;

/** A preconditioner with the statistics of a problem's examples, ready to be applied. */
final class Inverted implements AutoCloseable {
  static final long SEED = 7;

  final Kfac settings;
  final Curvature curvature;
  final Curvature.Inverse inverse;

  private Inverted(Kfac settings, Curvature curvature, Curvature.Inverse inverse) {
    this.settings = settings;
    this.curvature = curvature;
    this.inverse = inverse;
  }

  static Kfac settings(Preconditioner preconditioner, FisherType fisher) {
    return settings(preconditioner, fisher, Machines.DOUBLE);
  }

  static Kfac settings(Preconditioner preconditioner, FisherType fisher, DenseMachine machine) {
    return settings(preconditioner, fisher, machine, WideFactors.REFUSED);
  }

  static Kfac settings(
      Preconditioner preconditioner, FisherType fisher, DenseMachine machine, WideFactors wide) {
    Kfac.Statistics statistics =
        new Kfac.Statistics(
            fisher,
            1,
            1,
            0.95,
            0,
            new org.kfac4j.curvature.BlockForms(
                org.kfac4j.curvature.BlockForm.KRONECKER,
                org.kfac4j.curvature.Coupling.NONE,
                org.kfac4j.network.WeightSharing.KFC,
                org.kfac4j.curvature.BlockForm.EXACT,
                false,
                1_000_000,
                wide),
            5);
    return new Kfac(
        preconditioner,
        statistics,
        new Kfac.Inverses(1, false, 1),
        new Damping.Scheduled(Schedule.constant(0.1)),
        new StepRule.Scheduled(Schedule.constant(1), Schedule.constant(0), 0),
        SEED,
        machine);
  }

  /** With the statistics of all examples, one batch. */
  static Inverted of(
      Preconditioner preconditioner,
      Problem problem,
      double[] theta,
      FisherType fisher,
      double strength) {
    return of(settings(preconditioner, fisher), problem, theta, strength);
  }

  static Inverted of(Kfac settings, Problem problem, double[] theta, double strength) {
    return of(settings, problem, theta, strength, null);
  }

  static Inverted of(
      Kfac settings, Problem problem, double[] theta, double strength, LayerWorkers workers) {
    Curvature curvature = new Curvature(settings, problem.network(), null);
    curvature.update(sums(settings, problem, theta, problem.all()), problem.all(), 1);
    Curvature.Inverse inverse = curvature.invert(strength, null, null, workers);
    if (settings.preconditioner().scalings() != null) {
      inverse.rescale(scalings(settings, problem, theta, inverse), 0);
      inverse.damp(strength);
    }
    return new Inverted(settings, curvature, inverse);
  }

  static Sums sums(Kfac settings, Problem problem, double[] theta, Batch batch) {
    return problem.sums(
        theta,
        new Request.Curvature(
            new Request.Statistics(
                batch, settings.statistics().fisher(), SEED, settings.forms(), true, false)));
  }

  static Sums scalings(Kfac settings, Problem problem, double[] theta, Curvature.Inverse inverse) {
    return problem.sums(
        theta,
        new Request.Curvature(
            new Request.Statistics(
                problem.all(),
                settings.statistics().fisher(),
                SEED,
                settings.forms(),
                false,
                true)),
        inverse.bases().toArray(double[][]::new));
  }

  /** C⁻¹ v. */
  double[] apply(double[] v) {
    return Dense.scaled(-1, inverse.descent(v));
  }

  /** C⁻¹, column by column. */
  double[][] matrix(int n) {
    double[][] columns = new double[n][];
    for (int i = 0; i < n; i++) {
      double[] unit = new double[n];
      unit[i] = 1;
      columns[i] = apply(unit);
    }
    return Dense.transposed(columns);
  }

  @Override
  public void close() {
    inverse.close();
    curvature.close();
  }
}
