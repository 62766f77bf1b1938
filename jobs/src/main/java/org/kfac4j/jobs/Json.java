package org.kfac4j.jobs;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.kfac4j.data.Storage;

/** What jobs write for other programs. */
final class Json {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private Json() {}

  static ObjectNode object() {
    return MAPPER.createObjectNode();
  }

  /** Of texts. */
  static ObjectNode of(Map<String, String> values) {
    ObjectNode object = object();
    new TreeMap<>(values).forEach(object::put);
    return object;
  }

  /** Adds a number, null if it is not finite: JSON has no word for that. */
  static void put(ObjectNode object, String name, double value) {
    object.put(name, Double.isFinite(value) ? (Double) value : null);
  }

  static void put(ObjectNode object, String name, Map<String, String> values) {
    object.set(name, of(values));
  }

  /**
   * What a file holds; empty if that is no whole JSON object, as of a job that was killed while it
   * wrote.
   */
  static Optional<JsonNode> read(Storage storage, String uri) throws IOException {
    try (InputStream in = storage.open(uri)) {
      JsonNode node = MAPPER.readTree(in);
      return node != null && node.isObject() ? Optional.of(node) : Optional.empty();
    } catch (JsonProcessingException e) {
      return Optional.empty();
    }
  }

  /** Writes a file that people read, too. */
  static void write(Storage storage, String uri, ObjectNode object) throws IOException {
    try (OutputStream out = storage.create(uri)) {
      out.write(MAPPER.writerWithDefaultPrettyPrinter().writeValueAsBytes(object));
      out.write('\n');
    }
  }
}
