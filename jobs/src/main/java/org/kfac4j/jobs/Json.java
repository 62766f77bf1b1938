package org.kfac4j.jobs;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Map;
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

  /** Writes a file that people read, too. */
  static void write(Storage storage, String uri, ObjectNode object) throws IOException {
    try (OutputStream out = storage.create(uri)) {
      out.write(MAPPER.writerWithDefaultPrettyPrinter().writeValueAsBytes(object));
      out.write('\n');
    }
  }
}
