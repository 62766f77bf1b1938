package org.kfac4j;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigList;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigUtil;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueFactory;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** Which settings there are, and of what type: exactly those of the defaults. */
final class SettingsSchema {
  private final Config defaults;
  private final Map<String, SettingType> types = new LinkedHashMap<>();
  private final Map<String, List<String>> blocks = new LinkedHashMap<>();
  private final TreeSet<String> names = new TreeSet<>();

  SettingsSchema(Config defaults) {
    this.defaults = defaults;
    collect(defaults.root(), "");
    names.addAll(types.keySet());
    names.addAll(blocks.keySet());
  }

  private void collect(ConfigObject object, String block) {
    for (String key : inOrder(object)) {
      String path = join(block, key);
      ConfigValue value = value(object, key);
      if (value instanceof ConfigObject child) {
        blocks.put(path, inOrder(child));
        collect(child, path);
      } else {
        types.put(path, SettingType.of(value));
      }
    }
  }

  SettingType type(String path) {
    SettingType type = types.get(path);
    if (type == null) {
      throw new IllegalArgumentException("no such setting: " + path);
    }
    return type;
  }

  /**
   * {@code user} on top of the defaults, each value of its default's type.
   *
   * @param source for messages
   * @throws InvalidInputException for the first key that is unknown or whose value does not fit
   */
  Config resolve(String source, Config user) {
    Config merged;
    try {
      merged = user.withFallback(defaults).resolve();
    } catch (ConfigException e) {
      throw SettingsParser.invalid(source, e);
    }
    Map<String, ConfigValue> values = new LinkedHashMap<>();
    convert(source, merged.root(), "", values);
    Config result = ConfigFactory.empty();
    for (Map.Entry<String, ConfigValue> entry : values.entrySet()) {
      result = result.withValue(entry.getKey(), entry.getValue());
    }
    return result;
  }

  private void convert(
      String source, ConfigObject object, String block, Map<String, ConfigValue> values) {
    for (String key : inOrder(object)) {
      String path = join(block, key);
      ConfigValue value = value(object, key);
      if (blocks.containsKey(path)) {
        if (!(value instanceof ConfigObject child)) {
          throw new InvalidInputException(
              source + ": " + blockMessage(path) + ", got " + SettingType.inMessage(value));
        }
        convert(source, child, path, values);
      } else {
        requireKnown(source, path);
        values.put(path, convert(source, path, value));
      }
    }
  }

  private ConfigValue convert(String source, String path, ConfigValue value) {
    SettingType type = type(path);
    return type.convert(value)
        .orElseThrow(
            () ->
                new InvalidInputException(
                    "%s: %s must be %s, got %s"
                        .formatted(source, path, type.description, SettingType.inMessage(value))));
  }

  private void requireKnown(String source, String path) {
    if (!types.containsKey(path)) {
      String suggestion = Spelling.pathSuggestion(path, names);
      throw new InvalidInputException(
          source
              + ": unknown key "
              + path
              + (suggestion.isEmpty() ? "; --print-config shows all keys" : suggestion));
    }
  }

  private String blockMessage(String path) {
    return path + " is a block with " + String.join(", ", blocks.getOrDefault(path, List.of()));
  }

  /**
   * One {@code key=value} of the command line. Text needs no quotes and a list no brackets.
   *
   * @throws InvalidInputException if it is malformed, the key is unknown or the value does not fit
   */
  Config override(String assignment) {
    String source = "--set " + assignment;
    int equals = assignment.indexOf('=');
    String path = equals < 0 ? "" : assignment.substring(0, equals).strip();
    InvalidInputException.require(
        !path.isEmpty(), "%s: must be key=value, for example training.iterations=100", source);
    String text = assignment.substring(equals + 1).strip();
    if (blocks.containsKey(path)) {
      throw new InvalidInputException(source + ": " + blockMessage(path) + "; name one of them");
    }
    requireKnown(source, path);
    ConfigValue value =
        type(path) == SettingType.LIST
            ? list(source, text)
            : ConfigValueFactory.fromAnyRef(unquoted(text));
    return convert(source, path, value).atPath(path);
  }

  private static ConfigValue list(String source, String text) {
    String bracketed = text.startsWith("[") ? text : "[" + text + "]";
    ConfigList list = SettingsParser.parse(source, "v = " + bracketed).getList("v");
    return list;
  }

  private static String unquoted(String text) {
    boolean quoted = text.length() >= 2 && text.startsWith("\"") && text.endsWith("\"");
    return quoted ? text.substring(1, text.length() - 1) : text;
  }

  /** Keys as they stand in the file, so that the first mistake is reported first. */
  private static List<String> inOrder(ConfigObject object) {
    List<String> keys = new ArrayList<>(object.keySet());
    keys.sort(
        Comparator.comparingInt((String key) -> value(object, key).origin().lineNumber())
            .thenComparing(Comparator.naturalOrder()));
    return keys;
  }

  private static ConfigValue value(ConfigObject object, String key) {
    ConfigValue value = object.get(key);
    if (value == null) {
      throw new IllegalArgumentException("no such key: " + key);
    }
    return value;
  }

  private static String join(String block, String key) {
    String quoted = ConfigUtil.joinPath(key);
    return block.isEmpty() ? quoted : block + "." + quoted;
  }
}
