package org.kfac4j.jobs;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.commons.text.StringEscapeUtils;
import org.kfac4j.InvalidInputException;
import org.kfac4j.Settings;
import org.kfac4j.data.Storage;
import org.kfac4j.study.Budget;
import org.kfac4j.study.Reached;
import org.kfac4j.study.StudyPage;
import org.kfac4j.study.StudyResults;
import org.kfac4j.study.StudyRun;
import org.kfac4j.study.Target;

/**
 * The folder that a study's results go to: {@code study.json}, which says what it is, {@code
 * runs.parquet}, a table for each target and budget in {@code tables}, {@code report.html}, and one
 * folder per run in {@code runs}, with {@code run.json} as soon as it has ended.
 */
record StudyFolder(Storage storage, String dir) {
  private static final String STUDY = "study.json";
  private static final String REPORT = "report.html";
  private static final String TABLES = "tables";
  private static final String RUNS = "runs";
  private static final String RUN = "run.json";
  private static final String PARQUET = "runs.parquet";

  String parquet() {
    return Storage.resolve(dir, PARQUET);
  }

  String run(StudyTask task) {
    return Storage.resolve(Storage.resolve(dir, RUNS), task.folder());
  }

  /**
   * @param resume whether a study is to be there, this one, or none
   * @throws InvalidInputException if it is not so
   */
  void check(Settings settings, boolean resume) throws IOException {
    String file = Storage.resolve(dir, STUDY);
    boolean there = storage.exists(file);
    if (!resume) {
      InvalidInputException.require(
          settings.flag("output.overwrite") || !there,
          "output.dir %s already holds a study: choose another, --resume it, or --set output.overwrite=true",
          dir);
      return;
    }
    InvalidInputException.require(there, "--resume: output.dir %s holds no study", dir);
    JsonNode before = new ObjectMapper().readTree(text(file)).path("settings");
    for (Map.Entry<String, String> setting : identity(settings).entrySet()) {
      String then = before.path(setting.getKey()).asText();
      InvalidInputException.require(
          setting.getValue().equals(then),
          "--resume: output.dir %s holds another study: %s is %s there, here %s",
          dir,
          setting.getKey(),
          then,
          setting.getValue());
    }
  }

  /** Settings that results depend on. */
  private static Map<String, String> identity(Settings settings) {
    Map<String, String> identity = new TreeMap<>(settings.flat());
    identity
        .keySet()
        .removeIf(
            key ->
                key.startsWith("compare.")
                    || key.startsWith("output.")
                    || key.equals("data.path")
                    || key.equals("study.parallel-runs")
                    || key.startsWith(ForecastPlan.BLOCK)
                    || key.startsWith("training.checkpoint"));
    return identity;
  }

  /** Deletes what an earlier study has left, and nothing else. */
  void clear() throws IOException {
    for (String name : List.of(STUDY, REPORT, TABLES, RUNS, PARQUET)) {
      storage.delete(Storage.resolve(dir, name));
    }
  }

  /** Notes which study this is. */
  void begin(Settings settings) throws IOException {
    ObjectNode study = Json.object();
    Json.put(study, "settings", identity(settings));
    Json.write(storage, Storage.resolve(dir, STUDY), study);
  }

  /**
   * Notes how a run ended.
   *
   * @param cluster that it was made on
   */
  void end(StudyTask task, StudyRun run, Map<String, String> cluster) throws IOException {
    ObjectNode json = Json.object();
    json.put("outcome", run.outcome());
    json.put("stepBudget", run.stepBudget());
    json.put("steps", run.steps());
    Json.put(json, "seconds", run.seconds());
    Json.put(json, "medianIterationSeconds", run.medianIterationSeconds());
    ArrayNode reached = json.putArray("reached");
    run.reached()
        .forEach(
            (target, at) -> {
              ObjectNode node = reached.addObject();
              node.put("target", target.metric().key() + "=" + target.value());
              node.put("steps", at.steps());
              Json.put(node, "seconds", at.seconds());
            });
    put(json, "best", run.best());
    put(json, "last", run.last());
    Json.put(json, "cluster", cluster);
    Json.write(storage, Storage.resolve(run(task), RUN), json);
  }

  private static void put(ObjectNode json, String name, Map<Target.Metric, Double> values) {
    ObjectNode node = json.putObject(name);
    values.forEach((metric, value) -> Json.put(node, metric.key(), value));
  }

  /** The run, if it has ended; one that was cut off while it was noted has not. */
  Optional<StudyRun> ended(StudyTask task) throws IOException {
    String file = Storage.resolve(run(task), RUN);
    if (!storage.exists(file)) {
      return Optional.empty();
    }
    JsonNode json;
    try {
      json = new ObjectMapper().readTree(text(file));
    } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
      return Optional.empty();
    }
    if (!json.hasNonNull("outcome")) {
      return Optional.empty();
    }
    Map<Target, Reached> reached = new LinkedHashMap<>();
    for (JsonNode node : json.path("reached")) {
      reached.put(
          Target.parse(node.get("target").asText()),
          new Reached(node.get("steps").asLong(), node.get("seconds").asDouble()));
    }
    return Optional.of(
        new StudyRun(
            task.optimizer().name(),
            task.budget(),
            task.batch(),
            task.seed(),
            task.point(),
            json.get("stepBudget").asLong(),
            json.get("steps").asLong(),
            json.get("seconds").asDouble(),
            json.get("outcome").asText(),
            reached,
            metrics(json.path("best")),
            metrics(json.path("last")),
            json.path("medianIterationSeconds").asDouble(Double.NaN)));
  }

  /** What a run that has ended was made on. */
  JsonNode cluster(StudyTask task) throws IOException {
    return new ObjectMapper().readTree(text(Storage.resolve(run(task), RUN))).path("cluster");
  }

  private static Map<Target.Metric, Double> metrics(JsonNode json) {
    Map<Target.Metric, Double> values = new EnumMap<>(Target.Metric.class);
    for (Target.Metric metric : Target.Metric.values()) {
      if (json.hasNonNull(metric.key())) {
        values.put(metric, json.get(metric.key()).asDouble());
      }
    }
    return values;
  }

  private String text(String file) throws IOException {
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    try (InputStream in = storage.open(file)) {
      in.transferTo(text);
    }
    return text.toString(StandardCharsets.UTF_8);
  }

  /** Writes tables and report. */
  void write(StudyResults results, StudyPage page) throws IOException {
    write(Storage.resolve(dir, REPORT), page.html());
    for (Target target : results.targets()) {
      for (Budget budget : results.budgets()) {
        String name =
            "%s-%s-%s.csv".formatted(target.metric().key(), target.value(), budget.label());
        write(
            Storage.resolve(Storage.resolve(dir, TABLES), name),
            csv(results.table(target, budget)));
      }
    }
  }

  private static String csv(List<List<String>> rows) {
    return rows.stream()
        .map(row -> row.stream().map(StringEscapeUtils::escapeCsv).collect(Collectors.joining(",")))
        .collect(Collectors.joining("\n", "", "\n"));
  }

  private void write(String file, String text) throws IOException {
    try (OutputStream out = storage.create(file)) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
    }
  }

  /** Of a run, by name. */
  static SortedMap<String, Double> byName(Map<Target.Metric, Double> values) {
    SortedMap<String, Double> named = new TreeMap<>();
    values.forEach((metric, value) -> named.put(metric.key(), value));
    return named;
  }
}
