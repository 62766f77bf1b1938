package org.kfac4j.jobs;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.commons.text.StringEscapeUtils;
import org.kfac4j.InvalidInputException;
import org.kfac4j.Settings;
import org.kfac4j.data.Storage;
import org.kfac4j.study.Reached;
import org.kfac4j.study.StudyPage;
import org.kfac4j.study.StudyResults;
import org.kfac4j.study.StudyRun;
import org.kfac4j.study.Target;

/**
 * The folder that a study's results go to: {@code study.json}, which says what it is, {@code
 * runs.parquet}, tables of numbers in {@code tables}, {@code report.html}, and one folder per run
 * in {@code runs}, with {@code run.json} as soon as it has ended.
 */
record StudyFolder(Storage storage, String dir) {
  private static final String STUDY = "study.json";
  private static final String REPORT = "report.html";
  private static final String TABLES = "tables";
  private static final String RUNS = "runs";
  private static final String RUN = "run.json";
  private static final String PARQUET = "runs.parquet";
  private static final List<String> CONTENT = List.of(STUDY, REPORT, TABLES, RUNS, PARQUET);
  private static final String DATA = "data";

  /** In {@code run.json}: how many runs took place at a time. */
  private static final String TOGETHER = "parallelRuns";

  String parquet() {
    return Storage.resolve(dir, PARQUET);
  }

  String run(StudyTask task) {
    return Storage.resolve(Storage.resolve(dir, RUNS), task.folder());
  }

  /**
   * @param data the training examples in a few words ({@link DataMark}): other examples, another
   *     study
   * @param resume whether a study is to be there, this one, or nothing that it would replace
   * @throws InvalidInputException if it is not so
   */
  void check(Settings settings, String data, boolean resume) throws IOException {
    String file = Storage.resolve(dir, STUDY);
    if (!resume) {
      requireEmpty(settings.flag("output.overwrite"));
      return;
    }
    InvalidInputException.require(
        storage.exists(file), "--resume: output.dir %s holds no study", dir);
    Optional<JsonNode> read = Json.read(storage, file);
    if (read.isEmpty()) {
      // Cut off while it was noted, which is before the first run.
      InvalidInputException.require(
          storage.list(Storage.resolve(dir, RUNS)).isEmpty(),
          "--resume: %s is no whole JSON, so it does not say which study the runs beside it are of",
          file);
      return;
    }
    JsonNode before = read.get();
    for (Map.Entry<String, String> setting : identity(settings).entrySet()) {
      String then = before.path("settings").path(setting.getKey()).asText();
      InvalidInputException.require(
          setting.getValue().equals(then),
          "--resume: output.dir %s holds another study: %s is %s there, here %s",
          dir,
          setting.getKey(),
          then,
          setting.getValue());
    }
    String then = before.path(DATA).asText(data);
    InvalidInputException.require(
        data.equals(then),
        "--resume: output.dir %s holds a study of other training data: %s there, here %s",
        dir,
        then,
        data);
  }

  private void requireEmpty(boolean overwrite) throws IOException {
    if (overwrite) {
      return;
    }
    InvalidInputException.require(
        !storage.exists(Storage.resolve(dir, STUDY)),
        "output.dir %s already holds a study: choose another, --resume it, or --set output.overwrite=true",
        dir);
    for (String name : CONTENT) {
      InvalidInputException.require(
          !storage.exists(Storage.resolve(dir, name)),
          "output.dir %s already holds %s of something else: choose another, or --set output.overwrite=true",
          dir,
          name);
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
    for (String name : CONTENT) {
      storage.delete(Storage.resolve(dir, name));
    }
  }

  /**
   * Notes which study this is, if that is not noted yet: not written anew each time, a study that
   * is killed while it is resumed can be resumed again.
   */
  void begin(Settings settings, String data) throws IOException {
    String file = Storage.resolve(dir, STUDY);
    if (storage.exists(file) && Json.read(storage, file).isPresent()) {
      return;
    }
    ObjectNode study = Json.object();
    Json.put(study, "settings", identity(settings));
    study.put(DATA, data);
    Json.write(storage, file, study);
  }

  /**
   * Notes how a run ended.
   *
   * @param cluster that it was made on
   * @param together how many runs took place there at a time
   */
  void end(StudyTask task, StudyRun run, Map<String, String> cluster, int together)
      throws IOException {
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
    json.put(TOGETHER, together);
    Json.write(storage, Storage.resolve(run(task), RUN), json);
  }

  private static void put(ObjectNode json, String name, Map<Target.Metric, Double> values) {
    ObjectNode node = json.putObject(name);
    values.forEach((metric, value) -> Json.put(node, metric.key(), value));
  }

  /** The run, if it has ended; one that was cut off while it was noted has not. */
  Optional<StudyRun> ended(StudyTask task) throws IOException {
    JsonNode json = note(task);
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
    return note(task).path("cluster");
  }

  /**
   * Versions and clusters that runs were made with, several if they differ.
   *
   * @param here where this is read; what is not noted of runs is taken from it
   */
  Map<String, String> environment(StudyPlan plan, List<StudyRun> runs, Map<String, String> here)
      throws IOException {
    Map<String, Set<String>> noted = new TreeMap<>();
    for (StudyRun run : runs) {
      cluster(plan.task(run))
          .fields()
          .forEachRemaining(
              fact ->
                  noted
                      .computeIfAbsent(fact.getKey(), key -> new LinkedHashSet<>())
                      .add(fact.getValue().asText()));
    }
    Map<String, String> environment = new TreeMap<>(here);
    noted.forEach((fact, values) -> environment.put(fact, String.join("; ", values)));
    return environment;
  }

  /** How many runs took place while one that has ended did. */
  int together(StudyTask task) throws IOException {
    return note(task).path(TOGETHER).asInt(1);
  }

  /** What is noted of a run, nothing if it has not ended. */
  private JsonNode note(StudyTask task) throws IOException {
    String file = Storage.resolve(run(task), RUN);
    return storage.exists(file) ? Json.read(storage, file).orElse(Json.object()) : Json.object();
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

  /** Writes tables and report. */
  void write(StudyResults results, StudyPage page) throws IOException {
    write(Storage.resolve(dir, REPORT), page.html());
    for (Map.Entry<String, List<List<String>>> table : results.csv().entrySet()) {
      String name = table.getKey() + ".csv";
      write(Storage.resolve(Storage.resolve(dir, TABLES), name), csv(table.getValue()));
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
