package org.kfac4j.jobs;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.commons.text.StringEscapeUtils;
import org.kfac4j.InvalidInputException;
import org.kfac4j.data.Storage;
import org.kfac4j.training.ComparedRun;
import org.kfac4j.training.Comparison;
import org.kfac4j.training.ComparisonPage;
import org.kfac4j.training.Evaluation;
import org.kfac4j.training.IterationRecord;
import org.kfac4j.training.MetricsWriter;

/**
 * The folder that a comparison's results go to: {@code comparison.json}, {@code comparison.csv} and
 * {@code report.html}, and one folder per run in {@code runs}.
 *
 * @param data what the training examples are ({@link DataMark}): runs of others are not gone on
 *     with
 */
record CompareFolder(Storage storage, String dir, String data) {
  private static final String JSON = "comparison.json";
  private static final String CSV = "comparison.csv";
  private static final String REPORT = "report.html";
  private static final String RUNS = "runs";
  private static final String DATA = "data";

  /** In a run's folder: its settings, and how it ended as soon as it has. */
  private static final String RUN = "run.json";

  String run(ComparePlan plan) {
    return Storage.resolve(Storage.resolve(dir, RUNS), plan.folder());
  }

  boolean holdsComparison() throws IOException {
    return storage.exists(Storage.resolve(dir, JSON)) || !storage.list(runs()).isEmpty();
  }

  private String runs() {
    return Storage.resolve(dir, RUNS);
  }

  /** Deletes what an earlier comparison has left, and nothing else. */
  void clear() throws IOException {
    for (String name : List.of(JSON, CSV, REPORT, RUNS)) {
      storage.delete(Storage.resolve(dir, name));
    }
  }

  /** Notes what a run is before it begins, if that is not noted yet. */
  void begin(ComparePlan plan) throws IOException {
    if (!hasBegun(plan)) {
      Json.write(storage, file(plan), described(plan));
    }
  }

  /** Whether it is noted what the run is; not if that was cut off. */
  boolean hasBegun(ComparePlan plan) throws IOException {
    return note(plan).isPresent();
  }

  private Optional<JsonNode> note(ComparePlan plan) throws IOException {
    return storage.exists(file(plan)) ? Json.read(storage, file(plan)) : Optional.empty();
  }

  private String file(ComparePlan plan) {
    return Storage.resolve(run(plan), RUN);
  }

  private ObjectNode described(ComparePlan plan) {
    ObjectNode run = Json.object();
    run.put("optimizer", plan.optimizer());
    run.put("point", plan.point());
    run.put(DATA, data);
    Json.put(run, "settings", identity(plan));
    return run;
  }

  /** Settings that a run's results depend on. */
  private static Map<String, String> identity(ComparePlan plan) {
    Map<String, String> settings = new TreeMap<>(plan.settings().flat());
    settings
        .keySet()
        .removeIf(
            key ->
                key.startsWith("compare.")
                    || key.startsWith("output.")
                    || key.equals("data.path")
                    || key.startsWith("training.checkpoint"));
    return settings;
  }

  /** Notes how a run ended. */
  void end(ComparePlan plan, String outcome) throws IOException {
    ObjectNode run = described(plan);
    run.put("outcome", outcome);
    Json.write(storage, file(plan), run);
  }

  /**
   * The run, if it has ended.
   *
   * @throws InvalidInputException naming the setting if the run in the folder has others
   */
  Optional<ComparedRun> ended(ComparePlan plan) throws IOException {
    Optional<JsonNode> noted = note(plan);
    if (noted.isEmpty()) {
      return Optional.empty();
    }
    JsonNode run = noted.get();
    Map<String, String> now = identity(plan);
    for (Map.Entry<String, String> setting : now.entrySet()) {
      String before = run.path("settings").path(setting.getKey()).asText();
      InvalidInputException.require(
          setting.getValue().equals(before),
          "--resume: %s of run %s must be %s as in %s, got %s",
          setting.getKey(),
          plan.folder(),
          before,
          dir,
          setting.getValue());
    }
    String before = run.path(DATA).asText(data);
    InvalidInputException.require(
        data.equals(before),
        "--resume: run %s in %s is of other training data: %s there, here %s",
        plan.folder(),
        dir,
        before,
        data);
    if (!run.hasNonNull("outcome")) {
      return Optional.empty();
    }
    List<IterationRecord> records = new ArrayList<>();
    String metrics = Storage.resolve(run(plan), MetricsWriter.FILE);
    for (String line : storage.exists(metrics) ? text(metrics).split("\n") : new String[0]) {
      if (!line.isEmpty()) {
        records.add(MetricsWriter.parse(line));
      }
    }
    return Optional.of(
        new ComparedRun(plan.optimizer(), plan.point(), run.get("outcome").asText(), records));
  }

