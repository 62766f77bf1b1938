package org.kfac4j;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The state of a run as named numbers, text and arrays, in the order they were put. Arrays are
 * neither copied in nor out. Every getter throws an {@link InvalidInputException} naming the entry
 * if it is missing or of another type.
 */
public final class Snapshot {
  private final Map<String, Object> entries = new LinkedHashMap<>();

  public Snapshot put(String name, long value) {
    return add(name, value);
  }

  public Snapshot put(String name, double value) {
    return add(name, value);
  }

  public Snapshot put(String name, String value) {
    return add(name, value);
  }

  public Snapshot put(String name, double[] values) {
    return add(name, values);
  }

  public Snapshot put(String name, float[] values) {
    return add(name, values);
  }

  public Snapshot put(String name, long[] values) {
    return add(name, values);
  }

  /**
   * A number, text or array, of whatever type {@link #entries} has.
   *
   * @throws IllegalArgumentException if it is none of them
   */
  public Snapshot putAny(String name, Object value) {
    boolean known =
        value instanceof Long
            || value instanceof Double
            || value instanceof String
            || value instanceof double[]
            || value instanceof float[]
            || value instanceof long[];
    Check.that(known, "%s must be a number, text or array, got %s", name, value.getClass());
    return add(name, value);
  }

  private Snapshot add(String name, Object value) {
    Check.that(
        !name.isEmpty() && name.length() <= 1000,
        "name must have 1 to 1000 characters, got %s",
        name.length());
    Check.that(!entries.containsKey(name), "name must be new, got %s twice", name);
    entries.put(name, value);
    return this;
  }

  public long longValue(String name) {
    return get(name, Long.class);
  }

  public double doubleValue(String name) {
    return get(name, Double.class);
  }

  public String text(String name) {
    return get(name, String.class);
  }

  public double[] doubles(String name) {
    return get(name, double[].class);
  }

  public float[] floats(String name) {
    return get(name, float[].class);
  }

  public long[] longs(String name) {
    return get(name, long[].class);
  }

  public boolean contains(String name) {
    return entries.containsKey(name);
  }

  /** In the order of {@code put}. */
  public Set<String> names() {
    return Collections.unmodifiableSet(entries.keySet());
  }

  /** Names and values, in the order of {@code put}; a view. */
  public Map<String, Object> entries() {
    return Collections.unmodifiableMap(entries);
  }

  private <T> T get(String name, Class<T> type) {
    @Nullable Object value = entries.get(name);
    if (value == null) {
      throw new InvalidInputException("checkpoint has no entry " + name);
    }
    if (!type.isInstance(value)) {
      throw new InvalidInputException(
          "checkpoint entry %s must be %s, got %s"
              .formatted(name, type.getSimpleName(), value.getClass().getSimpleName()));
    }
    return type.cast(value);
  }
}
