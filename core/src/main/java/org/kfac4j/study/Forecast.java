package org.kfac4j.study;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.kfac4j.cost.ClusterSpec;
import org.kfac4j.cost.CostModel;
import org.kfac4j.cost.IterationCost;
import org.kfac4j.study.Prediction.Against;
import org.kfac4j.training.Figures;

/**
 * What a study would have taken here, and takes on other clusters: steps to a target do not depend
 * on the cluster, and seconds per step are a cost model's, so seconds to the target are k*(B) t(B,
 * cluster), evaluation excluded.
 *
 * @param assumptions in a sentence or two
 * @param predictions lines of charts
 * @param best of each optimizer and cluster, the batch size with the fewest seconds to a target
 * @param notes what could not be predicted or told, a sentence each
 */
public record Forecast(
    String assumptions, List<Prediction> predictions, List<Best> best, List<String> notes) {
  /** Nothing is predicted. */
  public static final Forecast NONE = new Forecast("", List.of(), List.of(), List.of());

  /** The batch size that takes the fewest seconds to a target. */
  public record Best(
      Target target, Budget budget, String optimizer, int executors, int batch, double seconds) {
    private String text() {
      return String.format(Locale.ROOT, "%.1f (B = %s)", seconds, Figures.count(batch));
    }
  }

  /** What iterations cost with the settings of one run. */
  @FunctionalInterface
  public interface Models {
    /** Empty for an optimizer whose iterations are not modelled. */
    Optional<CostModel> of(StudyRun run);
  }

  public Forecast {
    predictions = List.copyOf(predictions);
    best = List.copyOf(best);
    notes = List.copyOf(notes);
  }

  /**
   * Predicts.
   *
   * @param here the cluster that the study ran on
   * @param others clusters with different numbers of executors
   */
  public static Forecast of(
      StudyResults study,
      Models models,
      ClusterSpec here,
      List<ClusterSpec> others,
      String assumptions,
      List<String> notes) {
    return new Forecaster(study, models, here, others).forecast(assumptions, notes);
  }

  /** Headings, then a line per number of executors: seconds and batch of every optimizer. */
  List<List<String>> table(Target target, Budget budget) {
    List<Best> own =
        best.stream().filter(each -> each.target.equals(target) && each.budget == budget).toList();
    List<String> optimizers = own.stream().map(Best::optimizer).distinct().toList();
    List<List<String>> rows = new ArrayList<>();
    List<String> header = new ArrayList<>(List.of("executors"));
    header.addAll(optimizers);
    rows.add(header);
    for (int executors : new TreeSet<>(own.stream().map(Best::executors).toList())) {
      List<String> row = new ArrayList<>(List.of(Figures.count(executors)));
      for (String optimizer : optimizers) {
        row.add(
            own.stream()
                .filter(each -> each.executors == executors && each.optimizer.equals(optimizer))
                .map(Best::text)
                .findFirst()
                .orElse(StudyTables.NONE));
      }
      rows.add(row);
    }
    return rows;
  }

  private record Forecaster(
      StudyResults study, Models models, ClusterSpec here, List<ClusterSpec> others) {
    Forecast forecast(String assumptions, List<String> notes) {
      List<Prediction> lines = new ArrayList<>();
      List<Best> best = new ArrayList<>();
      for (String optimizer : study.optimizers()) {
        iterations(optimizer, lines);
      }
      for (Target target : study.targets()) {
        for (Budget budget : study.budgets()) {
          for (StudyCurve curve : study.curves(budget, target)) {
            target(curve, lines, best);
          }
        }
      }
      return new Forecast(assumptions, lines, best, notes);
    }

    private void iterations(String optimizer, List<Prediction> lines) {
      SortedMap<Integer, Double> batches = new TreeMap<>();
      for (int batch : study.batchSizes()) {
        run(optimizer, batch)
            .flatMap(models::of)
            .ifPresent(model -> batches.put(batch, model.predict(here, batch).usual()));
      }
      if (batches.isEmpty()) {
        return;
      }
      lines.add(Prediction.ofIteration(modelled(optimizer), optimizer, Against.BATCH, batches));
      for (int batch : new TreeSet<>(List.of(batches.firstKey(), batches.lastKey()))) {
        SortedMap<Integer, Double> executors = new TreeMap<>();
        for (ClusterSpec cluster : others) {
          run(optimizer, batch)
              .flatMap(models::of)
              .ifPresent(
                  model ->
                      executors.put(cluster.executors(), model.predict(cluster, batch).usual()));
        }
        if (!executors.isEmpty()) {
          lines.add(
              new Prediction(
                  "%s, B = %s".formatted(optimizer, Figures.count(batch)),
                  optimizer,
                  Against.EXECUTORS,
                  null,
                  null,
                  executors,
                  measured(optimizer, batch)));
        }
      }
    }

    /** Any run of the optimizer with that batch: its iterations cost what others' do. */
    private Optional<StudyRun> run(String optimizer, int batch) {
      return study.runs().stream()
          .filter(each -> each.optimizer().equals(optimizer) && each.batchSize() == batch)
          .findFirst();
    }

    /** What the study's own cluster took, where executors are processes like the others'. */
    private SortedMap<Integer, Double> measured(String optimizer, int batch) {
      SortedMap<Integer, Double> measured = new TreeMap<>();
      if (!here.local()) {
        study
            .iterationSeconds(optimizer, batch)
            .ifPresent(seconds -> measured.put(here.executors(), seconds));
      }
      return measured;
    }

    private void target(StudyCurve curve, List<Prediction> lines, List<Best> best) {
      SortedMap<Integer, Double> batches = new TreeMap<>();
      for (StudyCell cell : curve.cells()) {
        Double seconds = seconds(cell, here);
        if (seconds != null) {
          batches.put(cell.batch(), seconds);
        }
      }
      if (batches.isEmpty()) {
        return;
      }
      String optimizer = curve.optimizer();
      lines.add(
          Prediction.ofTarget(
              modelled(optimizer),
              optimizer,
              Against.BATCH,
              curve.target(),
              curve.budget(),
              batches));
      SortedMap<Integer, Double> executors = new TreeMap<>();
      for (ClusterSpec cluster : others) {
        Best least = null;
        for (StudyCell cell : curve.cells()) {
          Double seconds = seconds(cell, cluster);
          if (seconds != null && (least == null || seconds < least.seconds)) {
            least =
                new Best(
                    curve.target(),
                    curve.budget(),
                    optimizer,
                    cluster.executors(),
                    cell.batch(),
                    seconds);
          }
        }
        if (least != null) {
          best.add(least);
          executors.put(least.executors, least.seconds);
        }
      }
      if (!executors.isEmpty()) {
        lines.add(
            Prediction.ofTarget(
                optimizer + ", best batch",
                optimizer,
                Against.EXECUTORS,
                curve.target(),
                curve.budget(),
                executors));
      }
    }

    /** Of the winner's steps; null if there is none, or no model of it. */
    private @Nullable Double seconds(StudyCell cell, ClusterSpec cluster) {
      StudyRun winner = cell.winner().orElse(null);
      CostModel model = winner == null ? null : models.of(winner).orElse(null);
      if (model == null) {
        return null;
      }
      IterationCost cost = model.predict(cluster, cell.batch());
      return cost.secondsTo((double) cell.steps().orElseThrow());
    }

    private static String modelled(String optimizer) {
      return optimizer + ", cost model";
    }
  }
}
