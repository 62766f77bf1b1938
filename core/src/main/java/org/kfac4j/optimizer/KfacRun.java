package org.kfac4j.optimizer;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.kfac4j.Snapshot;
import org.kfac4j.curvature.BlockForm;
import org.kfac4j.curvature.Request;
import org.kfac4j.curvature.SumNames;
import org.kfac4j.curvature.Sums;
import org.kfac4j.data.Batch;
import org.kfac4j.data.Hashing;
import org.kfac4j.linalg.Vectors;
import org.kfac4j.network.Network;

/** K-FAC under way. The comments number the steps of algorithm 2 of arXiv:1503.05671. */
final class KfacRun implements Optimizer.Run {
  private final Kfac settings;
  private final Network network;
  private final Curvature curvature;
  private double[] theta;

  /** The previous update δ₀, or momentum m of a scheduled step; null before the first step. */
  private double @Nullable [] previous;

  private double lambda;
  private double gamma;
  private Curvature.@Nullable Inverse inverse;
  private Objective.@Nullable Vectors bases;

  KfacRun(Kfac settings, Network network, double[] theta, @Nullable Snapshot saved) {
    this.settings = settings;
    this.network = network;
    this.theta = theta.clone();
    this.curvature = new Curvature(settings, network, saved);
    this.lambda = saved == null ? settings.damping().initial() : saved.doubleValue("lambda");
    this.gamma =
        saved == null ? Math.sqrt(lambda + largestPenalty(network)) : saved.doubleValue("gamma");
    if (saved != null) {
      double[] restored = saved.doubles("previous");
      previous = restored.length == 0 ? null : restored.clone();
      inverse = curvature.restore(saved);
    }
  }

  private static double largestPenalty(Network network) {
    return network.blocks().stream()
        .mapToDouble(block -> block.penalty().weights())
        .max()
        .orElse(0);
  }

  @Override
  public Step step(Objective objective, Batch batch, int k) {
    lambda = settings.damping().at(k, lambda);
    try (Objective.Point here = objective.at(theta)) {
      MeanGradient mean = gradientAndStatistics(here, objective, batch, k); // 2, 3
      boolean fresh = isFresh(k);
      List<Candidate> candidates = candidates(objective, here, mean, batch, fresh, k); // 4, 5
      Chosen chosen =
          settings.stepRule() instanceof StepRule.Exact exact
              ? choose(candidates, here, mean, batch, exact, k) // 6, 7
              : scheduled(candidates.get(0), mean, (StepRule.Scheduled) settings.stepRule(), k);
      double[] next = chosen.next;
      mean.moveStatistics(network, next);
      double used = lambda;
      Double rho = adaptDamping(objective, chosen, next, mean, batch, k); // 8
      theta = next; // 9
      Map<String, Double> health = fresh ? curvature.health(requireNonNull(inverse)) : Map.of();
      return new Step(mean.loss(), used, chosen.alpha, chosen.mu, rho, health);
    }
  }

  /** Whether iteration k makes inverses. */
  private boolean isFresh(int k) {
    return inverse == null
        || settings.inverses().isDue(k)
        || settings.preconditioner().isAlwaysFresh();
  }

  private MeanGradient gradientAndStatistics(
      Objective.Point here, Objective objective, Batch batch, int k) {
    boolean factors =
        settings.statistics().isDue(k) && settings.preconditioner().form() != BlockForm.NONE;
    Scalings scalings = settings.preconditioner().scalings();
    boolean rescale = scalings != null && scalings.isDue(k) && !isFresh(k);
    boolean byExamples = rescale && requireNonNull(scalings).source() == Scalings.Source.EXAMPLES;
    Request.Statistics statistics =
        factors || byExamples ? statistics(batch, k, factors, byExamples) : null;
    Sums sums =
        here.evaluate(
            new Request.Gradient(batch, statistics),
            byExamples ? bases(objective) : Objective.Vectors.NONE);
    return objective
        .phases()
        .time(
            "average",
            () -> {
              MeanGradient mean = MeanGradient.of(sums, network, theta, k);
              if (factors) {
                curvature.update(sums, batch, k);
              }
              if (byExamples) {
                requireNonNull(inverse).rescale(sums, requireNonNull(scalings).average());
              } else if (rescale) {
                rescaleByGradient(mean, batch, requireNonNull(scalings));
              }
              return mean;
            });
  }

  private Request.Statistics statistics(Batch batch, int k, boolean factors, boolean scalings) {
    Kfac.Statistics asked = settings.statistics();
    return new Request.Statistics(
        batch.subset(asked.fraction()),
        asked.fisher(),
        Hashing.key(settings.seed(), k),
        settings.forms(),
        factors,
        scalings);
  }

  private void rescaleByGradient(MeanGradient mean, Batch batch, Scalings scalings) {
    double[] gradient = mean.gradient().clone();
    network.subtractPenaltyGradient(theta, gradient);
    requireNonNull(inverse).rescale(gradient, batch.count(), scalings.average());
  }

