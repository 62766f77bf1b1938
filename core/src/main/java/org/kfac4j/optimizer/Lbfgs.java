package org.kfac4j.optimizer;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.kfac4j.Check;
import org.kfac4j.Snapshot;
import org.kfac4j.curvature.Request;
import org.kfac4j.curvature.Sums;
import org.kfac4j.data.Batch;
import org.kfac4j.linalg.Vectors;
import org.kfac4j.network.Network;

/**
 * Limited-memory BFGS on the whole data set, with a line search for the strong Wolfe conditions.
 * Nocedal and Wright, Numerical Optimization, 2nd ed., algorithms 7.4 (two-loop recursion) and 3.5,
 * 3.6 (line search). Every iteration costs one gradient of all examples or a few.
 *
 * @param history pairs (s, y) that are kept
 * @param evaluations of the objective that a line search may take
 */
public record Lbfgs(int history, int evaluations) implements Optimizer {
  public Lbfgs {
    Check.that(history >= 1, "optimizer.lbfgs.history must be at least 1, got %d", history);
    Check.that(
        evaluations >= 2, "optimizer.lbfgs.evaluations must be at least 2, got %d", evaluations);
  }

  /** The objective must be the same function in every iteration. */
  @Override
  public boolean needsAllExamples() {
    return true;
  }

  /** Pairs; θ, the gradient and its sum here and at a trial step; the direction. */
  @Override
  public int vectors() {
    return 2 * history + 7;
  }

  @Override
  public Optimizer.Run start(Network network, double[] theta, @Nullable Snapshot saved) {
    return new LbfgsRun(this, network, theta, saved);
  }

  /** s = θ_{k+1} − θ_k, y = ∇h_{k+1} − ∇h_k. */
  private record Pair(double[] s, double[] y, double product) {}

  private static final class LbfgsRun implements Optimizer.Run {
    private final Lbfgs settings;
    private final Network network;
    private final Deque<Pair> pairs = new ArrayDeque<>();
    private double[] theta;

    /** Whether even steepest descent finds nothing lower. */
    private boolean stuck;

    /** At θ, if known from the last line search. */
    private WolfeSearch.@Nullable Value here;

    LbfgsRun(Lbfgs settings, Network network, double[] theta, @Nullable Snapshot saved) {
      this.settings = settings;
      this.network = network;
      this.theta = theta.clone();
      if (saved != null) {
        for (long i = 0; i < saved.longValue("pairs"); i++) {
          double[] s = saved.doubles("s " + i);
          double[] y = saved.doubles("y " + i);
          pairs.add(new Pair(s, y, Vectors.dot(s, y)));
        }
      }
    }

    @Override
    public Step step(Objective objective, Batch batch, int k) {
      Check.that(
          batch.count() == batch.size(),
          "optimizer.name = lbfgs needs training.batch-size = %s, all examples, got %s",
          batch.size(),
          batch.count());
      // The same function in every iteration: dropout and changed images are those of the first.
      Batch all = new Batch(batch.size(), batch.seed(), 0, batch.size());
      WolfeSearch.Value at = here == null ? value(objective, all, theta, k) : here;
      if (stuck) {
        return new Step(at.loss(), null, 0, null, null, Map.of());
      }
      double[] direction = direction(at.gradient());
      double slope = Vectors.dot(direction, at.gradient());
      if (!(slope < 0)) {
        // Rounding has made the pairs useless: begin anew.
        pairs.clear();
        direction = direction(at.gradient());
        slope = Vectors.dot(direction, at.gradient());
      }
      if (slope == 0) {
        return new Step(at.loss(), null, 0, null, null, Map.of());
      }
      double first = pairs.isEmpty() ? Math.min(1, 1 / Math.sqrt(-slope)) : 1;
      double[] along = direction;
      WolfeSearch search =
          new WolfeSearch(
              t -> value(objective, all, moved(along, t), k), along, settings.evaluations);
      WolfeSearch.Point found = search.from(at, first);
      if (found.step() == 0) {
        // As low as rounding lets it get; or pairs that mislead, and the next step does without.
        stuck = pairs.isEmpty();
        pairs.clear();
        here = at;
        return new Step(at.loss(), null, 0, null, null, Map.of());
      }
      double[] next = moved(along, found.step());
      remember(next, at.gradient(), found.value().gradient());
      theta = next;
      at.mean().moveStatistics(network, theta);
      // What averages over examples exceed the batch's by has changed with them.
      here = network.statistics().isEmpty() ? found.value() : null;
      return new Step(at.loss(), null, found.step(), null, null, Map.of());
    }

    private WolfeSearch.Value value(Objective objective, Batch batch, double[] x, int k) {
      try (Objective.Point point = objective.at(x)) {
        Sums sums = point.evaluate(new Request.Gradient(batch, null));
        return new WolfeSearch.Value(MeanGradient.of(sums, network, x, k));
      }
    }

    private double[] moved(double[] direction, double step) {
      double[] moved = new double[theta.length];
      double[] from = theta;
      Vectors.forRanges(
          0,
          moved.length,
          (begin, end) -> {
            for (int i = begin; i < end; i++) {
              moved[i] = from[i] + step * direction[i];
            }
          });
      return moved;
    }

    /** −H ∇h, H the approximate inverse Hessian. */
    private double[] direction(double[] gradient) {
      double[] q = new double[gradient.length];
      add(-1, gradient, q);
      double[] alphas = new double[pairs.size()];
      int i = pairs.size();
      Iterator<Pair> newestFirst = pairs.descendingIterator();
      while (newestFirst.hasNext()) {
        Pair pair = newestFirst.next();
        alphas[--i] = Vectors.dot(pair.s, q) / pair.product;
        add(-alphas[i], pair.y, q);
      }
      Pair newest = pairs.peekLast();
      if (newest != null) {
        double scale = newest.product / Vectors.dot(newest.y, newest.y);
        Vectors.forRanges(
            0,
            q.length,
            (from, to) -> {
              for (int k = from; k < to; k++) {
                q[k] *= scale;
              }
            });
      }
      for (Pair pair : pairs) {
        double beta = Vectors.dot(pair.y, q) / pair.product;
        add(alphas[i++] - beta, pair.s, q);
      }
      return q;
    }

    /** Keeps the pair if it has positive curvature, which the Wolfe conditions see to. */
    private void remember(double[] next, double[] before, double[] after) {
      double[] s = next.clone();
      double[] y = after.clone();
      add(-1, theta, s);
      add(-1, before, y);
      double product = Vectors.dot(s, y);
      if (product > 1e-12 * Math.sqrt(Vectors.dot(s, s) * Vectors.dot(y, y))) {
        pairs.addLast(new Pair(s, y, product));
        if (pairs.size() > settings.history) {
          pairs.removeFirst();
        }
      }
    }

    private static void add(double factor, double[] x, double[] y) {
      Vectors.forRanges(
          0,
          y.length,
          (from, to) -> {
            for (int i = from; i < to; i++) {
              y[i] += factor * x[i];
            }
          });
    }

    @Override
    public double[] theta() {
      return theta;
    }

    @Override
    public void save(Snapshot snapshot) {
      snapshot.put("pairs", (long) pairs.size());
      int i = 0;
      for (Pair pair : pairs) {
        snapshot.put("s " + i, pair.s.clone());
        snapshot.put("y " + i++, pair.y.clone());
      }
    }

    @Override
    public void close() {
      // Holds nothing but heap arrays.
    }
  }
}
