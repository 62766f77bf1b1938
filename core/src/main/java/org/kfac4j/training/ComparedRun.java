package org.kfac4j.training;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * One run of a comparison.
 *
 * @param optimizer what is compared, a line of its own in tables
 * @param point the settings of its grid that this run has, "" without a grid
 * @param outcome how it ended: {@link RunSummary#reason} or {@code diverged: …}
 * @param records of its iterations
 */
public record ComparedRun(
    String optimizer, String point, String outcome, List<IterationRecord> records) {
  public ComparedRun {
    records = List.copyOf(records);
  }

  /** The optimizer and, if there are several runs of it, which one. */
  public String name() {
    return point.isEmpty() ? optimizer : optimizer + " (" + point + ")";
  }

  public boolean diverged() {
    return outcome.startsWith("diverged");
  }

  /** Iterations that were evaluated. */
  public List<IterationRecord> evaluated() {
    return records.stream().filter(record -> record.evaluation() != null).toList();
  }

  /** The first evaluation that is at {@code target} or better; empty if the run ended before. */
  public Optional<IterationRecord> reached(double target) {
    return evaluated().stream().filter(record -> isAt(record, target)).findFirst();
  }

  private static boolean isAt(IterationRecord record, double target) {
    Evaluation evaluation = record.evaluation();
    if (evaluation == null) {
      return false;
    }
    return evaluation.accuracy() != null
        ? evaluation.accuracy() >= target
        : evaluation.score() <= target;
  }

  /** The best evaluation. */
  public Optional<IterationRecord> best() {
    return evaluated().stream().min(Comparator.comparingDouble(ComparedRun::score));
  }

  private static double score(IterationRecord record) {
    return record.evaluation() == null ? Double.NaN : record.evaluation().score();
  }

  public int iterations() {
    return records.isEmpty() ? 0 : records.get(records.size() - 1).iteration();
  }

  /** Of training, evaluation excluded. */
  public double seconds() {
    return records.isEmpty() ? 0 : records.get(records.size() - 1).seconds();
  }

  /** Of the seconds of single iterations; empty for a run without any. */
  public OptionalDouble medianSeconds() {
    double[] seconds = new double[records.size()];
    for (int i = 0; i < seconds.length; i++) {
      seconds[i] = records.get(i).seconds() - (i == 0 ? 0 : records.get(i - 1).seconds());
    }
    java.util.Arrays.sort(seconds);
    int middle = seconds.length / 2;
    if (seconds.length == 0) {
      return OptionalDouble.empty();
    }
    return OptionalDouble.of(
        seconds.length % 2 == 1 ? seconds[middle] : 0.5 * (seconds[middle - 1] + seconds[middle]));
  }
}