  /** The bases of the inverse, with the tasks until the next refresh. */
  private Objective.Vectors bases(Objective objective) {
    Objective.Vectors prepared = bases;
    if (prepared == null) {
      prepared = objective.prepare(requireNonNull(inverse).bases());
      bases = prepared;
    }
    return prepared;
  }

  private void forgetBases() {
    if (bases != null) {
      bases.close();
      bases = null;
    }
  }

  /** An inverse that might be used, and Δ = −(inverse) ∇h. */
  private record Candidate(double gamma, Curvature.Inverse inverse, double[] direction) {}

  private List<Candidate> candidates(
      Objective objective,
      Objective.Point here,
      MeanGradient mean,
      Batch batch,
      boolean fresh,
      int k) {
    Phases phases = objective.phases();
    List<Candidate> candidates = new ArrayList<>();
    for (double each : gammas(fresh, k)) {
      Curvature.Inverse map = fresh ? invert(objective, each) : requireNonNull(inverse);
      if (fresh && hasScalingsOf(Scalings.Source.EXAMPLES)) {
        // The new basis has no eigenvalues of its own yet.
        forgetBases();
        replace(map);
        Request.Statistics asked = statistics(batch, k, false, true);
        // Batch normalisation of the same blocks as in the gradient's pass.
        Sums sums =
            here.evaluate(
                new Request.Curvature(network.hasBatchStatistics() ? batch : asked.batch(), asked),
                bases(objective));
        map.rescale(sums, 0);
      }
      if (settings.preconditioner().scalings() != null) {
        map.damp(lambda);
      }
      double[] direction = phases.time("precondition", () -> map.descent(mean.gradient()));
      candidates.add(new Candidate(each, map, direction));
    }
    return candidates;
  }

  private boolean hasScalingsOf(Scalings.Source source) {
    Scalings scalings = settings.preconditioner().scalings();
    return scalings != null && scalings.source() == source;
  }

  private Curvature.Inverse invert(Objective objective, double candidate) {
    Double given = settings.inverses().gammaSearch() ? (Double) candidate : null;
    return objective
        .phases()
        .time("inverse", () -> curvature.invert(lambda, given, inverse, objective.workers()));
  }

  private double[] gammas(boolean fresh, int k) {
    if (fresh && settings.inverses().isSearchDue(k)) {
      double omega = settings.inverses().omega();
      return new double[] {gamma, omega * gamma, gamma / omega};
    }
    return new double[] {gamma};
  }

  /**
   * @param next θ + update
   * @param change M(δ) − M(0)
   */
  private record Chosen(
      double[] update, double[] next, double alpha, @Nullable Double mu, double change) {}

  /** The candidate and its update αΔ + μδ₀ with the lowest quadratic model. */
  private Chosen choose(
      List<Candidate> candidates,
      Objective.Point here,
      MeanGradient mean,
      Batch batch,
      StepRule.Exact rule,
      int k) {
    List<double[]> directions = new ArrayList<>();
    candidates.forEach(candidate -> directions.add(candidate.direction));
    double[] last = rule.momentum() ? previous : null;
    if (last != null) {
      directions.add(last);
    }
    Sums products =
        here.evaluate(
            new Request.Products(batch.subset(rule.fraction()), directions.size()), directions);
    double[][] curvatures = new double[directions.size()][directions.size()];
    double[] slopes = new double[directions.size()];
    // All candidates have one λ for each block: γ is not searched where λ is relative.
    double[] lambdas = candidates.get(0).inverse.dampings(lambda);
    network.addDampedProducts(lambdas, directions, mean.gradient(), curvatures, slopes);
    addFisherProducts(products, curvatures);
    QuadraticModel best = null;
    int winner = 0;
    for (int c = 0; c < candidates.size(); c++) {
      QuadraticModel model = model(curvatures, slopes, c, last == null ? -1 : candidates.size(), k);
      if (best == null || model.change() < best.change()) {
        best = model;
        winner = c;
      }
    }
    keep(candidates, winner);
    QuadraticModel model = requireNonNull(best);
    double[] update = new double[theta.length];
    double[] direction = candidates.get(winner).direction;
    double[] next =
        moved(
            k,
            (from, to) -> {
              for (int i = from; i < to; i++) {
                update[i] =
                    model.alpha() * direction[i] + (last == null ? 0 : model.mu() * last[i]);
              }
            },
            update);
    previous = update;
    return new Chosen(
        update, next, model.alpha(), last == null ? null : (Double) model.mu(), model.change());
  }

  private static QuadraticModel model(
      double[][] curvatures, double[] slopes, int c, int last, int k) {
    double along = curvatures[c][c];
    if (!(along > 0 || (along == 0 && slopes[c] == 0)) || !Double.isFinite(along)) {
      throw new DivergedException(
          "iteration " + k + ": the curvature along the update is " + along);
    }
    if (last < 0) {
      return QuadraticModel.along(along, slopes[c]);
    }
    return QuadraticModel.onPlane(
        along, curvatures[c][last], curvatures[last][last], slopes[c], slopes[last]);
  }