  private String text(String file) throws IOException {
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    try (InputStream in = storage.open(file)) {
      in.transferTo(text);
    }
    return text.toString(StandardCharsets.UTF_8);
  }

  /** Writes table, JSON and report of the runs so far. */
  void write(Comparison comparison, Map<String, String> settings, Map<String, String> environment)
      throws IOException {
    write(REPORT, new ComparisonPage(comparison, settings, environment).html());
    write(CSV, csv(comparison));
    Json.write(storage, Storage.resolve(dir, JSON), json(comparison, environment));
  }

  private void write(String name, String text) throws IOException {
    try (OutputStream out = storage.create(Storage.resolve(dir, name))) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
    }
  }

  private static String csv(Comparison comparison) {
    List<String> header =
        new ArrayList<>(
            List.of(
                "optimizer",
                "point",
                "outcome",
                "iterations",
                "seconds",
                "median_seconds_per_iteration",
                "best_score",
                "best_iteration"));
    for (double target : comparison.targets()) {
      header.add("iterations_to_" + target);
      header.add("seconds_to_" + target);
      header.add("censored_at_" + target);
    }
    StringBuilder csv = new StringBuilder(String.join(",", header)).append('\n');
    for (ComparedRun run : comparison.runs()) {
      List<String> row = new ArrayList<>();
      row.add(StringEscapeUtils.escapeCsv(run.optimizer()));
      row.add(StringEscapeUtils.escapeCsv(run.point()));
      row.add(StringEscapeUtils.escapeCsv(run.outcome()));
      row.add(String.valueOf(run.iterations()));
      row.add(String.valueOf(run.seconds()));
      row.add(
          run.medianSeconds().isPresent() ? String.valueOf(run.medianSeconds().getAsDouble()) : "");
      row.add(run.best().map(record -> String.valueOf(score(record))).orElse(""));
      row.add(run.best().map(record -> String.valueOf(record.iteration())).orElse(""));
      for (double target : comparison.targets()) {
        Optional<IterationRecord> there = run.reached(target);
        row.add(there.map(record -> String.valueOf(record.iteration())).orElse(""));
        row.add(there.map(record -> String.valueOf(record.seconds())).orElse(""));
        row.add(String.valueOf(there.isEmpty()));
      }
      csv.append(String.join(",", row)).append('\n');
    }
    return csv.toString();
  }

  private static double score(IterationRecord record) {
    Evaluation evaluation = record.evaluation();
    return evaluation == null ? Double.NaN : evaluation.score();
  }

  private static ObjectNode json(Comparison comparison, Map<String, String> environment) {
    ObjectNode json = Json.object();
    json.put("name", comparison.name());
    Json.put(json, "environment", environment);
    ArrayNode runs = json.putArray("runs");
    for (ComparedRun run : comparison.runs()) {
      ObjectNode node = runs.addObject();
      node.put("optimizer", run.optimizer());
      node.put("point", run.point());
      node.put("outcome", run.outcome());
      node.put("iterations", run.iterations());
      Json.put(node, "seconds", run.seconds());
      Json.put(node, "medianSeconds", run.medianSeconds().orElse(Double.NaN));
      run.best()
          .ifPresent(
              record -> {
                Json.put(node, "bestScore", score(record));
                node.put("bestIteration", record.iteration());
              });
      ArrayNode targets = node.putArray("targets");
      for (double target : comparison.targets()) {
        ObjectNode reached = targets.addObject();
        Json.put(reached, "target", target);
        reached.put("censored", run.reached(target).isEmpty());
        run.reached(target)
            .ifPresent(
                record -> {
                  reached.put("iterations", record.iteration());
                  Json.put(reached, "seconds", record.seconds());
                });
      }
    }
    ArrayNode winners = json.putArray("winners");
    for (double target : comparison.targets()) {
      ObjectNode winner = winners.addObject();
      Json.put(winner, "target", target);
      ArrayNode seconds = winner.putArray("seconds");
      comparison.fastest(target).forEach(run -> seconds.add(run.name()));
      ArrayNode iterations = winner.putArray("iterations");
      comparison.fewestIterations(target).forEach(run -> iterations.add(run.name()));
    }
    return json;
  }
}
