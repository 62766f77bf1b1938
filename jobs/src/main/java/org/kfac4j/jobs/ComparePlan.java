package org.kfac4j.jobs;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigUtil;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueType;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.kfac4j.InvalidInputException;
import org.kfac4j.Settings;

/**
 * The runs that {@code compare.optimizers} asks for.
 *
 * @param optimizer its name
 * @param point the grid's settings of this run, "" without a grid
 * @param folder name of the run's folder
 * @param settings all of them
 */
record ComparePlan(String optimizer, String point, String folder, Settings settings) {
  private static final String KEY = "compare.optimizers";

  /** What runs may differ in; everything else is the comparison's. */
  private static final List<String> OWN =
      List.of("optimizer.", "curvature.", "training.batch-size", "training.batch-growth");

  private static final Set<String> OWN_ALONE = Set.of("training.averaging");

  /**
   * All runs in order.
   *
   * @throws InvalidInputException naming the optimizer, the key and the rule of what does not fit
   */
  static List<ComparePlan> of(Settings shared) {
    List<ComparePlan> plans = new ArrayList<>();
    Set<String> names = new TreeSet<>();
    Set<String> folders = new TreeSet<>();
    for (Config entry : shared.blocks(KEY)) {
      String name = name(entry);
      InvalidInputException.require(
          names.add(name), "%s must have different names, got \"%s\" twice", KEY, name);
      List<String> own = assignments(entry, name);
      for (List<String> point : points(entry, name)) {
        List<String> overrides = new ArrayList<>(own);
        overrides.addAll(point);
        String label = label(point);
        String folder = folder(label.isEmpty() ? name : name + " " + label);
        InvalidInputException.require(
            folder.matches(".*[a-z0-9].*"),
            "%s: a name needs a letter from a to z or a digit, which its folder is called by, got \"%s\"",
            KEY,
            name);
        InvalidInputException.require(
            folders.add(folder), "%s: two runs would have the folder %s", KEY, folder);
        try {
          plans.add(new ComparePlan(name, label, folder, shared.with(overrides)));
        } catch (InvalidInputException e) {
          throw new InvalidInputException(KEY + " \"" + name + "\": " + e.getMessage(), e);
        }
      }
    }
    InvalidInputException.require(!plans.isEmpty(), "%s must name at least one optimizer", KEY);
    return plans;
  }

  private static String name(Config entry) {
    for (String key : entry.root().keySet()) {
      InvalidInputException.require(
          Set.of("name", "settings", "grid").contains(key),
          "%s: a block has name, settings and grid, got %s",
          KEY,
          key);
    }
    boolean named =
        entry.hasPath("name")
            && entry.getValue("name").valueType() == ConfigValueType.STRING
            && !entry.getString("name").isBlank();
    InvalidInputException.require(named, "%s: every block needs a name", KEY);
    return entry.getString("name");
  }

  /** Keys and values of a block, sorted by key. */
  private static Map<String, ConfigValue> flat(Config entry, String block, String name) {
    Map<String, ConfigValue> flat = new TreeMap<>();
    if (entry.hasPath(block)) {
      InvalidInputException.require(
          entry.getValue(block).valueType() == ConfigValueType.OBJECT,
          "%s \"%s\": %s must be a block { … }",
          KEY,
          name,
          block);
      entry
          .getConfig(block)
          .entrySet()
          .forEach(
              each ->
                  flat.put(String.join(".", ConfigUtil.splitPath(each.getKey())), each.getValue()));
    }
    for (String key : flat.keySet()) {
      InvalidInputException.require(
          OWN_ALONE.contains(key) || OWN.stream().anyMatch(key::startsWith),
          "%s \"%s\": runs share %s; they may differ in optimizer.*, curvature.*, training.batch-size, training.batch-growth* and training.averaging",
          KEY,
          name,
          key);
    }
    return flat;
  }

  private static List<String> assignments(Config entry, String name) {
    return flat(entry, "settings", name).entrySet().stream()
        .map(each -> each.getKey() + "=" + text(each.getValue()))
        .toList();
  }

  /** Every combination of the grid's values; one empty one without a grid. */
  private static List<List<String>> points(Config entry, String name) {
    List<List<String>> points = List.of(List.of());
    for (Map.Entry<String, ConfigValue> axis : flat(entry, "grid", name).entrySet()) {
      boolean list =
          axis.getValue().valueType() == ConfigValueType.LIST
              && !((List<?>) axis.getValue().unwrapped()).isEmpty();
      InvalidInputException.require(
          list,
          "%s \"%s\": the grid of %s must be a list of values, got %s",
          KEY,
          name,
          axis.getKey(),
          text(axis.getValue()));
      List<List<String>> more = new ArrayList<>();
      for (List<String> point : points) {
        for (ConfigValue value : (com.typesafe.config.ConfigList) axis.getValue()) {
          List<String> longer = new ArrayList<>(point);
          longer.add(axis.getKey() + "=" + text(value));
          more.add(longer);
        }
      }
      points = more;
    }
    return points;
  }

  private static String text(ConfigValue value) {
    return switch (value.valueType()) {
      case STRING -> (String) value.unwrapped();
      default -> value.render(com.typesafe.config.ConfigRenderOptions.concise());
    };
  }

  /** For example "damping.initial=1, l2=0". */
  private static String label(List<String> point) {
    return String.join(
        ", ", point.stream().map(each -> each.substring(each.indexOf('.') + 1)).toList());
  }

  private static String folder(String name) {
    return name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9.=]+", "-").replaceAll("^-|-$", "");
  }
}
