package org.kfac4j.verify;

import java.util.List;
import java.util.function.UnaryOperator;
import org.kfac4j.curvature.Request;
import org.kfac4j.curvature.Sums;
import org.kfac4j.optimizer.Objective;
import org.kfac4j.optimizer.Phases;

/**
 * An objective that answers with what a function makes of another one's sums.
 *
 * @param change the identity but in tests, which put mistakes in
 */
public record FilteredObjective(Objective objective, UnaryOperator<Sums> change)
    implements Objective {
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
        return change.apply(point.evaluate(request, vectors));
      }

      @Override
      public Sums evaluate(Request request, List<double[]> vectors) {
        return change.apply(point.evaluate(request, vectors));
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
}
