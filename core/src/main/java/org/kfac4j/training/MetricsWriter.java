package org.kfac4j.training;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.kfac4j.InvalidInputException;
import org.kfac4j.data.Storage;

/**
 * Writes {@code metrics.jsonl}: one JSON object per iteration and line. What an iteration does not
 * have is left out; a number that is not finite is null. A resumed run writes the lines of the
 * earlier process again, so each iteration is there once.
 */
public final class MetricsWriter implements TrainingListener {
  public static final String FILE = "metrics.jsonl";
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Storage storage;
  private @Nullable OutputStream out;

  public MetricsWriter(Storage storage) {
    this.storage = storage;
  }

  @Override
  public void started(RunInfo info) {
    try {
      out = storage.create(Storage.resolve(info.outputDir(), FILE));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void replayed(IterationRecord record) {
    write(record, false);
  }

  @Override
  public void iteration(IterationRecord record) {
    write(record, true);
  }

  private void write(IterationRecord record, boolean flush) {
    if (out == null) {
      throw new IllegalStateException("started has not been called");
    }
    try {
      out.write((format(record) + "\n").getBytes(StandardCharsets.UTF_8));
      if (flush) {
        out.flush();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    try {
      if (out != null) {
        out.close();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      out = null;
    }
  }

  /** One line, without its end; finite numbers come back from {@link #parse} bit for bit. */
  public static String format(IterationRecord record) {
    ObjectNode line = JSON.createObjectNode();
    line.put("iteration", record.iteration());
    put(line, "seconds", record.seconds());
    line.put("batchSize", record.batchSize());
    put(line, "loss", record.loss());
    put(line, "damping", record.damping());
    put(line, "alpha", record.alpha());
    put(line, "mu", record.mu());
    put(line, "rho", record.rho());
    put(line.putObject("phaseSeconds"), record.phaseSeconds());
    if (!record.passSeconds().isEmpty()) {
      put(line.putObject("passSeconds"), record.passSeconds());
    }
    if (!record.curvature().isEmpty()) {
      put(line.putObject("curvature"), record.curvature());
    }
    if (record.evaluation() != null) {
      put(line, record.evaluation());
    }
    return line.toString();
  }

  /**
   * Reads a line of {@link #format}. A null is read as NaN.
   *
   * @throws InvalidInputException if it is not such a line
   */
  public static IterationRecord parse(String text) {
    JsonNode line;
    try {
      line = JSON.readTree(text);
    } catch (JsonProcessingException e) {
      throw new InvalidInputException(
          "line of metrics must be a JSON object, got " + shortened(text), e);
    }
    boolean complete =
        line.isObject() && line.hasNonNull("iteration") && line.has("seconds") && line.has("loss");
    InvalidInputException.require(
        complete, "line of metrics must have iteration, seconds and loss, got %s", shortened(text));
    return new IterationRecord(
        line.get("iteration").asInt(),
        number(line.get("seconds")),
        line.path("batchSize").asLong(),
        number(line.get("loss")),
        optional(line, "damping"),
        optional(line, "alpha"),
        optional(line, "mu"),
        optional(line, "rho"),
        numbers(line.path("phaseSeconds")),
        numbers(line.path("passSeconds")),
        numbers(line.path("curvature")),
        evaluation(line));
  }

  /** Adds {@code testLoss}, {@code testError} or {@code testAccuracy}, and {@code averaged}. */
  static void put(ObjectNode object, Evaluation evaluation) {
    put(object, "testLoss", evaluation.loss());
    put(object, "testError", evaluation.error());
    put(object, "testAccuracy", evaluation.accuracy());
    object.put("averaged", evaluation.averaged());
  }

  /** Adds a number, null if it is not finite, nothing if there is none. */
  static void put(ObjectNode object, String name, @Nullable Double value) {
    if (value != null) {
      object.put(name, Double.isFinite(value) ? value : null);
    }
  }

  private static void put(ObjectNode object, Map<String, Double> values) {
    new TreeMap<>(values).forEach((name, value) -> put(object, name, value));
  }

  private static @Nullable Evaluation evaluation(JsonNode line) {
    JsonNode loss = line.get("testLoss");
    return loss == null
        ? null
        : new Evaluation(
            number(loss),
            optional(line, "testError"),
            optional(line, "testAccuracy"),
            line.path("averaged").asBoolean());
  }

  private static @Nullable Double optional(JsonNode line, String name) {
    JsonNode value = line.get(name);
    return value == null ? null : (Double) number(value);
  }

  private static Map<String, Double> numbers(JsonNode object) {
    Map<String, Double> numbers = new LinkedHashMap<>();
    object
        .fields()
        .forEachRemaining(field -> numbers.put(field.getKey(), number(field.getValue())));
    return numbers;
  }

  private static double number(JsonNode value) {
    return value.isNull() ? Double.NaN : value.asDouble();
  }

  private static String shortened(String text) {
    return text.length() > 60 ? text.substring(0, 57) + "…" : text;
  }
}
