package org.kfac4j.jobs;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import org.kfac4j.InvalidInputException;
import org.kfac4j.cost.ClusterSpec;
import org.kfac4j.cost.CostFit;
import org.kfac4j.cost.CostModel;
import org.kfac4j.cost.CostRates;
import org.kfac4j.cost.IterationWork;
import org.kfac4j.cost.MeasuredRun;
import org.kfac4j.cost.TransportRates;
import org.kfac4j.study.Forecast;
import org.kfac4j.study.StudyResults;
import org.kfac4j.study.StudyRun;

/**
 * Fits a cost model to each optimizer's runs, the longest one of each batch size, and predicts with
 * it. What cannot be fitted is a note in the report: a study does not fail for its forecast.
 */
final class StudyForecast {
  /** What makes a cluster another one, of what is noted of it. */
  private static final List<String> CLUSTER =
      List.of("master", "executors", "parallelTasks", "threadsPerTask", "partitions");

  private final StudyPlan plan;
  private final TrainingRun base;
  private final StudyFolder folder;
  private final StudyResults results;
  private final TransportRates transport;
  private final Map<String, Optional<CostRates>> rates = new LinkedHashMap<>();
  private final Map<List<Object>, Optional<CostModel>> models = new HashMap<>();
  private final List<String> notes = new ArrayList<>();

  private StudyForecast(
      StudyPlan plan,
      TrainingRun base,
      StudyFolder folder,
      StudyResults results,
      TransportRates transport) {
    this.plan = plan;
    this.base = base;
    this.folder = folder;
    this.results = results;
    this.transport = transport;
  }

  /**
   * @param here where this is read, as {@link Cluster#describe} has it
   */
  static Forecast of(
      StudyPlan plan,
      TrainingRun base,
      StudyFolder folder,
      StudyResults results,
      Map<String, String> here)
      throws IOException {
    ForecastPlan asked = plan.forecast();
    if (asked.executors().isEmpty()) {
      return Forecast.NONE;
    }
    StudyForecast forecast =
        new StudyForecast(plan, base, folder, results, asked.transport(folder.storage()));
    try {
      ClusterSpec cluster = forecast.cluster(here);
      for (OptimizerGrid optimizer : plan.optimizers()) {
        forecast.rates.put(optimizer.name(), forecast.fit(optimizer));
      }
      return Forecast.of(
          results,
          forecast::model,
          cluster,
          asked.clusters(cluster.slots()),
          asked.assumptions(cluster.slots()),
          forecast.notes);
    } catch (InvalidInputException e) {
      forecast.notes.add("nothing is predicted: " + e.getMessage());
      return new Forecast("", List.of(), List.of(), forecast.notes);
    }
  }

  /**
   * Where the runs took place, which need not be where they are read now.
   *
   * @param here where that is not noted
   */
  private ClusterSpec cluster(Map<String, String> here) throws IOException {
    Map<List<String>, JsonNode> clusters = new LinkedHashMap<>();
    boolean together = false;
    for (StudyRun run : results.runs()) {
      StudyTask task = plan.task(run);
      together |= folder.together(task) > 1;
      JsonNode cluster = folder.cluster(task);
      if (!cluster.isMissingNode()) {
        clusters.put(CLUSTER.stream().map(key -> cluster.path(key).asText()).toList(), cluster);
      }
    }
    if (together) {
      notes.add("runs took place side by side, so seconds are those of executors that they shared");
    }
    if (clusters.size() > 1) {
      notes.add(
          "runs took place on %d different clusters, so their seconds do not compare: master, executors, cores, threads of a task, partitions %s"
              .formatted(clusters.size(), clusters.keySet()));
    }
    List<JsonNode> all = List.copyOf(clusters.values());
    return MeasuredFolder.cluster(
        "the study's cluster", all.isEmpty() ? Json.of(here) : all.get(all.size() - 1));
  }

  private Optional<CostRates> fit(OptimizerGrid optimizer) throws IOException {
    try {
      for (String key : optimizer.grid().keySet()) {
        InvalidInputException.require(
            !MeasuredFolder.SAME.contains(key),
            "its grid varies %s, on which the cost of an iteration depends",
            key);
      }
      List<MeasuredRun> runs = new ArrayList<>();
      for (int batch : results.batchSizes()) {
        Optional<StudyRun> longest =
            results.runs().stream()
                .filter(run -> run.optimizer().equals(optimizer.name()))
                .filter(run -> run.batchSize() == batch && run.steps() >= MeasuredRun.LEAST)
                .max(Comparator.comparingLong(StudyRun::steps));
        if (longest.isPresent()) {
          runs.add(measured(plan.task(longest.get())));
        }
      }
      CostRates found = CostFit.of(work(optimizer, optimizer.points().get(0)), transport, runs);
      found.notes().forEach(note -> notes.add(optimizer.name() + ": " + note));
      return Optional.of(found);
    } catch (InvalidInputException e) {
      notes.add("nothing is predicted for " + optimizer.name() + ": " + e.getMessage());
      return Optional.empty();
    }
  }

  private MeasuredRun measured(StudyTask task) throws IOException {
    JsonNode cluster = folder.cluster(task);
    return new MeasuredRun(
        task.title(),
        MeasuredFolder.cluster(task.title(), cluster),
        MeasuredFolder.driverThreads(cluster),
        MeasuredFolder.records(folder.storage(), folder.run(task)));
  }

  private IterationWork work(OptimizerGrid optimizer, SortedMap<String, String> point) {
    StudyTask task =
        new StudyTask(
            optimizer, plan.budgets().get(0), plan.batchSizes().get(0), plan.tuningSeed(), point);
    TrainingRun run = base.with(plan.settings(task), task.title());
    return IterationWork.of(
        run.problem().network(), run.optimizer(), run.problem().precision(), plan.examples());
  }

  /** Points of a grid may have other periods, but the same rates. */
  private Optional<CostModel> model(StudyRun run) {
    return models.computeIfAbsent(
        List.of(run.optimizer(), run.point()),
        key ->
            rates
                .getOrDefault(run.optimizer(), Optional.empty())
                .map(
                    found ->
                        new CostModel(
                            work(plan.task(run).optimizer(), run.point()), found, transport)));
  }
}
