package org.kfac4j.jobs;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.kfac4j.cost.ClusterSpec;
import org.kfac4j.cost.CostModel;
import org.kfac4j.cost.IterationCost;

/** What is predicted of iterations, as tables. */
final class CostTables {
  private CostTables() {}

  /** One iteration, part by part. */
  static List<String> parts(IterationCost cost) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("an iteration takes", "seconds", "every", "mean"));
    for (IterationCost.Part part : cost.parts()) {
      rows.add(
          List.of(
              "  " + part.name(),
              seconds(part.seconds()),
              String.valueOf(Math.round(1 / part.share())),
              seconds(part.mean())));
    }
    rows.add(List.of("  in the mean", "", "", seconds(cost.mean())));
    rows.add(List.of("  usually (median)", "", "", seconds(cost.usual())));
    return TextTable.lines(rows);
  }

  /**
   * A line per cluster.
   *
   * @param iterations to a target, 0 for no such column
   */
  static List<String> clusters(
      CostModel model, List<ClusterSpec> clusters, long batch, int iterations) {
    List<List<String>> rows = new ArrayList<>();
    List<String> head =
        new ArrayList<>(
            List.of("executors", "slots", "examples/task", "tasks", "jobs, sums", "broadcasts"));
    head.addAll(List.of("driver", "s/iteration", "examples/s"));
    if (iterations > 0) {
      head.add("s for " + iterations);
    }
    rows.add(head);
    for (ClusterSpec cluster : clusters) {
      IterationCost cost = model.predict(cluster, batch);
      double tasks = mean(cost, ": tasks");
      double jobs = mean(cost, ": job and sums");
      double broadcasts = mean(cost, "broadcast");
      List<String> row =
          new ArrayList<>(
              List.of(
                  String.valueOf(cluster.executors()),
                  String.valueOf(cluster.allSlots()),
                  String.format(Locale.ROOT, "%.1f", (double) batch / cluster.partitions()),
                  seconds(tasks),
                  seconds(jobs),
                  seconds(broadcasts)));
      row.add(seconds(cost.mean() - tasks - jobs - broadcasts));
      row.add(seconds(cost.mean()));
      row.add(String.format(Locale.ROOT, "%.0f", batch / cost.mean()));
      if (iterations > 0) {
        row.add(String.format(Locale.ROOT, "%.1f", cost.secondsTo(iterations)));
      }
      rows.add(row);
    }
    return TextTable.lines(rows);
  }

  private static double mean(IterationCost cost, String name) {
    return cost.parts().stream()
        .filter(part -> part.name().contains(name))
        .mapToDouble(IterationCost.Part::mean)
        .sum();
  }

  private static String seconds(double seconds) {
    return String.format(Locale.ROOT, "%.4f", seconds);
  }
}
