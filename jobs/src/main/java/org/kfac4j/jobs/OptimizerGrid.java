package org.kfac4j.jobs;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigList;
import com.typesafe.config.ConfigRenderOptions;
import com.typesafe.config.ConfigUtil;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueType;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.kfac4j.InvalidInputException;
import org.kfac4j.Settings;
import org.kfac4j.study.StudyRun;

/**
 * An optimizer that a conf file names among others, { name, settings { … }, grid { … } }.
 *
 * @param name a line of its own in tables
 * @param settings that its runs have, in place of the shared ones
 * @param grid values of settings that its runs differ in, by key
 */
record OptimizerGrid(
    String name, SortedMap<String, String> settings, SortedMap<String, List<String>> grid) {
  /** What runs may differ in; everything else is shared. */
  private static final List<String> OWN =
      List.of("optimizer.", "curvature.", "training.batch-size", "training.batch-growth");

  private static final Set<String> OWN_ALONE = Set.of("training.averaging");

  OptimizerGrid {
    settings = Collections.unmodifiableSortedMap(new TreeMap<>(settings));
    grid = Collections.unmodifiableSortedMap(new TreeMap<>(grid));
  }

  /**
   * All optimizers in order.
   *
   * @param list the setting that holds them
   * @throws InvalidInputException naming the optimizer, the key and the rule of what does not fit
   */
  static List<OptimizerGrid> of(Settings shared, String list) {
    List<OptimizerGrid> grids = new ArrayList<>();
    Set<String> names = new TreeSet<>();
    for (Config entry : shared.blocks(list)) {
      String name = name(entry, list);
      InvalidInputException.require(
          names.add(name), "%s must have different names, got \"%s\" twice", list, name);
      SortedMap<String, String> own = new TreeMap<>();
      flat(entry, "settings", name, list).forEach((key, value) -> own.put(key, text(value)));
      SortedMap<String, List<String>> grid = new TreeMap<>();
      flat(entry, "grid", name, list)
          .forEach((key, value) -> grid.put(key, values(key, value, name, list)));
      grids.add(new OptimizerGrid(name, own, grid));
    }
    InvalidInputException.require(!grids.isEmpty(), "%s must name at least one optimizer", list);
    return grids;
  }

  private static String name(Config entry, String list) {
    for (String key : entry.root().keySet()) {
      InvalidInputException.require(
          Set.of("name", "settings", "grid").contains(key),
          "%s: a block has name, settings and grid, got %s",
          list,
          key);
    }
    boolean named =
        entry.hasPath("name")
            && entry.getValue("name").valueType() == ConfigValueType.STRING
            && !entry.getString("name").isBlank();
    InvalidInputException.require(named, "%s: every block needs a name", list);
    String name = entry.getString("name");
    InvalidInputException.require(
        folder(name).matches(".*[a-z0-9].*"),
        "%s: a name needs a letter from a to z or a digit, which its folder is called by, got \"%s\"",
        list,
        name);
    return name;
  }

  /** Keys and values of a block, sorted by key. */
  private static Map<String, ConfigValue> flat(
      Config entry, String block, String name, String list) {
    Map<String, ConfigValue> flat = new TreeMap<>();
    if (entry.hasPath(block)) {
      InvalidInputException.require(
          entry.getValue(block).valueType() == ConfigValueType.OBJECT,
          "%s \"%s\": %s must be a block { … }",
          list,
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
          list,
          name,
          key);
    }
    return flat;
  }

  private static List<String> values(String key, ConfigValue value, String name, String list) {
    InvalidInputException.require(
        value.valueType() == ConfigValueType.LIST && !((ConfigList) value).isEmpty(),
        "%s \"%s\": the grid of %s must be a list of values, got %s",
        list,
        name,
        key,
        text(value));
    List<String> values = ((ConfigList) value).stream().map(OptimizerGrid::text).toList();
    InvalidInputException.require(
        Set.copyOf(values).size() == values.size(),
        "%s \"%s\": the grid of %s must have different values, got %s",
        list,
        name,
        key,
        text(value));
    return values;
  }

  private static String text(ConfigValue value) {
    return switch (value.valueType()) {
      case STRING -> (String) value.unwrapped();
      default -> value.render(ConfigRenderOptions.concise());
    };
  }

  /** Every combination of the grid's values; one empty one without a grid. */
  List<SortedMap<String, String>> points() {
    List<SortedMap<String, String>> points = List.of(new TreeMap<>());
    for (Map.Entry<String, List<String>> axis : grid.entrySet()) {
      List<SortedMap<String, String>> more = new ArrayList<>();
      for (SortedMap<String, String> point : points) {
        for (String value : axis.getValue()) {
          SortedMap<String, String> longer = new TreeMap<>(point);
          longer.put(axis.getKey(), value);
          more.add(longer);
        }
      }
      points = more;
    }
    return points;
  }

  /** The shared settings with this optimizer's and a point's in their place. */
  Settings at(Settings shared, SortedMap<String, String> point) {
    return shared.with(
        java.util.stream.Stream.of(settings, point)
            .flatMap(each -> each.entrySet().stream())
            .map(each -> each.getKey() + "=" + each.getValue())
            .toList());
  }

  /** Settings that are the same in all runs, but for blocks that ask for runs. */
  static SortedMap<String, String> common(List<Settings> runs) {
    SortedMap<String, String> common = new TreeMap<>(runs.get(0).flat());
    runs.forEach(run -> common.entrySet().retainAll(run.flat().entrySet()));
    common.keySet().removeIf(key -> key.startsWith("compare.") || key.equals("study.optimizers"));
    return common;
  }

  /** For example "damping.initial=1, l2=0". */
  static String label(SortedMap<String, String> point) {
    return point.entrySet().stream()
        .map(each -> StudyRun.label(each.getKey()) + "=" + each.getValue())
        .collect(Collectors.joining(", "));
  }

  /** A folder's name that says what is in it. */
  static String folder(String name) {
    return name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9.=]+", "-").replaceAll("^-|-$", "");
  }
}