  /** Adds uᵀ F v for all pairs of directions. */
  private static void addFisherProducts(Sums products, double[][] curvatures) {
    double count = products.scalar(SumNames.COUNT);
    for (int i = 0; i < curvatures.length; i++) {
      for (int j = i; j < curvatures.length; j++) {
        curvatures[i][j] += products.scalar(SumNames.product(i, j)) / count;
        curvatures[j][i] = curvatures[i][j];
      }
    }
  }

  private void keep(List<Candidate> candidates, int winner) {
    Candidate kept = candidates.get(winner);
    for (Candidate each : candidates) {
      if (each.inverse != kept.inverse) {
        each.inverse.close();
      }
    }
    replace(kept.inverse);
    gamma = kept.gamma;
  }

  private void replace(Curvature.Inverse next) {
    if (inverse != null && inverse != next) {
      inverse.close();
    }
    inverse = next;
  }

  private Chosen scheduled(Candidate candidate, MeanGradient mean, StepRule.Scheduled rule, int k) {
    keep(List.of(candidate), 0);
    double alpha = rule.learningRate().at(k);
    double mu = rule.momentum().at(k);
    double[] m = previous == null ? new double[theta.length] : previous;
    double clip = rule.clip(alpha, -Vectors.dot(candidate.direction, mean.gradient()));
    double[] update = new double[theta.length];
    double[] next =
        moved(
            k,
            (from, to) -> {
              for (int i = from; i < to; i++) {
                m[i] = mu * m[i] - clip * candidate.direction[i];
                update[i] = -alpha * m[i];
              }
            },
            update);
    previous = m;
    return new Chosen(update, next, alpha * clip, mu, Double.NaN);
  }

  /**
   * θ + {@code update}, with {@code update} made by {@code make}: piece by piece, so that what one
   * step has written is still in a cache when the next one reads it.
   *
   * @throws DivergedException naming the layer if the result is not finite
   */
  private double[] moved(int k, Vectors.Range make, double[] update) {
    double[] from = theta;
    double[] next = new double[from.length];
    AtomicBoolean finite = new AtomicBoolean(true);
    Vectors.forRanges(
        0,
        next.length,
        (begin, end) -> {
          make.apply(begin, end);
          for (int i = begin; i < end; i++) {
            next[i] = from[i] + update[i];
          }
          if (!Vectors.isFinite(next, begin, end)) {
            finite.set(false);
          }
        });
    if (!finite.get()) {
      throw new DivergedException(
          "iteration " + k + ": the update of layer " + firstNotFinite(next) + " is not finite");
    }
    return next;
  }

  private String firstNotFinite(double[] vector) {
    return network.blocks().stream()
        .filter(block -> !Vectors.isFinite(vector, block.offset(), block.end()))
        .findFirst()
        .map(Network.ParameterBlock::name)
        .orElseThrow();
  }

  private @Nullable Double adaptDamping(
      Objective objective, Chosen chosen, double[] next, MeanGradient mean, Batch batch, int k) {
    if (!(settings.damping() instanceof Damping.LevenbergMarquardt rule) || !rule.isDue(k)) {
      return null;
    }
    double after;
    try (Objective.Point there = objective.at(next)) {
      Sums sums = there.evaluate(new Request.Loss(batch, false));
      after = sums.scalar(SumNames.LOSS) / sums.scalar(SumNames.COUNT) + network.penalty(next);
    }
    double predicted =
        rule.ratioIncludesDamping()
            ? chosen.change
            : chosen.change - 0.5 * dampingOf(chosen.update);
    double rho = (after - mean.objective()) / predicted;
    lambda = rule.adapted(lambda, rho);
    return rho;
  }

  /** Σ λ δ² with each block's λ. */
  private double dampingOf(double[] update) {
    double[] lambdas = requireNonNull(inverse).dampings(lambda);
    List<Network.ParameterBlock> blocks = network.blocks();
    double sum = 0;
    for (int i = 0; i < lambdas.length; i++) {
      int from = blocks.get(i).offset();
      sum += lambdas[i] * Vectors.dot(update, update, from, blocks.get(i).end());
    }
    return sum;
  }

  @Override
  public double[] theta() {
    return theta;
  }

  @Override
  public void save(Snapshot snapshot) {
    snapshot.put("lambda", lambda);
    // Without a search γ follows λ, also where a run with one goes on from here.
    boolean searched = settings.inverses().gammaSearch();
    snapshot.put("gamma", searched ? gamma : Math.sqrt(lambda + largestPenalty(network)));
    snapshot.put("previous", previous == null ? new double[0] : previous.clone());
    curvature.save(snapshot);
    if (inverse != null) {
      inverse.save(snapshot);
    }
  }

  @Override
  public void close() {
    forgetBases();
    if (inverse != null) {
      inverse.close();
    }
    curvature.close();
  }
}
